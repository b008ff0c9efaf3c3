"""What the generator returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.looks import Look
from actseg_core.labels import Pair


@dataclass(frozen=True)
class ActorRecord:
    """One actor of a clip and all that is true about it.

    Attributes:
        instance_id: Its value in the instance map, from 1.
        pair: Actor and action.
        look: Kind, colours, pattern.
        colours: Every colour word that a person may rightly use for it.
        size: Size on screen [px]: body height of people, length of the rest.
        size_words: "small" or "big" if it stands out among its kind in this clip or everywhere.
        side_words: Of left, right, middle: where it is throughout the clip.
        size_share: Where its size lies in its kind's range, 0 smallest to 1 largest.
        x_range: Least and greatest x of its middle as shares of the frame width, over the
            frames in which it is in view.
        heading: left, right or camera if it moves that way all the time, else "".
        posture: Body pose: stand, crawl, climb, roll, eat, air; unknown of photographed actors.
        airborne: Whether it is in the air rather than on the ground.
        visible_frames: Frames in which at least 12 of its pixels are seen.
        sentences: Sentences that are true of this actor and of no other actor in the clip.
    """

    instance_id: int
    pair: Pair
    look: Look
    colours: tuple[str, ...]
    size: float
    size_words: tuple[str, ...]
    side_words: tuple[str, ...]
    size_share: float
    x_range: tuple[float, float]
    heading: str
    posture: str
    airborne: bool
    visible_frames: tuple[int, ...]
    sentences: tuple[str, ...] = ()

    @property
    def colour(self) -> str:
        """Word for the main colour."""
        return self.look.colour

    @property
    def attributes(self) -> tuple[str, ...]:
        """All words that describe its appearance: kind, colours, pattern, size."""
        pattern = () if self.look.pattern == "plain" else (self.look.pattern,)
        return (self.look.kind, *self.colours, *pattern, *self.size_words)


@dataclass(frozen=True)
class Distractor:
    """A sentence that is true of no actor in the clip.

    Attributes:
        text: The sentence.
        kind: absent_actor, other_action (right actor, wrong action) or other_actor (right
            action, wrong actor).
    """

    text: str
    kind: str


@dataclass(frozen=True, eq=False)
class GeneratedClip:
    """A rendered clip with its whole truth.

    Attributes:
        frames: (T, H, W, 3) uint8, RGB.
        instances: (T, H, W) uint8, instance id of the visible actor, 0 = background.
        flow: (T-1, H, W, 2) float32 true flow [px] in x and y: where the surface seen in frame t
            goes in frame t+1, whether or not it is hidden there.
        actors: The actors, instance ids 1 to N in order.
        distractor_sentences: Sentences that are false of everyone in the clip.
        background: Kind of background.
        seed: What it was made from.
    """

    frames: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    flow: NDArray[np.float32]
    actors: tuple[ActorRecord, ...]
    distractor_sentences: tuple[Distractor, ...]
    background: str
    seed: int

    def __len__(self) -> int:
        return len(self.frames)

    def masks(self, instance_id: int) -> NDArray[np.bool_]:
        """(T, H, W) bool: where one actor is seen."""
        return np.asarray(self.instances == instance_id)

    def boxes(self, instance_id: int) -> NDArray[np.int32]:
        """(T, 4) int32 x1, y1, x2, y2 [px], the last inclusive; -1 where it is not seen."""
        result = np.full((len(self), 4), -1, np.int32)
        for t, mask in enumerate(self.masks(instance_id)):
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            if len(rows):
                result[t] = columns[0], rows[0], columns[-1], rows[-1]
        return result
