"""`actseg doctor`."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from actseg_core.cli import doctor
from actseg_core.cli.main import main

REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements"


def named(file: str) -> set[str]:
    lines = (REQUIREMENTS / file).read_text(encoding="utf-8").splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines]
    return {Requirement(line).name for line in wanted if line and not line.startswith("-r")}


def test_it_fails_without_what_the_slim_requirements_name_and_only_without_that() -> None:
    # rosbags-image stands in for cv_bridge; the ROS part says which of them converts.
    assert named("slim.txt") - {"rosbags-image"} == set(doctor.NEEDED.values())


def test_what_only_other_models_need_may_be_missing() -> None:
    assert named("runtime.txt") <= {name for name, _ in doctor.OPTIONAL.values()}


def test_a_package_that_is_missing_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    found = {what: (level, text) for level, what, text in doctor.packages()}
    assert found["av"] == (
        "fail",
        "av is not installed: pip install -r requirements/runtime.txt",
    )


def test_a_package_that_breaks_when_it_is_loaded_says_how(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "av.py").write_text("raise RuntimeError('built for NumPy 1')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "av", raising=False)
    found = {what: (level, text) for level, what, text in doctor.packages()}
    assert found["av"] == ("fail", "does not load: RuntimeError: built for NumPy 1")


def test_without_ros_the_command_line_is_still_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = doctor.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "rclpy" else real(name))
    assert main(["doctor"]) == 0
    told = re.sub(r" +", " ", capsys.readouterr().out)
    assert "hint ROS rclpy is not found: source /opt/ros/DISTRIBUTION/setup.bash" in told
    assert "ok model lite loads" in told
    assert told.endswith("Nothing to mend.\n")


def test_without_ros_a_camera_cannot_be_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    ((level, what, _),) = doctor.ros("/camera/image_raw", 1.0)
    assert (level, what) == ("fail", "ROS")


def test_a_package_that_ros_lacks_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "ROS_PART", "rpyutils_of_another_python")
    monkeypatch.setattr(doctor, "find_spec", lambda name: name)
    assert list(doctor.ros("", 1.0)) == [
        ("fail", "ROS", f"rpyutils_of_another_python is not found: {doctor.GET_ROS}")
    ]


def test_what_ros_fails_at_is_told_after_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def findings(image: str, wait_s: float) -> Iterator[doctor.Finding]:
        yield "ok", "messages", "load"
        raise RuntimeError("Failed to get logging directory: no home\nat logging_dir.c")

    part = ModuleType("part")
    part.findings = findings
    monkeypatch.setitem(sys.modules, doctor.ROS_PART, part)
    monkeypatch.setattr(doctor, "find_spec", lambda name: name)
    assert list(doctor.ros("", 1.0)) == [
        ("ok", "messages", "load"),
        (
            "fail",
            "ROS",
            "RuntimeError: Failed to get logging directory: no home; this user has no home "
            "folder: export ROS_LOG_DIR=/tmp or HOME",
        ),
    ]


def test_brackets_of_a_message_are_printed_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = ModuleType("part")
    part.findings = lambda image, wait_s: iter([("fail", "camera", "[red] x[/nothing]")])
    real = doctor.find_spec
    monkeypatch.setitem(sys.modules, doctor.ROS_PART, part)
    monkeypatch.setattr(doctor, "find_spec", lambda name: name == "rclpy" or real(name))
    monkeypatch.setattr(doctor, "model", lambda: iter(()))
    assert main(["doctor", "--image", "/x"]) == 1
    told = capsys.readouterr().out
    assert "[red] x[/nothing]" in told
    assert told.endswith("To mend: camera\n")
