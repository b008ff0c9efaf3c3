"""A camera that repeats one picture: told as a warning, forgotten when it moves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actseg_core.live.states import State

Start = Callable[..., Any]
Eventually = Callable[..., None]
HERE = Path(__file__).parent
WARN = 1


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

    eventually(is_frozen, node.text)
    assert newest("diagnostics")["level"] == WARN
    eventually(lambda: newest("status")["state"] == State.FOUND)
    camera.send("alive")
    eventually(lambda: newest("diagnostics")["level"] == 0 and not is_frozen())
    assert int(newest("diagnostics")["values"]["same picture in a row"]) < 8
    camera.send("frozen")
    eventually(is_frozen)
    assert int(newest("diagnostics")["values"]["same picture in a row"]) >= 8
    assert node.stop() == 0
