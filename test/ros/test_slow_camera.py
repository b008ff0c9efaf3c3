"""A camera at 1 Hz through the real node with its default limits: served, not lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Start = Callable[..., Any]
Eventually = Callable[..., None]
HERE = Path(__file__).parent


def test_a_camera_at_one_hertz_is_answered_with_the_default_limits(
    start: Start, checkpoint: Path, eventually: Eventually
) -> None:
    node = start(
        *("-m", "actseg_ros.segmentation_node", "--ros-args", "-p", f"checkpoint:={checkpoint}"),
        *("-p", "sentence:=the red square", "-p", "stream.max_age_s:=30.0"),
        *("-r", "~/image:=/camera/image_raw"),
    )
    client = start(str(HERE / "chain_client.py"))
    start(str(HERE / "hostile_camera.py"), "slow").send("alive")

    def answers() -> list[int]:
        return [event["stamp_ns"] for event in client.events("result") if event["stamp_ns"]]

    eventually(lambda: len(answers()) >= 3, node.text)

    def told() -> bool:
        """Diagnostics come once a second, and on their own way."""
        values = client.events("diagnostics")[-1]["values"]
        missed_s = float(values.get("camera missed after [s]", 0.0))
        return missed_s > 2.0 and "s apart" in values["window"]

    eventually(told)
    assert node.stop() == 0
