"""Several cameras in one process: each has its own sentences, masks, stamps and state."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENT_NODE

from actseg_core.errors import ConfigError
from actseg_core.live.states import State
from actseg_core.video import VideoWriter
from actseg_ros.camera_node import check_cameras, names_of

Start = Callable[..., Any]
CLIENT = Path(__file__).with_name("namespace_client.py")
NODE = ("-m", "actseg_ros.segmentation_node", "--ros-args")
STALE_S = 5.0
SENTENCES = {"front": "the red square", "rear": "the second square"}
SIZES = {"front": [64, 48], "rear": [48, 32]}


@pytest.fixture
def videos(video: Path, tmp_path: Path) -> dict[str, Path]:
    """Of different sizes, so that a mask shows whose it is."""
    path = tmp_path / "rear.mp4"
    with VideoWriter(path, 25.0) as writer:
        for index in range(40):
            image = np.full((32, 48, 3), 90, np.uint8)
            image[8:16, index : index + 8] = (40, 200, 40)
            writer.write(image)
    return {"front": video, "rear": path}


def start_node(start: Start, checkpoint: Path) -> Any:
    own = [f"-p{name}.sentence:={text}" for name, text in SENTENCES.items()]
    own += [f"-p{name}.image:=/{name}/camera/image_raw" for name in SENTENCES]
    return start(
        *(*PATIENT_NODE, "-p", "cameras:=[front,rear]", "-p", f"checkpoint:={checkpoint}"),
        *("-p", f"stream.stale_after_s:={STALE_S}"),
        *(item for word in own for item in ("-p", word[2:])),
    )


def start_camera(start: Start, name: str, source: Path) -> Any:
    return start(
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-r", f"__ns:=/{name}"),
        *("-r", "~/image_raw:=camera/image_raw", "-p", f"source:={source}"),
        *("-p", "rate_hz:=8.0", "-p", f"frame_id:={name}_optical", "-p", "depth:=100"),
    )


def of(client: Any, kind: str, name: str) -> list[dict[str, Any]]:
    return [event for event in client.events(kind) if event["robot"] == name]


def test_each_camera_gets_masks_of_its_own_sentence_size_and_stamps(
    start: Start, eventually: Callable[..., None], videos: dict[str, Path], checkpoint: Path
) -> None:
    client = start(str(CLIENT), "--one-node", *SENTENCES)
    node = start_node(start, checkpoint)
    for name, source in videos.items():
        start_camera(start, name, source)
    for name in SENTENCES:
        eventually(lambda name=name: len(of(client, "result", name)) >= 8, name)
        eventually(lambda name=name: known(client, name), name)
    for name, sentence in SENTENCES.items():
        for event in of(client, "result", name):
            assert event["frame_id"] == f"{name}_optical"
            assert event["sentences"] == [sentence]
            assert event["sizes"] == [SIZES[name]]
            assert event["state"] == State.FOUND
        assert known(client, name) <= stamps(client, "image", name)
    assert not stamps(client, "image", "front") & stamps(client, "image", "rear")
    assert node.stop() == 0


def stamps(client: Any, kind: str, name: str) -> set[int]:
    return {event["stamp_ns"] for event in of(client, kind, name)}


def known(client: Any, name: str) -> set[int]:
    """Of the answers, between the first and the last image that the client has heard: it hears
    images and answers each in their order, and one of them sooner than the other."""
    answers, images = stamps(client, "result", name), stamps(client, "image", name)
    return {stamp for stamp in answers if images and min(images) <= stamp <= max(images)}


def test_a_camera_that_dies_is_stale_and_the_other_goes_on(
    start: Start, eventually: Callable[..., None], videos: dict[str, Path], checkpoint: Path
) -> None:
    client = start(str(CLIENT), "--one-node", *SENTENCES)
    node = start_node(start, checkpoint)
    cameras = {name: start_camera(start, name, source) for name, source in videos.items()}
    for name in SENTENCES:
        eventually(lambda name=name: of(client, "result", name), name)

    def newest(name: str) -> dict[str, Any]:
        return of(client, "state", name)[-1]

    cameras["rear"].kill()
    eventually(lambda: newest("rear")["state"] == State.STALE_INPUT)

    def ten_more_of_the_front() -> None:
        answered = len(of(client, "result", "front"))
        eventually(lambda: len(of(client, "result", "front")) >= answered + 10)

    ten_more_of_the_front()  # what was on its way from the rear has come, too
    told = len(of(client, "result", "rear"))
    ten_more_of_the_front()
    assert newest("rear")["state"] == State.STALE_INPUT
    assert "/rear/camera/image_raw" in newest("rear")["detail"]
    assert len(of(client, "result", "rear")) == told

    start_camera(start, "rear", videos["rear"])
    eventually(lambda: len(of(client, "result", "rear")) > told)
    assert node.stop() == 0


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ((), "the list is empty; name at least one camera"),
        (("front", "rear", "front"), "'front' is named twice in ['front', 'rear', 'front']"),
        (("front", ""), "'' is no name for topics"),
        (("2nd",), "'2nd' is no name for topics"),
        (("front left",), "'front left' is no name for topics"),
        (("front/left",), "'front/left' is no name for topics"),
        (("front__left",), "'front__left' is no name for topics"),
        (("f" * 65,), "has 65 characters, 64 are allowed"),
        (("mask",), "'mask' is a topic, service or parameter of this node already"),
        (("find",), "take another name, such as find_camera"),
        (("stream",), "'stream' is a topic, service or parameter of this node already"),
        (("sentence",), "'sentence' is a topic, service or parameter of this node already"),
    ],
)
def test_names_that_cannot_be_used_are_refused(names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_cameras(names)
    assert str(refused.value).startswith("parameter cameras: ")
    assert reason in str(refused.value)


def test_one_camera_without_a_name_and_several_with_names_are_fine() -> None:
    check_cameras(("",))
    check_cameras(("front", "rear_left", "Cam2"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("[]", "parameter cameras: the list is empty"),
        ("[front, front]", "parameter cameras: 'front' is named twice"),
        ("front", "parameter cameras must be a list of strings, got 'front' of type str"),
        ("[1, 2]", "parameter cameras must be a list of strings, got [1, 2] of type list"),
    ],
)
def test_a_node_with_a_wrong_list_ends_with_one_line_and_code_2(
    start: Start, value: str, reason: str
) -> None:
    node = start(*NODE, "-p", f"cameras:={value}")
    assert node.wait() == 2, node.text
    (line,) = node.lines
    assert line.startswith(f"actseg: {reason}")


def test_a_remapping_for_one_of_several_cameras_bears_its_name() -> None:
    names = names_of(("front", "rear"))
    assert {"~/front/image", "~/rear/find/_action/send_goal", "/diagnostics"} <= set(names)
    assert "~/image" not in names
    assert len(names) == len(set(names))
