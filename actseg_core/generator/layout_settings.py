"""Settings of a generated data set."""

from typing import Literal

from pydantic import Field

from actseg_core.config import Config
from actseg_core.generator.settings import HeldOut, SceneConfig


class DatasetConfig(Config):
    """A data set that `actseg generate` writes."""

    layout: Literal["a2d", "jhmdb"] = "a2d"
    """Whose files to write: A2D Sentences' or J-HMDB Sentences'."""
    videos: int = Field(200, ge=1, le=1_000_000)
    """Number of videos."""
    seed: int = Field(0, ge=0, le=1_000_000)
    """Another seed gives another data set; the same one gives the same."""
    test_share: float = Field(0.2, ge=0.0, le=1.0)
    """Share of videos in the test split (a2d only; J-HMDB Sentences is all test)."""
    test_words: HeldOut = "never"
    """held_out_words of the test split; training videos follow the scene's setting."""
    annotated_frames: int = Field(3, ge=1, le=100)
    """Annotated frames per video (a2d only; J-HMDB annotates all)."""
    flow: Literal["none", "annotated", "all"] = "annotated"
    """Which true flow fields to write, 16-bit PNG as in KITTI."""
    fps: float = Field(24.0, gt=0.0, le=120.0)
    """Frames per second written into the videos."""
    crf: int = Field(12, ge=0, le=51)
    """H.264 quality, 0 (lossless) to 51."""
    scene: SceneConfig = SceneConfig(frames=32)
    """What the clips contain."""
