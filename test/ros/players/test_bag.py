"""Recordings of both formats, whole, cut and damaged; their times; their bytes."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from actseg_core.errors import ActSegError
from actseg_ros.demo.generated_bag import (
    DEPTH_TOPIC,
    IMAGE_TOPIC,
    INFO_TOPIC,
    BagFrame,
    Storage,
    write_bag,
)
from actseg_ros.players.bag import CAMERA_INFO, COMPRESSED, IMAGE, Bag, BagError, Timeline, restamp

S = 10**9
Open = Callable[[Path], Bag]


def frames(count: int = 5) -> Iterator[BagFrame]:
    """Grey that rises by one per frame, 0.1 s apart from 100 s on, 1.5 m away."""
    for number in range(count):
        image = np.full((4, 6, 3), number, np.uint8)
        yield BagFrame(image, 100 * S + number * S // 10, np.full((4, 6), 1500, np.uint16))


@pytest.fixture(scope="module", params=list(Storage))
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bag") / "clip"
    write_bag(path, frames(), request.param)
    return path


@pytest.fixture
def opened() -> Iterator[Open]:
    bags: list[Bag] = []

    def begin(path: Path) -> Bag:
        bags.append(Bag(path))
        return bags[-1]

    yield begin
    for bag in bags:
        bag.close()


def data_file(recording: Path) -> Path:
    (found,) = [path for path in recording.iterdir() if path.suffix in (".mcap", ".db3")]
    return found


def test_topics_and_length_are_told(recording: Path, opened: Open) -> None:
    bag = opened(recording)
    assert bag.topics == {IMAGE_TOPIC: IMAGE, DEPTH_TOPIC: IMAGE, INFO_TOPIC: CAMERA_INFO}
    assert bag.duration_ns == pytest.approx(0.4 * S, abs=1)


def test_messages_come_in_order_and_are_read_by_ros(recording: Path, opened: Open) -> None:
    found = list(opened(recording).messages((IMAGE_TOPIC,)))
    assert [item.stamp_ns for item in found] == [100 * S + n * S // 10 for n in range(5)]
    image = deserialize_message(found[3].data, Image)
    assert (image.width, image.height, image.encoding, image.step) == (6, 4, "rgb8", 18)
    assert set(image.data) == {3}
    assert image.header.frame_id == "camera_optical_frame"


def test_depth_and_camera_info_are_read_by_ros(recording: Path, opened: Open) -> None:
    bag = opened(recording)
    depth = deserialize_message(next(bag.messages((DEPTH_TOPIC,))).data, Image)
    assert depth.encoding == "16UC1"
    assert set(np.frombuffer(depth.data, np.uint16)) == {1500}
    info = deserialize_message(next(bag.messages((INFO_TOPIC,))).data, CameraInfo)
    # 60 degrees across 6 columns: 3 / tan(30 deg) = 5.196
    assert info.k == pytest.approx([5.196, 0, 2.5, 0, 5.196, 1.5, 0, 0, 1], abs=1e-3)
    assert info.p == pytest.approx([5.196, 0, 2.5, 0, 0, 5.196, 1.5, 0, 0, 0, 1, 0], abs=1e-3)


def test_a_part_can_be_played(recording: Path, opened: Open) -> None:
    found = list(opened(recording).messages((IMAGE_TOPIC,), start_s=0.1, duration_s=0.2))
    assert [(item.stamp_ns - 100 * S) * 10 // S for item in found] == [1, 2]


def test_a_single_file_will_do(recording: Path, opened: Open) -> None:
    assert len(list(opened(data_file(recording)).messages((IMAGE_TOPIC,)))) == 5


def test_compressed_images_are_read_by_ros(tmp_path: Path, opened: Open) -> None:
    write_bag(tmp_path / "clip", frames(), compressed=True)
    bag = opened(tmp_path / "clip")
    topic = bag.find("", (COMPRESSED,), "image")
    message = deserialize_message(next(bag.messages((topic,))).data, CompressedImage)
    assert bytes(message.data[:2]) == b"\xff\xd8"


def test_the_only_fitting_topic_is_found(recording: Path, opened: Open) -> None:
    assert opened(recording).find("", (CAMERA_INFO,), "camera_info") == INFO_TOPIC


def test_what_is_missing_or_unclear_is_told_with_what_there_is(
    recording: Path, opened: Open
) -> None:
    bag = opened(recording)
    with pytest.raises(BagError, match=r"several topics.*image:=.*/camera/depth/image_raw \("):
        bag.find("", (IMAGE, COMPRESSED), "image")
    with pytest.raises(BagError, match="depth topic /nope .* is not in it, wanted is sensor_msgs"):
        bag.find("/nope", (IMAGE,), "depth")
    with pytest.raises(BagError, match="is sensor_msgs/msg/CameraInfo, wanted is sensor_msgs"):
        bag.find(INFO_TOPIC, (IMAGE,), "image")
    with pytest.raises(BagError, match="no topics of x/msg/Y"):
        bag.find("", ("x/msg/Y",), "image")


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.9, 0.99])
def test_a_cut_recording_is_refused_unless_no_message_is_missing(
    share: float, recording: Path, tmp_path: Path, opened: Open
) -> None:
    copy = tmp_path / "cut"
    shutil.copytree(recording, copy)
    file = data_file(copy)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    # The last pages of an sqlite3 file may hold nothing of the messages, or their index.
    try:
        assert len(list(opened(copy).messages((IMAGE_TOPIC,)))) == 5
        assert file.suffix == ".db3" and share >= 0.9
    except BagError as error:
        assert re.search("cannot read .*cut", str(error))


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"\x89MCAP0\r\n" * 3)
    (tmp_path / "a.db3").write_text("not a data base")
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "metadata.yaml").write_text("rosbag2_bagfile_information: 7\n")
    for name in ("a.mcap", "a.db3", "a.txt", "empty", "bad", "missing"):
        with pytest.raises(
            BagError, match=f"cannot read the recording .*{name}: .*give a rosbag2"
        ):
            Bag(tmp_path / name)


def test_the_metadata_file_stands_for_its_folder(recording: Path, opened: Open) -> None:
    assert len(list(opened(recording / "metadata.yaml").messages((IMAGE_TOPIC,)))) == 5


def test_the_only_recording_of_a_folder_without_metadata_is_played(
    recording: Path, tmp_path: Path, opened: Open
) -> None:
    folder = shutil.copytree(recording, tmp_path / "killed")
    (folder / "metadata.yaml").unlink()
    file = data_file(folder)
    (folder / f"._{file.name}").write_bytes(b"\x00\x05\x16\x07")  # macOS keeps it beside
    assert len(list(opened(folder).messages((IMAGE_TOPIC,)))) == 5

    shutil.copy(file, folder / f"b{file.suffix}")
    with pytest.raises(
        BagError, match=rf"no metadata.yaml; name one of b{file.suffix}, {file.name}$"
    ):
        Bag(folder)


def test_of_a_folder_of_recordings_one_has_to_be_named(recording: Path, tmp_path: Path) -> None:
    shutil.copytree(recording, tmp_path / "monday")
    shutil.copytree(recording, tmp_path / "tuesday")
    with pytest.raises(BagError, match="no metadata.yaml; name one of monday, tuesday$"):
        Bag(tmp_path)


def test_a_recording_of_ros_1_is_told_with_what_converts_it(tmp_path: Path) -> None:
    (tmp_path / "walk.bag").write_bytes(b"#ROSBAG V2.0\n" + bytes(4100))
    told = "one of ROS 1; say rosbags-convert --src walk.bag --dst walk$"
    with pytest.raises(BagError, match=told):
        Bag(tmp_path / "walk.bag")


@settings(max_examples=40)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_no_flipped_byte_is_more_than_an_error(position: int, value: int, flipped: Path) -> None:
    whole = (flipped.parent / "whole").read_bytes()
    data = bytearray(whole)
    data[position % len(data)] = value
    flipped.write_bytes(data)
    try:
        bag = Bag(flipped)
        messages = list(bag.messages(tuple(bag.topics)))
    except ActSegError:
        return
    assert len(messages) <= 15


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flip")
    write_bag(folder / "clip", frames(), Storage.MCAP)
    shutil.copy(folder / "clip" / "clip.mcap", folder / "whole")
    return folder / "clip.mcap"


def test_damaged_and_unstamped_messages_are_left_out_and_counted(
    tmp_path: Path, opened: Open
) -> None:
    write_bag(tmp_path / "good", frames(3))
    good = list(opened(tmp_path / "good").messages((IMAGE_TOPIC,)))
    hostile = [
        good[0].data,
        good[0].data[:-30],  # shorter than it says
        good[0].data + bytes(8),  # longer
        b"",
        b"\x00\x01\x00\x03",  # makes Fast DDS repeat the message before
        b"\x07" + good[0].data[1:],  # another encoding
        restamp(good[1].data, 0),
        good[2].data,
    ]
    types = get_typestore(Stores.ROS2_KILTED)
    with Writer(tmp_path / "bad", version=9) as writer:
        place = writer.add_connection(IMAGE_TOPIC, IMAGE, typestore=types)
        for number, data in enumerate(hostile):
            writer.write(place, S + number, data)
    bag = opened(tmp_path / "bad")
    assert [item.data for item in bag.messages((IMAGE_TOPIC,))] == [good[0].data, good[2].data]
    assert bag.skipped == 6
    assert bag.problem.startswith("a message of /camera/image_raw is damaged and left out")


def test_a_recording_that_ends_before_its_index_says_is_told(tmp_path: Path, opened: Open) -> None:
    write_bag(tmp_path / "clip", frames(), Storage.SQLITE3)
    with sqlite3.connect(tmp_path / "clip" / "clip.db3") as base:
        base.execute("DELETE FROM messages WHERE timestamp > ?", (100 * S + S // 4,))
    with pytest.raises(BagError, match="it ends after 3 of 5 messages"):
        list(opened(tmp_path / "clip").messages((IMAGE_TOPIC,)))


def test_a_half_written_recording_leaves_nothing(tmp_path: Path) -> None:
    def fails() -> Iterator[BagFrame]:
        yield from frames(1)
        raise OSError("no space left on device")

    with pytest.raises(BagError, match="no space left"):
        write_bag(tmp_path / "clip", fails())
    assert list(tmp_path.iterdir()) == []
    write_bag(tmp_path / "clip", frames(1))
    with pytest.raises(BagError, match="exists already"):
        write_bag(tmp_path / "clip", frames(1))


@given(st.integers(0, 2**31 * S - 1), st.booleans())
def test_only_the_stamp_changes(stamp_ns: int, little: bool) -> None:
    store = get_typestore(Stores.ROS2_KILTED)
    types = store.types
    time = types["builtin_interfaces/msg/Time"](7, 8)
    header = types["std_msgs/msg/Header"](time, "cam")
    message = types[COMPRESSED](header, "png", np.arange(9, dtype=np.uint8))
    data = bytes(store.serialize_cdr(message, COMPRESSED, little_endian=little))
    read = deserialize_message(restamp(data, stamp_ns), CompressedImage)
    assert read.header.stamp.sec * S + read.header.stamp.nanosec == stamp_ns
    assert (read.header.frame_id, read.format, bytes(read.data)) == ("cam", "png", bytes(range(9)))


def test_moments_are_due_at_the_rate_wanted() -> None:
    line = Timeline(2.0)
    line.begin(100 * S, 50.0, 7000 * S)
    assert line.wait_s(100 * S, 50.0, 7000 * S) == 0.0
    assert line.wait_s(101 * S, 50.1, 7000 * S) == pytest.approx(0.4)
    assert line.bag_now_ns(50.25) == 100 * S + S // 2
    # One recorded second is half a second at rate 2.
    assert line.stamp_ns(101 * S) == 7000 * S + S // 2


def test_after_a_stall_it_goes_on_from_now_and_pairs_stay_pairs() -> None:
    line = Timeline(1.0)
    line.begin(0, 0.0, 1000 * S)
    assert line.wait_s(1 * S, 9.0, 1009 * S) == 0.0
    assert line.stamp_ns(1 * S) == line.stamp_ns(1 * S) == 1009 * S
    assert line.wait_s(2 * S, 9.0, 1009 * S) == pytest.approx(1.0)


def played(line: Timeline, rows: list[tuple[float, float]]) -> tuple[list[float], list[str]]:
    """When images of these stamps and times of recording [s] are sent [s], and what was told."""
    now_s, sent, told = 50.0, [], []
    line.begin(round(rows[0][1] * S), now_s, 7000 * S)
    for stamp_s, record_s in rows:
        stamp_ns, clock_ns = round(stamp_s * S), 7000 * S + round((now_s - 50) * S)
        told.append(line.follow(stamp_ns, round(record_s * S), now_s, clock_ns))
        now_s += line.wait_s(stamp_ns, now_s, clock_ns)
        sent.append(now_s - 50.0)
    return sent, [text for text in told if text]


WALL_S = 1.764e9


@pytest.mark.parametrize("record_step_s", [0.0, 0.001, 0.1, 0.7])
@pytest.mark.parametrize(("stamp_s", "record_s"), [(12.0, WALL_S), (WALL_S, 12.0)])
def test_the_images_own_stamps_set_the_pace_whatever_the_times_of_recording(
    stamp_s: float, record_s: float, record_step_s: float
) -> None:
    line = Timeline(2.0)
    rows = [(stamp_s + i * 0.1, record_s + i * record_step_s) for i in range(4)]
    sent, told = played(line, rows)
    assert sent == pytest.approx([0, 0.05, 0.1, 0.15], abs=1e-6)
    assert not told
    assert line.stamp_ns(round(stamp_s * S)) == 7000 * S
    assert line.interval_ns == pytest.approx(0.1 * S, abs=1000)


@pytest.mark.parametrize(
    ("stamps_s", "reason"),
    [
        ([20.0, 20.1, 3.0, 3.1], "the images' stamps run back by 17.1 s"),
        ([20.0, 20.1, 5020.0, 5020.1], "the images' stamps jump by 4999.9 s"),
    ],
)
def test_a_clock_that_is_set_begins_the_line_anew(stamps_s: list[float], reason: str) -> None:
    line = Timeline(1.0)
    sent, told = played(line, [(stamp, 100 + i * 0.1) for i, stamp in enumerate(stamps_s)])
    assert sent == pytest.approx([0, 0.1, 0.2, 0.3])
    assert told == [reason]
    # Moved stamps go on: the third lies 0.1 s behind the second.
    assert line.stamp_ns(round(stamps_s[2] * S)) == pytest.approx(7000.2 * S, abs=2000)


def test_a_pause_that_the_times_of_recording_show_too_is_no_jump() -> None:
    sent, told = played(Timeline(100.0), [(20.0, WALL_S), (620.0, WALL_S + 600.0)])
    assert sent == pytest.approx([0, 6.0])
    assert not told


def test_stamps_that_stand_still_or_swap_places_are_paced_by_the_times_of_recording() -> None:
    line = Timeline(1.0)
    rows = [(7.0, 100.0), (7.0, 100.2), (7.0, 100.4), (7.5, 100.6), (7.4, 100.7), (7.6, 100.8)]
    sent, told = played(line, rows)
    assert sent == pytest.approx([0, 0.2, 0.4, 0.5, 0.6, 0.6])
    assert not told
    assert line.stamp_ns(7 * S) == 7000 * S  # what the camera did wrong is not hidden


def test_messages_beside_the_images_wait_for_their_moment_but_never_beyond_the_next_image() -> (
    None
):
    line = Timeline(1.0)
    played(line, [(12.0, WALL_S), (12.1, WALL_S + 0.1)])
    assert line.wait_beside_s(round(12.15 * S), 50.1) == pytest.approx(0.05)
    assert line.wait_beside_s(round(12.05 * S), 50.1) == 0.0
    assert line.wait_beside_s(round(WALL_S * S), 50.1) == 0.0
    assert line.lead_ns(round(12.15 * S)) == pytest.approx(0.05 * S, abs=1000)


def test_the_first_message_is_given_with_a_stamp_or_without_and_not_counted(
    tmp_path: Path, opened: Open
) -> None:
    write_bag(tmp_path / "good", frames(2))
    good = next(opened(tmp_path / "good").messages((IMAGE_TOPIC,)))
    types = get_typestore(Stores.ROS2_KILTED)
    with Writer(tmp_path / "bad", version=9) as writer:
        place = writer.add_connection(IMAGE_TOPIC, IMAGE, typestore=types)
        for number, data in enumerate([b"", restamp(good.data, 0), good.data]):
            writer.write(place, S + number, data)
    bag = opened(tmp_path / "bad")
    (found,) = bag.first(IMAGE_TOPIC, 1)
    assert (found.stamp_ns, found.time_ns, bag.skipped) == (0, S + 1, 0)
    assert [item.time_ns for item in bag.first(IMAGE_TOPIC, 9)] == [S + 1, S + 2]
    stamps = [item.stamp_ns for item in bag.messages((IMAGE_TOPIC,), unstamped=(IMAGE_TOPIC,))]
    assert stamps == [0, good.stamp_ns]
    assert bag.skipped == 1
    assert bag.first(IMAGE_TOPIC, 1, start_s=9.0) == []
