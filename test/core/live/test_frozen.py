"""A camera that repeats one picture: counted, told as a warning, forgotten when it moves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.live.frozen import FrozenWatch
from actseg_core.live.states import State

Start = Callable[..., Any]
Eventually = Callable[..., None]
HERE = Path(__file__).parent
WARN = 1


def picture(value: int = 0, height: int = 64) -> np.ndarray:
    return np.full((height, 32, 3), value, np.uint8)


def test_equal_pictures_are_counted_from_the_first_and_told_from_the_limit_on() -> None:
    watch = FrozenWatch(3)
    assert watch.repeats == 0
    told = []
    for value in (5, 5, 5, 5, 6, 6):
        watch.look(picture(value))
        told.append((watch.repeats, bool(watch.hint())))
    assert told == [(1, False), (2, False), (3, True), (4, True), (1, False), (2, False)]


def test_the_hint_says_how_often_and_what_to_do() -> None:
    watch = FrozenWatch(2)
    watch.look(picture())
    watch.look(picture())
    assert "same picture 2 times in a row" in watch.hint()
    assert "restart it" in watch.hint()


@given(st.integers(0, 63), st.integers(0, 31), st.integers(0, 2), st.booleans())
def test_one_other_pixel_anywhere_is_another_picture(
    row: int, column: int, channel: int, is_reversed: bool
) -> None:
    watch = FrozenWatch(2)
    changed = picture()
    changed[row, column, channel] = 1
    for image in (picture(), changed, changed.copy()):
        watch.look(image[..., ::-1] if is_reversed else image)
    assert watch.repeats == 2


def test_another_size_is_another_picture() -> None:
    watch = FrozenWatch(2)
    watch.look(picture(height=64))
    watch.look(picture(height=48))
    assert watch.repeats == 1


def test_the_limit_zero_looks_at_nothing_and_changes_at_once() -> None:
    watch = FrozenWatch(0)
    for _ in range(3):
        watch.look(picture())
    assert (watch.repeats, watch.hint()) == (0, "")
    watch.limit = 2
    for _ in range(2):
        watch.look(picture())
    assert watch.hint()
    watch.limit = 0
    assert watch.hint() == ""


@pytest.mark.slow
def test_a_frozen_camera_is_named_while_masks_go_on_and_forgotten_when_it_moves(
    start: Start, checkpoint: Path, eventually: Eventually
) -> None:
    node = start(
        *("-m", "actseg_ros.segmentation_node", "--ros-args", "-p", f"checkpoint:={checkpoint}"),
        *("-p", "sentence:=the red square", "-p", "frozen_frames:=8"),
        *("-p", "stream.stale_after_s:=30.0", "-p", "stream.max_gap_s:=30.0"),
        *("-p", "stream.max_age_s:=30.0", "-r", "~/image:=/camera/image_raw"),
    )
    client = start(str(HERE / "chain_client.py"))
    camera = start(str(HERE / "hostile_camera.py"))

    def newest(kind: str) -> dict[str, Any]:
        events = client.events(kind)
        return dict(events[-1]) if events else {"state": -1, "level": -1, "message": ""}

    def is_frozen() -> bool:
        return "the camera has sent the same picture" in newest("diagnostics")["message"]

    eventually(is_frozen, 90.0, node.text)
    assert newest("diagnostics")["level"] == WARN
    eventually(lambda: newest("status")["state"] == State.FOUND, 30.0)
    camera.send("alive")
    eventually(lambda: newest("diagnostics")["level"] == 0 and not is_frozen(), 30.0)
    assert int(newest("diagnostics")["values"]["same picture in a row"]) < 8
    camera.send("frozen")
    eventually(is_frozen, 30.0)
    assert int(newest("diagnostics")["values"]["same picture in a row"]) >= 8
    assert node.stop() == 0
