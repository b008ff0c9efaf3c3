"""Recordings through the real node: the same masks twice, starting over, and giving up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENT_NODE
from recordings import CLIENT, FRAMES, S, camera, picture, recording, stamps
from std_msgs.msg import Header

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.live.states import State
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import Predictor
from actseg_core.video import read_video
from actseg_ros.players.bag_camera import Progress

__all__ = ["recording"]  # a fixture of test/support
Start = Callable[..., Any]
Eventually = Callable[..., None]
REPLAYS = 6
PADDED = slice(8, 56)  # where 48 rows lie in 64
ANSWERED = [100 * S + number * S // 10 for number in range(3, FRAMES)]  # the window is of four


@pytest.fixture(scope="module")
def choosy(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small network with a threshold that half of the pixels of the first window pass."""
    predictor = Predictor.load(str(checkpoint))
    size, frames = predictor.config.size, predictor.config.frames
    clip = np.zeros((frames, size, size, 3), np.uint8)
    for index in range(frames):
        clip[index, PADDED] = picture(index)
    sentence = predictor.read("the red square")
    response = predictor.respond(predictor.encode(clip, None), [sentence])[sentence]
    threshold = float(np.median(response.map[PADDED]))
    model = build_model(predictor.config.model_copy(update={"threshold": threshold}))
    model.load_state_dict(predictor.model.state_dict())
    path = tmp_path_factory.mktemp("model") / "choosy.safetensors"
    save_checkpoint(path, model)
    return path


def node(checkpoint: Path, *more: str) -> list[str]:
    return [
        *(*PATIENT_NODE, "-p", f"checkpoint:={checkpoint}", "-p", "sentence:=the red square"),
        *("-r", "~/image:=/bag_camera/image_raw", *more),
    ]


# Slow: two starts of the real node, and minutes on a loaded machine.
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_recording_replayed_twice_gives_the_same_masks(
    start: Start, eventually: Eventually, recording: Path, choosy: Path
) -> None:
    one, other = (
        whole_replay(start, eventually, recording, choosy, first) for first in ("node", "player")
    )
    assert sorted(one) == ANSWERED
    assert one == other
    assert len(set(one.values())) > 1, "masks that never change show nothing"


def whole_replay(start: Start, *arguments: Any) -> dict[int, str]:
    """Every answer, of as many replays as it takes: the result topic keeps one message, so a
    client that is held up may miss one that the node has published."""
    found: dict[int, str] = {}
    for _ in range(REPLAYS):
        for stamp_ns, digest in replay(start, *arguments).items():
            assert found.setdefault(stamp_ns, digest) == digest
        if sorted(found) == ANSWERED:
            break
    return found


