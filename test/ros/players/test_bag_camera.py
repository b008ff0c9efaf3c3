"""Recordings through the real node: stamps, clock, pace, the end, and the same masks twice."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.parameter import Parameter
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore
from std_msgs.msg import Header

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.errors import ActSegError
from actseg_core.live.states import State
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import Predictor
from actseg_core.video import read_video
from actseg_ros.demo.generated_bag import BagFrame, Storage, write_bag
from actseg_ros.players.bag import CAMERA_INFO, IMAGE
from actseg_ros.players.bag_camera import ROUND_PAUSE_S, BagCamera, Progress

Start = Callable[..., Any]
Eventually = Callable[..., None]
CLIENT = Path(__file__).with_name("bag_client.py")
S = 10**9
FRAMES = 12
REPLAYS = 3


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red square that moves over noise, 10 frames per second from 100 s on, with depth."""
    path = tmp_path_factory.mktemp("bag") / "square"
    random = np.random.default_rng(0)

    def frame(number: int) -> BagFrame:
        image = random.integers(0, 90, (48, 64, 3), np.uint8)
        image[16:32, 3 * number : 3 * number + 16] = (200, 40, 40)
        return BagFrame(image, 100 * S + number * S // 10, np.full((48, 64), 2000, np.uint16))

    write_bag(path, [frame(number) for number in range(FRAMES)], Storage.SQLITE3)
    return path


@pytest.fixture(scope="module")
def choosy(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small network with a threshold that half of the pixels of a noisy clip pass."""
    predictor = Predictor.load(str(checkpoint))
    size, frames = predictor.config.size, predictor.config.frames
    noise = np.random.default_rng(1).integers(0, 255, (frames, size, size, 3), np.uint8)
    sentence = predictor.read("the red square")
    response = predictor.respond(predictor.encode(noise, None), [sentence])[sentence]
    threshold = float(np.median(response.map))
    model = build_model(predictor.config.model_copy(update={"threshold": threshold}))
    model.load_state_dict(predictor.model.state_dict())
    path = tmp_path_factory.mktemp("model") / "choosy.safetensors"
    save_checkpoint(path, model)
    return path


def camera(path: Path, **values: Any) -> list[str]:
    given = {"path": path, "image": "/camera/image_raw", **values}
    pairs = [item for name, value in given.items() for item in ("-p", f"{name}:={value}")]
    return ["-m", "actseg_ros.players.bag_camera", "--ros-args", *pairs]


def node(checkpoint: Path, *more: str) -> list[str]:
    return [
        *("-m", "actseg_ros.segmentation_node", "--ros-args", "-p", f"checkpoint:={checkpoint}"),
        *("-p", "sentence:=the red square", "-p", "stream.stale_after_s:=30.0"),
        *("-p", "stream.max_age_s:=30.0", "-r", "~/image:=/bag_camera/image_raw", *more),
    ]


def stamps(client: Any, kind: str) -> list[int]:
    return [event["stamp_ns"] for event in client.events(kind)]


def test_recorded_stamps_depth_and_camera_info_arrive_and_the_process_ends(
    start: Start, eventually: Eventually, recording: Path
) -> None:
    client = start(str(CLIENT))
    values = {"depth": "/camera/depth/image_raw", "camera_info": "/camera/camera_info"}
    player = start(
        *camera(recording, stamps="recorded", wait_for_subscribers=1, rate=2.0, **values)
    )
    assert player.wait() == 0
    wanted = [100 * S + number * S // 10 for number in range(FRAMES)]
    eventually(lambda: stamps(client, "image")[-1:] == wanted[-1:])
    assert stamps(client, "image") == wanted
    # These two are matched a moment later than the images, perhaps.
    for kind in ("depth", "camera_info"):
        eventually(lambda kind=kind: stamps(client, kind)[-1:] == wanted[-1:])
        assert set(stamps(client, kind)) <= set(wanted)
    assert f"{FRAMES} of them images, 0 left out" in player.text


def test_stamps_of_now_keep_their_distances(
    start: Start, eventually: Eventually, recording: Path
) -> None:
    client = start(str(CLIENT))
    player = start(*camera(recording, wait_for_subscribers=1, rate=2.0, start_s=0.2))
    assert player.wait() == 0
    eventually(lambda: len(stamps(client, "image")) == FRAMES - 2)
    gaps = np.diff(stamps(client, "image"))
    assert stamps(client, "image")[0] > 10**18
    # A stall of the machine moves the stamps on; most gaps are 100 ms at twice the rate.
    assert np.median(gaps) == 50_000_000
    assert (gaps >= 50_000_000).all()


def write_rows(path: Path, rows: list[tuple[str, int, int]]) -> Path:
    """A recording of (topic, stamp, time of recording) [ns]; depth and camera_info by name."""
    store = get_typestore(Stores.ROS2_KILTED)
    types = store.types
    kinds = {"info": CAMERA_INFO}
    with Writer(path, version=9) as writer:
        places = {
            topic: writer.add_connection(f"/{topic}", kinds.get(topic, IMAGE), typestore=store)
            for topic in dict.fromkeys(topic for topic, _, _ in rows)
        }
        for topic, stamp_ns, record_ns in rows:
            time = types["builtin_interfaces/msg/Time"](stamp_ns // S, stamp_ns % S)
            header = types["std_msgs/msg/Header"](time, "cam")
            if topic == "info":
                roi = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
                nine, twelve = np.zeros(9), np.zeros(12)
                message = types[CAMERA_INFO](
                    header, 8, 6, "plumb_bob", np.zeros(5), nine, nine, twelve, 0, 0, roi
                )
            else:
                pixels = np.zeros(8 * 6, np.uint8)
                message = types[IMAGE](header, 8, 6, "mono8", 0, 6, pixels)
            data = store.serialize_cdr(message, kinds.get(topic, IMAGE))
            writer.write(places[topic], record_ns, data)
    return path


WALL = 1_764_000_000 * S


@pytest.mark.parametrize(
    ("stamps_from", "records_from", "record_step"),
    [(12 * S, WALL, S // 10), (WALL, 12 * S, S // 10), (12 * S, WALL, S * 2 // 3)],
    ids=["simulated stamps", "simulated records", "slow simulation"],
)
def test_stamps_of_another_clock_than_that_of_recording_become_now_and_pairs_stay_pairs(
    start: Start,
    eventually: Eventually,
    tmp_path: Path,
    stamps_from: int,
    records_from: int,
    record_step: int,
) -> None:
    rows = [
        (topic, stamps_from + i * S // 10, records_from + i * record_step + place)
        for i in range(FRAMES)
        for place, topic in enumerate(("depth", "picture", "info"))
    ]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    more = {"depth": "/depth", "camera_info": "/info", "wait_for_subscribers": 1, "rate": 2.0}
    before_ns = time.time_ns()
    player = start(*camera(path, image="/picture", **more))
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == FRAMES)
    images = stamps(client, "image")
    assert before_ns < images[0] < time.time_ns()
    assert np.median(np.diff(images)) == S // 20
    for kind in ("depth", "camera_info"):
        eventually(lambda kind=kind: stamps(client, kind)[-1:] == images[-1:])
        assert set(stamps(client, kind)) <= set(images)
    assert "0 left out" in player.text


@pytest.mark.parametrize("kind", ["recorded", "now"])
def test_the_clock_is_that_of_the_stamps(
    start: Start, eventually: Eventually, tmp_path: Path, kind: str
) -> None:
    rows = [("picture", 12 * S + i * S // 10, WALL + i * S // 5) for i in range(FRAMES)]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    player = start(
        *camera(path, image="/picture", stamps=kind, clock="true", wait_for_subscribers=1)
    )
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == FRAMES)
    images, clocks = stamps(client, "image"), stamps(client, "clock")
    assert (images[0] == 12 * S) == (kind == "recorded")
    assert clocks == sorted(clocks)
    assert images[0] - S <= clocks[0] and clocks[-1] <= images[-1] + S // 100


def test_a_simulation_that_was_started_again_plays_on(
    start: Start, eventually: Eventually, tmp_path: Path
) -> None:
    seconds = [20.0, 20.1, 20.2, 1.0, 1.1, 1.2]
    rows = [("picture", round(s * S), WALL + i * S // 10) for i, s in enumerate(seconds)]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    player = start(*camera(path, image="/picture", wait_for_subscribers=1))
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == len(rows))
    assert stamps(client, "image") == sorted(stamps(client, "image"))
    assert "the images' stamps run back by 19.2 s; the recording goes on" in player.text


@pytest.mark.parametrize(("stamp", "what"), [(0, "are missing"), (7 * S, "stand still")])
def test_images_without_stamps_get_those_of_the_moment_of_recording(
    start: Start, eventually: Eventually, tmp_path: Path, stamp: int, what: str
) -> None:
    rows = [
        (topic, stamp, 12 * S + i * S // 10) for i in range(6) for topic in ("picture", "depth")
    ]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    player = start(*camera(path, image="/picture", depth="/depth", wait_for_subscribers=1))
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == 6)
    assert np.median(np.diff(stamps(client, "image"))) == S // 10
    assert set(stamps(client, "depth")) <= set(stamps(client, "image"))
    assert f"the images' stamps {what}; the moment of recording" in player.text


def test_depth_of_another_clock_is_told_and_delays_nothing(
    start: Start, eventually: Eventually, tmp_path: Path
) -> None:
    rows = [
        (topic, first + i * S // 10, WALL + i * S // 10)
        for i in range(FRAMES)
        for topic, first in (("picture", 12 * S), ("depth", WALL))
    ]
    path = write_rows(tmp_path / "bag", rows)
    client = start(str(CLIENT))
    player = start(*camera(path, image="/picture", depth="/depth", wait_for_subscribers=1))
    assert player.wait() == 0, player.text
    eventually(lambda: len(stamps(client, "image")) == FRAMES)
    assert np.median(np.diff(stamps(client, "image"))) == S // 10
    assert "the stamps of /depth are 1763999988.0 s from those of /picture" in player.text


def test_a_camera_info_that_was_sent_once_reaches_whoever_comes_later(
    start: Start, eventually: Eventually, tmp_path: Path
) -> None:
    rows = [("info", 0, WALL)]
    rows += [("picture", 12 * S + i * S // 10, WALL + S + i * S // 10) for i in range(FRAMES)]
    path = write_rows(tmp_path / "bag", rows)
    player = start(
        *camera(path, image="/picture", camera_info="/info", start_s=1.2, wait_for_subscribers=1)
    )
    eventually(lambda: "waiting for subscriber 1 of 1 to /bag_camera/image_raw" in player.text)
    client = start(str(CLIENT))
    assert player.wait() == 0, player.text
    eventually(lambda: stamps(client, "latched_info"))


# Slow: two starts of the real node, and minutes on a loaded machine.
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_recording_replayed_twice_gives_the_same_masks(
    start: Start, eventually: Eventually, recording: Path, choosy: Path
) -> None:
    one, other = (
        whole_replay(start, eventually, recording, choosy, first) for first in ("node", "player")
    )
    # The window of four frames is full with the fourth.
    assert list(one) == [100 * S + number * S // 10 for number in range(3, FRAMES)]
    assert one == other
    assert len(set(one.values())) > 1, "masks that never change show nothing"


def whole_replay(start: Start, *arguments: Any) -> dict[int, str]:
    """A replay of which the client has every answer: the result topic keeps one message, so a
    client that is held up may miss one that the node has published."""
    for _ in range(REPLAYS):
        found = replay(start, *arguments)
        if len(found) == FRAMES - 3:
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


def test_it_loops_until_it_is_stopped(
    start: Start, eventually: Eventually, recording: Path
) -> None:
    client = start(str(CLIENT))
    player = start(*camera(recording, loop="true", rate=20.0, clock="true", stamps="recorded"))
    eventually(lambda: len(stamps(client, "image")) > 3 * FRAMES)
    clocks = stamps(client, "clock")
    assert min(clocks) >= 100 * S and max(clocks) <= 102 * S
    assert min(np.diff(clocks)) < 0
    assert player.stop() == 0


class Sent:
    """A publisher that keeps when it was used."""

    def __init__(self, kind: str, sent: list[tuple[float, str, int]]) -> None:
        self.kind, self.sent, self.topic_name = kind, sent, "/somewhere"

    def publish(self, message: Any) -> None:
        clock_ns = message.clock.sec * S + message.clock.nanosec if self.kind == "clock" else 0
        self.sent.append((time.monotonic(), self.kind, clock_ns))

    def get_subscription_count(self) -> int:
        return 0

    def wait_for_all_acked(self, _timeout: Any) -> bool:
        return True


def test_between_two_rounds_images_and_the_clock_do_not_meet(
    domain: int, recording: Path, eventually: Eventually
) -> None:
    given = {"path": str(recording), "image": "/camera/image_raw", "loop": True, "clock": True}
    given |= {"stamps": "recorded", "rate": 20.0}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    player = BagCamera(context=context, parameter_overrides=overrides)
    sent: list[tuple[float, str, int]] = []
    player._outputs = {"/camera/image_raw": Sent("image", sent)}
    player._clock_output = Sent("clock", sent)
    try:
        player.start()
        eventually(lambda: sum(kind == "image" for _, kind, _ in sent) > 2 * FRAMES)
    finally:
        player.close()
        player.destroy_node()
        context.try_shutdown()
    back = next(
        index
        for index in range(1, len(sent))
        if sent[index][1] == "clock"
        and sent[index][2] < max(clock_ns for _, _, clock_ns in sent[:index])
    )
    before = max(at for at, kind, _ in sent[:back] if kind == "image")
    after = min(at for at, kind, _ in sent[back:] if kind == "image")
    assert sent[back][0] - before >= ROUND_PAUSE_S
    assert after - sent[back][0] >= ROUND_PAUSE_S * 0.9  # the clock is told once more on the way


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
    # Slowly: the recorder takes up a round of which it gets five frames.
    start(*camera(recording, stamps="recorded", clock="true", loop="true", rate=0.5))

    def rounds() -> int:
        seen = stamps(client, "overlay")
        return sum(after < before for before, after in zip(seen[:-1], seen[1:], strict=True))

    eventually(lambda: rounds() >= 3, actor.text)
    # The recorder may get other frames than the client: its own pictures, one per second of video.
    eventually(lambda: (tmp_path / "overlay_00003.png").exists(), recorder.text)
    assert recorder.stop() == 0
    *_, last = read_video(tmp_path / "overlay.mp4")
    assert last.time_s > 1.2, "one round lasts 1.1 s"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"path": ""}, "parameter path is empty"),
        ({"path": "/nowhere"}, "cannot read the recording /nowhere"),
        ({"image": "/other"}, "image topic /other of .* is not in it.*/camera/camera_info"),
        ({"image": ""}, "holds several topics of sensor_msgs/msg/Image"),
        ({"image": ""}, r"the parameter image \(bag_image:= of the launch file\)"),
        ({"depth": "/camera/camera_info"}, "is sensor_msgs/msg/CameraInfo, wanted is sensor_msgs"),
        ({"lossless": True, "reliability": "best_effort"}, "lossless needs reliability: reliable"),
        ({"rate": 0.0}, "rate: .*greater than or equal to 0.01"),
        ({"speed": 1.0}, "no parameter speed"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(
    domain: int, recording: Path, values: dict[str, Any], reason: str
) -> None:
    given = {"path": str(recording), "image": "/camera/image_raw", **values}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    try:
        with pytest.raises(ActSegError, match=reason):
            BagCamera(context=context, parameter_overrides=overrides)
    finally:
        context.try_shutdown()


def test_the_other_image_topic_is_the_picture_where_one_is_named_as_depth(
    domain: int, recording: Path
) -> None:
    given = {"path": str(recording), "depth": "/camera/depth/image_raw"}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = BagCamera(context=context, parameter_overrides=overrides)
    try:
        assert node.image_topic == "/camera/image_raw"
    finally:
        node.close()
        node.destroy_node()
        context.try_shutdown()


def test_a_part_without_images_ends_the_process_with_its_reason(
    start: Start, recording: Path
) -> None:
    player = start(*camera(recording, start_s=500.0))
    assert player.wait() == 2
    assert "no usable message of /camera/image_raw from start_s 500 on" in player.text
    assert "Traceback" not in player.text


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


@pytest.mark.slow
def test_a_lossless_replay_to_a_node_that_may_lose_images_gives_up(
    start: Start, eventually: Eventually, recording: Path, checkpoint: Path
) -> None:
    actor = start(*node(checkpoint, "-p", "image_reliability:=best_effort"))
    eventually(lambda: "loaded on cpu" in actor.text, actor.text)
    player = start(
        *camera(recording, lossless="true", answer_timeout_s=15.0),
        *("-r", "~/status:=/actseg/status"),
    )
    assert player.wait() == 2, actor.text
    assert "does not subscribe reliably to /bag_camera/image_raw, as a lossless" in player.text


@pytest.mark.slow
def test_a_lossless_replay_with_a_clock_that_is_not_followed_gives_up(
    start: Start, eventually: Eventually, recording: Path, choosy: Path
) -> None:
    actor = start(*node(choosy))
    eventually(lambda: "loaded on cpu" in actor.text, actor.text)
    player = start(
        *camera(recording, stamps="recorded", clock="true", lossless="true"),
        *("-p", "answer_timeout_s:=8.0", "-r", "~/status:=/actseg/status"),
    )
    assert player.wait() == 2, actor.text
    assert "does not follow /clock; start it with use_sim_time:=true" in player.text
