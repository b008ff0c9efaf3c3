"""Settings of generated scenes and data sets."""

from typing import Literal

from pydantic import Field, model_validator

from actseg_core.config import Config
from actseg_core.labels import PAIRS

BackgroundKind = Literal["grass", "road", "beach", "snow", "room", "carpet", "forest", "lake"]
HeldOut = Literal["never", "mixed", "always"]
CutoutPart = Literal["all", "train", "validation", "test"]


class SceneConfig(Config):
    """What a generated clip may contain."""

    frames: int = Field(16, ge=1, le=2000)
    """Frames per clip."""
    height: int = Field(240, ge=48, le=1080)
    """Frame height [px]."""
    width: int = Field(320, ge=48, le=1920)
    """Frame width [px]."""
    min_actors: int = Field(1, ge=1, le=4)
    """Fewest actors in a clip."""
    max_actors: int = Field(4, ge=1, le=4)
    """Most actors in a clip."""
    actor_scale: float = Field(1.0, ge=0.25, le=2.5)
    """Actors are so much larger; above 1 for networks that read small pictures."""
    pairs: tuple[int, ...] = tuple(pair.label for pair in PAIRS)
    """A2D labels (10 * actor + action) that may appear."""
    camera: Literal["still", "moving", "mixed"] = "mixed"
    """Whether the camera pans, shakes, zooms and follows; mixed moves it in two of three clips."""
    backgrounds: tuple[BackgroundKind, ...] = (
        *("grass", "road", "beach", "snow", "room", "carpet", "forest", "lake"),
    )
    """Kinds of drawn background."""
    occlusion: float = Field(0.4, ge=0.0, le=1.0)
    """Share of clips with an object between camera and actors."""
    entering: float = Field(0.15, ge=0.0, le=1.0)
    """Share of actors that enter or leave the frame during the clip."""
    degrade: bool = True
    """Lens blur, exposure, sensor noise and compression artefacts."""
    cutouts: str = ""
    """Folder with instances.json (COCO format) and images/: cut-out actors, real backgrounds."""
    cutout_share: float = Field(0.5, ge=0.0, le=1.0)
    """Share of actors that are cut-outs where the folder offers their kind."""
    photo_share: float = Field(0.5, ge=0.0, le=1.0)
    """Share of clips with a photographic background when a cut-out folder is given."""
    cutout_licenses: tuple[int, ...] = ()
    """License ids of the folder's images that may be used; empty: all."""
    cutout_part: CutoutPart = "all"
    """train leaves out every fifth photograph by id; validation and test share those."""
    sentences: int = Field(2, ge=1, le=10)
    """Most sentences per actor."""
    max_words: int = Field(20, ge=8, le=20)
    """Longest sentence [words]; A2D Sentences' longest has 20."""
    held_out_words: HeldOut = "never"
    """Whether words that training never sees (puppy, lorry, sprinting) may name an actor."""

    @model_validator(mode="after")
    def _consistent(self) -> "SceneConfig":
        valid = {pair.label for pair in PAIRS}
        if not self.pairs or not set(self.pairs) <= valid:
            raise ValueError(f"pairs must be A2D labels out of {sorted(valid)}, got {self.pairs}")
        if self.min_actors > self.max_actors:
            raise ValueError(
                f"min_actors must not exceed max_actors, got {self.min_actors} > {self.max_actors}"
            )
        if not self.backgrounds:
            raise ValueError("backgrounds must name at least one kind, got none")
        return self


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
    test_cutout_part: CutoutPart | None = None
    """cutout_part of the test split (J-HMDB Sentences is all test); empty: the scene's."""
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
