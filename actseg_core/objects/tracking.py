"""One camera's objects over time: frames in, scenes out."""

from collections.abc import Callable, Hashable
from concurrent.futures import wait
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from actseg_core.objects.answers import AnswerMemory
from actseg_core.objects.evidence import Scene, make_scene
from actseg_core.objects.motion import MotionEstimator
from actseg_core.objects.perception import Perception
from actseg_core.objects.scene import Objects
from actseg_core.objects.tracks import Tracker


@dataclass(frozen=True, eq=False)
class Seen:
    """What a camera shows at one moment.

    Attributes:
        scene: Its objects; None if there are none.
        memory: What a sentence meant before, in the same stream; new for a new sentence.
    """

    scene: Scene | None
    memory: Callable[[Hashable], AnswerMemory]


class SceneTracker:
    """Keeps the tracks of one camera and what each sentence meant in the frame before.

    Args:
        perception: Finds the objects of a frame; may be shared.
    """

    def __init__(self, perception: Perception) -> None:
        self._perception = perception
        self._tracker = Tracker()
        self._motion = MotionEstimator()
        self._before: tuple[NDArray[np.uint8], Objects] | None = None
        self._memories: WeakKeyDictionary[Hashable, AnswerMemory] = WeakKeyDictionary()
        self._scene: Scene | None = None

    def push(self, image: NDArray[np.uint8], content: tuple[slice, slice], seconds: float) -> None:
        """Take in the next frame; `seen` then tells what it shows.

        Args:
            image: (S, S, 3) uint8 RGB, resized and padded.
            content: Rows and columns of it that hold the picture.
            seconds: Time since the frame before.
        """
        moving = self._perception.beside.submit(self._motion.estimate, image, content, seconds)
        try:
            objects = self._objects(image, content)
        finally:
            wait([moving])
        tracks = self._tracker.update(objects, moving.result())
        self._scene = make_scene(tracks, content) if tracks else None

    def _objects(self, image: NDArray[np.uint8], content: tuple[slice, slice]) -> Objects:
        """The frame's objects; a picture that stands still is looked at once."""
        before = self._before
        if before is not None and np.array_equal(before[0], image):
            return before[1]
        objects = self._perception.objects(image, content)
        self._before = image, objects
        return objects

    def seen(self) -> Seen:
        """The scene after the frames so far; later ones do not change it."""
        memories = self._memories
        return Seen(self._scene, lambda sentence: memories.setdefault(sentence, AnswerMemory()))

    def clear(self) -> None:
        """Begin anew; ids of tracks go on counting."""
        self._tracker.forget()
        self._motion.forget()
        self._before = self._scene = None
        self._memories = WeakKeyDictionary()