def replay(
    start: Start, eventually: Eventually, recording: Path, checkpoint: Path, first: str
) -> dict[int, str]:
    """Checksum of each answer of a node of its own, by stamp; it or the player starts first."""
    client = start(str(CLIENT))
    commands = {
        "node": node(checkpoint, "-p", "use_sim_time:=true"),
        "player": [
            *camera(recording, stamps="recorded", clock="true", lossless="true"),
            *("-p", "answer_timeout_s:=300.0", "-r", "~/status:=/actseg/status"),
        ],
    }
    begun = {first: start(*commands.pop(first))}
    if first == "node":
        eventually(lambda: client.events("status"), begun[first].text)
    # Else the player sees a subscriber, the client, before the node is there.
    begun |= {name: start(*command) for name, command in commands.items()}
    actor, player = begun["node"], begun["player"]
    assert player.wait() == 0, player.text + actor.text
    eventually(lambda: 100 * S + (FRAMES - 1) * S // 10 in answers(client), client.text[-2000:])
    eventually(lambda: client.events("status")[-1]["processed"] == FRAMES, "every frame is taken")
    assert actor.stop() == 0
    client.kill()
    return answers(client)


def answers(client: Any) -> dict[int, str]:
    return {
        event["stamp_ns"]: event["digest"]
        for event in client.events("result")
        if event["stamp_ns"]
    }


# Slow: a start of the real node.
@pytest.mark.slow
def test_overlay_and_recorder_go_on_where_the_recording_starts_over(
    start: Start, eventually: Eventually, recording: Path, checkpoint: Path, tmp_path: Path
) -> None:
    client = start(str(CLIENT))
    simulated = ("-p", "use_sim_time:=true")
    actor = start(*node(checkpoint, *simulated))
    recorder = start(
        *("-m", "actseg_ros.players.recorder", "--ros-args", "-p", f"folder:={tmp_path}"),
        *("-r", "~/image:=/actseg/overlay", *simulated),
    )
    # The recorder takes up a round of which it gets five frames: every frame is waited for,
    # however slow the node is, and a fifth of a second lies between two.
    player = start(
        *camera(recording, stamps="recorded", clock="true", loop="true", lossless="true"),
        *("-p", "rate:=0.5", "-p", "answer_timeout_s:=300.0", "-r", "~/status:=/actseg/status"),
    )

    def rounds() -> int:
        seen = stamps(client, "overlay")
        return sum(after < before for before, after in zip(seen[:-1], seen[1:], strict=True))

    eventually(lambda: rounds() >= 3, f"{actor.text}\n{player.text}")
    # The recorder may get other frames than the client: its own pictures, one per second of video.
    eventually(lambda: (tmp_path / "overlay_00003.png").exists(), recorder.text)
    assert recorder.stop() == 0
    *_, last = read_video(tmp_path / "overlay.mp4")
    assert last.time_s > 1.2, "one round lasts 1.1 s"


def test_a_lossless_replay_without_a_node_gives_up(start: Start, recording: Path) -> None:
    start(str(CLIENT))  # subscribes, but never says that it has taken an image in
    player = start(*camera(recording, lossless="true", answer_timeout_s=1.0))
    assert player.wait() == 2
    assert "no word about image 0 within 1 s; is the segmentation node active" in player.text


class Status:
    """As much of a SegmentationStatus as is counted."""

    def __init__(self, state: State, processed: int, dropped: int = 0, rejected: int = 0) -> None:
        self.state = type("Value", (), {"value": int(state)})
        self.header = Header()
        self.header.stamp.sec = 100
        self.frames_processed = processed
        self.frames_dropped, self.frames_rejected = dropped, rejected


def test_progress_counts_all_that_is_done_with_while_the_node_is_active() -> None:
    progress = Progress()
    progress.on_status(Status(State.INACTIVE, 9))
    assert not progress.reached(0, 0.0)
    progress.on_status(Status(State.WARMING_UP, 3, 1, 2))
    assert progress.reached(6, 0.0) and not progress.reached(7, 0.0)
    assert progress.done == 6
    assert progress.is_at(100 * S + S // 20, 0.0)
    assert not progress.is_at(101 * S, 0.0)


def gives_up(start: Start, actor: Any, reason: str, recording: Path, **values: Any) -> bool:
    """Whether a lossless player ends for this reason; one that hears the node late has another."""
    for _ in range(10):
        player = start(
            *camera(recording, lossless="true", answer_timeout_s=15.0, **values),
            *("-r", "~/status:=/actseg/status"),
        )
        assert player.wait() == 2, actor.text
        if reason in player.text:
            return True
    return False


@pytest.mark.slow
def test_a_lossless_replay_to_a_node_that_may_lose_images_gives_up(
    start: Start, eventually: Eventually, recording: Path, checkpoint: Path
) -> None:
    actor = start(*node(checkpoint, "-p", "image_reliability:=best_effort"))
    eventually(lambda: "loaded on cpu" in actor.text, actor.text)
    reason = "does not subscribe reliably to /bag_camera/image_raw, as a lossless"
    assert gives_up(start, actor, reason, recording)


@pytest.mark.slow
def test_a_lossless_replay_with_a_clock_that_is_not_followed_gives_up(
    start: Start, eventually: Eventually, recording: Path, choosy: Path
) -> None:
    actor = start(*node(choosy))
    eventually(lambda: "loaded on cpu" in actor.text, actor.text)
    reason = "does not follow /clock; start it with use_sim_time:=true"
    assert gives_up(start, actor, reason, recording, stamps="recorded", clock="true")
