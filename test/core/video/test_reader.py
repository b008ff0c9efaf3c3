"""Random access: exact by frame whatever the container, bounded, safe after fork and pickle."""

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actseg_core.errors import VideoError
from actseg_core.video import (
    ReaderPool,
    VideoReader,
    VideoWriter,
    open_reader,
    read_video,
)

KINDS = {
    "mp4 with B frames": {"suffix": ".mp4", "b_frames": 2},
    "mp4 of key frames": {"suffix": ".mp4", "key_every": 1},
    "one key frame": {"suffix": ".mp4", "key_every": 250, "b_frames": 2},
    "avi, MPEG-4 with B frames": {"suffix": ".avi", "codec": "mpeg4", "b_frames": 2},
    "matroska": {"suffix": ".mkv", "b_frames": 2},
    "transport stream": {"suffix": ".ts", "b_frames": 2},
    "bare H.264 without time stamps": {"suffix": ".h264", "b_frames": 2},
    "uneven frame times": {"suffix": ".mp4", "ticks": lambda index: index * index + 3},
}


@pytest.fixture(params=list(KINDS), ids=lambda name: name.replace(" ", "_"))
def video(request, tmp_path, numbered) -> Path:
    kind = dict(KINDS[request.param])
    return numbered.write(tmp_path / f"clip{kind.pop('suffix')}", 40, **kind)


def test_every_frame_is_found_in_any_order(video, numbered) -> None:
    order = [39, 0, 17, 16, 18, 17, 5, 38, 1, *range(40)]
    with VideoReader(video, cache_bytes=0) as reader:
        assert reader.info.frames == 40
        assert [numbered.number(reader.read([index])[0]) for index in order] == order
        seekable = video.suffix in (".mp4", ".avi", ".mkv")
        assert bool(reader._index_of) == seekable  # no needless counting


def test_a_read_equals_the_front_to_back_decoding(video) -> None:
    whole = np.stack([frame.image for frame in read_video(video)])
    with VideoReader(video) as reader:
        np.testing.assert_array_equal(reader.read([3, 3, 30, 4]), whole[[3, 3, 30, 4]])


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory) -> Iterator[tuple[VideoReader, list[int]]]:
    """A lossless clip of 60 frames whose top left pixel rises with the index."""
    path = tmp_path_factory.mktemp("long") / "clip.mp4"
    with VideoWriter(path, 25, crf=0) as writer:
        for index in range(60):
            writer.write(np.full((16, 16, 3), 4 * index, np.uint8))
    levels = [int(frame.image[0, 0, 0]) for frame in read_video(path)]
    assert levels == sorted(set(levels))
    with VideoReader(path, cache_bytes=5 * 16 * 16 * 3) as reader:
        yield reader, levels


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 59), min_size=1, max_size=20))
def test_any_list_of_indices_gives_those_frames_in_that_order(long_clip, indices) -> None:
    reader, levels = long_clip
    frames = reader.read(indices)
    assert frames[:, 0, 0, 0].tolist() == [levels[index] for index in indices]
    assert len(reader._cache) <= 5


def test_an_index_beyond_the_end_names_the_video_and_its_length(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "short.mp4", 10)
    with VideoReader(path) as reader:
        for index in (10, -1):
            wanted = rf"short\.mp4 has 10 frames \(0 to 9\), frame {index} was asked for"
            with pytest.raises(VideoError, match=wanted):
                reader.read([0, index])
        assert numbered.number(reader.read([9])[0]) == 9


def test_wrong_time_stamps_are_given_up_for_counting(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "clip.mp4", 20, b_frames=2)
    reader = VideoReader(path)
    reader._index_of = {stamp + 1: index for stamp, index in reader._index_of.items()}

    assert numbered.number(reader.read([13])[0]) == 13
    assert not reader._index_of
    assert numbered.number(reader.read([2])[0]) == 2
    assert reader.info.frames == 20
    reader.close()


def test_a_video_cut_in_the_middle_is_refused_when_opened(tmp_path, numbered) -> None:
    whole = numbered.write(tmp_path / "whole.mp4", 40, noise=90, movflags="+faststart")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(VideoError, match=r"cut\.mp4 .*cut short"):
        VideoReader(cut)


def open_files(below: Path) -> list[str]:
    folder = Path("/proc/self/fd")
    names = []
    for entry in folder.iterdir():
        try:
            names.append(os.readlink(entry))
        except OSError:
            continue
    return [name for name in names if name.startswith(str(below))]


def test_no_handle_stays_open_after_close_failure_or_drop(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "clip.mp4", 10)
    bare = numbered.write(tmp_path / "clip.h264", 10)
    for file in (path, bare):
        with VideoReader(file) as reader:
            reader.read([4])
        with pytest.raises(VideoError):
            VideoReader(file).read([99])
    frames = read_video(path)
    next(frames)
    assert len(open_files(tmp_path)) == 1
    frames.close()
    assert open_files(tmp_path) == []


def test_a_forked_reader_opens_its_own_file(tmp_path, numbered) -> None:
    reader = VideoReader(numbered.write(tmp_path / "clip.mp4", 40, b_frames=2), cache_bytes=0)
    reader.read([20])
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            number = numbered.number(reader.read([21])[0])
            os.write(send, bytes([number, reader._pid == os.getpid()]))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert list(os.read(receive, 2)) == [21, 1]
    assert numbered.number(reader.read([21])[0]) == 21
    for end in (receive, send):
        os.close(end)
    reader.close()


def test_a_pickled_reader_reads_on(tmp_path, numbered) -> None:
    reader = VideoReader(numbered.write(tmp_path / "clip.mp4", 20))
    reader.read([6])
    copy = pickle.loads(pickle.dumps(reader))  # noqa: S301
    assert numbered.number(copy.read([7])[0]) == 7
    assert len(copy._cache) == 1
    copy.close()
    reader.close()


def test_the_pool_keeps_the_newest_readers_only(tmp_path, numbered) -> None:
    paths = [numbered.write(tmp_path / f"{index}.mp4", 3) for index in range(4)]
    pool = ReaderPool(max_open=2)
    for path in paths:
        pool.get(path).read([1])
    assert len(pool) == 2
    assert len(open_files(tmp_path)) == 2
    assert pool.get(paths[3]) is pool.get(paths[3])
    pool.close()
    assert open_files(tmp_path) == []


def test_an_image_folder_reads_like_a_video(tmp_path, numbered) -> None:
    for index in range(12):  # 2.png sorts before 10.png by number, after it by letter
        cv2.imwrite(str(tmp_path / f"{index}.png"), numbered.image(index))
    reader = open_reader(tmp_path)
    assert [numbered.number(image) for image in reader.read([11, 2, 2])] == [11, 2, 2]
    assert reader.info.frames == 12
