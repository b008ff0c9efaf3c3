import threading

import numpy as np
import pytest

from actseg_core.objects.motion import MotionEstimator
from actseg_core.objects.perception import Perception, SeenFrame, SeenObjects
from actseg_core.objects.tracking import SceneTracker
from test.support.patience import PATIENCE_S

CONTENT = (slice(0, 96), slice(0, 96))


def picture(shift: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
    return np.roll(noise, shift, axis=1)


class Empty:
    """A runner that sees nothing, and calls `looked` meanwhile."""

    def __init__(self, looked: object = None) -> None:
        self.looked = looked

    def see(self, image: np.ndarray) -> SeenFrame:
        if callable(self.looked):
            self.looked()
        none = np.zeros((0,), np.float32)
        return SeenFrame(None, np.zeros((0, 4), np.float32), none, np.zeros((0, 80), np.float32))

    def look(self, frame: SeenFrame, boxes: np.ndarray) -> SeenObjects:
        raise AssertionError("there is no box")


def test_flow_is_estimated_while_the_networks_run(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2, timeout=PATIENCE_S)

    def estimate(*_: object) -> None:
        together.wait()

    monkeypatch.setattr(MotionEstimator, "estimate", estimate)
    tracker = SceneTracker(Perception(Empty(looked=together.wait)))

    tracker.push(picture(0), CONTENT, 0.1)  # each waits for the other

    assert tracker.seen().scene is None


def test_a_network_that_fails_is_told_and_the_next_frame_has_its_flow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise RuntimeError("out of memory")

    runner = Empty(looked=fail)
    tracker = SceneTracker(Perception(runner))
    found: list[object] = []
    estimate = MotionEstimator.estimate
    monkeypatch.setattr(
        MotionEstimator, "estimate", lambda *given: found.append(estimate(*given)) or found[-1]
    )

    with pytest.raises(RuntimeError, match="out of memory"):
        tracker.push(picture(0), CONTENT, 0.1)
    assert found == [None], "flow has ended, too: nothing goes on behind the caller's back"
    runner.looked = None
    tracker.push(picture(2), CONTENT, 0.1)

    assert found[1] is not None and found[1].seconds == 0.1


def test_flow_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no flow")

    monkeypatch.setattr(MotionEstimator, "estimate", fail)
    with pytest.raises(ValueError, match="no flow"):
        SceneTracker(Perception(Empty())).push(picture(0), CONTENT, 0.1)
