"""A camera that repeats one picture: told as a warning, forgotten when it moves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENT_NODE

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
        *(*PATIENT_NODE, "-p", f"checkpoint:={checkpoint}", "-r", "~/image:=/camera/image_raw"),
        *("-p", "sentence:=the red square", "-p", "frozen_frames:=8"),
    )
    client = start(str(HERE / "chain_client.py"))
    camera = start(str(HERE / "hostile_camera.py"))

    def newest(kind: str) -> dict[str, Any]:
        events = client.events(kind)
        return dict(events[-1]) if events else {"state": -1, "level": -1, "message": ""}

    def told(is_frozen: bool) -> bool:
        """Level, words and count of one message."""
        last = newest("diagnostics")
        if not last["message"]:
            return False
        level = WARN if is_frozen else 0
        count = int(last["values"]["same picture in a row"])
        said = "the camera has sent the same picture" in last["message"]
        return last["level"] == level and said == (count >= 8) == is_frozen

    eventually(lambda: told(True), node.text)
    eventually(lambda: newest("status")["state"] == State.FOUND)
    camera.send("alive")
    eventually(lambda: told(False))
    camera.send("frozen")
    eventually(lambda: told(True))
    assert node.stop() == 0
