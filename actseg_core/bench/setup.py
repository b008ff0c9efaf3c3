"""What a benchmark measures."""

from pydantic import Field

from actseg_core.config import Config

SENTENCES = (
    *("person walking", "dog running", "person in red", "car driving on the left"),
    *("cat jumping", "bird flying", "ball rolling", "baby crawling"),
    *("man on the right", "woman in blue", "person on the left", "small dog"),
    *("person running", "white cat", "the tall man standing", "big brown dog eating"),
)


class BenchConfig(Config):
    """Sizes and lengths of a run; `quick` has a shorter set."""

    model: str = "lite"
    """Preset with weights, or a .safetensors file, of a lite network."""
    sizes: tuple[int, ...] = (160, 256, 320)
    """Sides of the network's input [px]."""
    sentences: tuple[int, ...] = (1, 4, 16)
    """Numbers of active sentences."""
    frames: int = Field(200, ge=10, le=1_000_000)
    """Measured frames per case."""
    calls: int = Field(40, ge=3, le=100_000)
    """Calls per measured stage."""
    naive_frames: int = Field(5, ge=1, le=10_000)
    """Frames for which the naive version is timed, per size."""
    paper: bool = True
    """Also measure the paper's network, with random weights: they do not change its speed."""
    paper_size: int = Field(160, ge=64, le=1024, multiple_of=16)
    """Side of its input [px]."""
    paper_windows: int = Field(8, ge=2, le=10_000)
    """Windows per runtime."""
    paper_seconds: float = Field(10.0, ge=1.0, le=3600.0)
    """Time for which its masks are moved along the flow."""
    camera_hz: float = Field(30.0, ge=1.0, le=1000.0)
    """Rate of the camera for that."""
    soak_frames: int = Field(0, ge=0, le=100_000_000)
    """Frames of the test of memory; 0: none."""
    soak_size: int = Field(160, ge=64, le=1024, multiple_of=32)
    """Side of its network input [px]."""

    def quick(self) -> "BenchConfig":
        """A run of about a minute or two: fewer sizes and calls, the same parts."""
        return self.model_copy(
            update={
                "sizes": self.sizes[-1:],
                "sentences": (1, 4),
                "frames": 40,
                "calls": 10,
                "naive_frames": 2,
                "paper_windows": 2,
                "paper_seconds": 4.0,
            }
        )
