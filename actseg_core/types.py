"""The values that pass between the parts: frames, clips, sentences, answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError

SHOWN_CHARS = 100


@dataclass(frozen=True, eq=False)
class Frame:
    """One camera image.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        stamp_ns: Capture time [ns] on the camera's clock.
        frame_id: Coordinate frame of the camera, carried through to the answer.
        sequence: Running number given by whoever made the frame.

    Raises:
        ShapeError: If the image is not (H, W, 3) uint8.
    """

    image: NDArray[np.uint8]
    stamp_ns: int = 0
    frame_id: str = ""
    sequence: int = 0

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ShapeError(
                "a frame must be an (H, W, 3) uint8 RGB image, got shape "
                f"{self.image.shape} of {self.image.dtype}; convert it first"
            )


@dataclass(frozen=True, eq=False)
class Clip:
    """T consecutive frames and the flow between them.

    Attributes:
        rgb: (T, H, W, 3) uint8, RGB.
        flow: (T, H, W, 2) float32 [px per frame] in x and y; flow[t] leads from frame t to
            frame t+1, the last field is repeated (paper section 3.2 uses as many flow inputs as
            frames). None when no stream needs it.

    Raises:
        ShapeError: If shapes or dtypes disagree.
    """

    rgb: NDArray[np.uint8]
    flow: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.rgb.ndim != 4 or self.rgb.shape[3] != 3 or self.rgb.dtype != np.uint8:
            raise ShapeError(
                f"clip.rgb must be (T, H, W, 3) uint8, got {self.rgb.shape} of {self.rgb.dtype}"
            )
        wanted = (*self.rgb.shape[:3], 2)
        if self.flow is not None and (self.flow.shape != wanted or self.flow.dtype != np.float32):
            raise ShapeError(
                f"clip.flow must be {wanted} float32 to match clip.rgb, "
                f"got {self.flow.shape} of {self.flow.dtype}"
            )

    def __len__(self) -> int:
        return len(self.rgb)


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence ready for the model.

    Attributes:
        text: As received.
        words: Lower-cased words, at most the model's maximum.
        unknown: Those of `words` that have no vector.
        vectors: (L, D) float32, one row per word, zero rows for unknown words and padding.
        left_out: Lower-cased words behind the model's maximum: they are not read.
    """

    text: str
    words: tuple[str, ...]
    unknown: tuple[str, ...]
    vectors: NDArray[np.float32]
    left_out: tuple[str, ...] = ()

    @property
    def shortened(self) -> str:
        """One line about the words that are not read, and what to do; empty if all are."""
        if not self.left_out:
            return ""
        rest = " ".join(self.left_out)
        return (
            f"only the first {len(self.words)} words are read, not {rest[:SHOWN_CHARS]!r}; "
            "say it in fewer words"
        )

    @property
    def is_known(self) -> bool:
        """Whether at least one word has a vector; if not, the only answer is NOT_FOUND."""
        return len(self.unknown) < len(self.words)


@dataclass(frozen=True)
class Evidence:
    """What one part of a sentence speaks for an actor.

    Attributes:
        part: who, looks, where, does or beside.
        words: The part's words as they were said; empty if no noun was said.
        log_odds: Natural log-odds: positive for the actor, negative against it.
    """

    part: str
    words: tuple[str, ...]
    log_odds: float

    def as_json(self) -> dict[str, str | float]:
        """For files and the page: the words as one text, log-odds to two places."""
        words = " ".join(self.words)
        return {"part": self.part, "words": words, "log_odds": round(self.log_odds, 2)}


@dataclass(frozen=True, eq=False)
class Actor:
    """One actor that a sentence refers to.

    Attributes:
        track_id: The same for the same actor as long as it is followed, from 1 on.
        confidence: Probability [0, 1] that it is what the sentence says.
        box: x, y of the upper left corner, width, height [px of the camera image].
        evidence: Of each part of the sentence.
        render: Makes its mask, see there.
    """

    track_id: int
    confidence: float
    box: tuple[float, float, float, float]
    evidence: tuple[Evidence, ...]
    render: Callable[[], NDArray[np.uint8]] = field(repr=False)

    def mask(self) -> NDArray[np.uint8]:
        """(H, W) uint8 at camera resolution, 255 = this actor; made anew at each call."""
        return self.render()


@dataclass(frozen=True, eq=False)
class MaskResult:
    """The answer to one sentence about one frame.

    Attributes:
        mask: (H, W) uint8 at camera resolution, 255 = referred actor, 0 = the rest; all zero
            when not found.
        found: Whether the described actor is there.
        confidence: Calibrated probability [0, 1] that the described actor is there.
        stamp_ns: Capture time [ns] of the frame that the mask belongs to.
        frame_id: Coordinate frame of that frame.
        window_start_ns: Capture time [ns] of the oldest frame used.
        window_end_ns: Capture time [ns] of the newest frame used.
        warped: Whether the mask was moved along the flow to a newer frame.
        computed_stamp_ns: Capture time [ns] of the frame for which the network answered; earlier
            than `stamp_ns` if the mask was moved from there, else the same.
        actors: Each actor that is meant, best first, also where it is not believed (`found`);
            empty for networks that know pixels only.
        unused: Words that are known but played no part in the answer.
        unknown: Words that nobody knows.
    """

    mask: NDArray[np.uint8]
    found: bool
    confidence: float
    stamp_ns: int = 0
    frame_id: str = ""
    window_start_ns: int = 0
    window_end_ns: int = 0
    warped: bool = False
    computed_stamp_ns: int = 0
    actors: tuple[Actor, ...] = ()
    unused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def moved_ns(self) -> int:
        """How far in time [ns] the mask was moved along the flow; 0 if it was not."""
        return self.stamp_ns - self.computed_stamp_ns
