"""Writing MP4: content, times, atomic appearance, refusals."""

import signal
import subprocess
import sys

import av
import numpy as np
import pytest

from actseg_core.errors import ShapeError, VideoError
from actseg_core.video import VideoWriter, probe, read_video


def test_what_is_written_is_read_back(tmp_path, numbered) -> None:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 30) as writer:
        for number in range(20):
            writer.write(numbered.image(number))
    assert probe(path).fps == 30
    assert [numbered.number(frame.image) for frame in read_video(path)] == list(range(20))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"


def test_lossless_quality_keeps_grey_within_rounding(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 1), np.uint8).repeat(3, axis=2)
    with VideoWriter(tmp_path / "clip.mp4", 25, crf=0) as writer:
        writer.write(noise)
    back = next(read_video(tmp_path / "clip.mp4")).image
    assert np.abs(back.astype(int) - noise).max() <= 2


@pytest.mark.parametrize("fps", [24, 25, 30000 / 1001, 12.5])
def test_the_rate_survives(tmp_path, fps) -> None:
    with VideoWriter(tmp_path / "clip.mp4", fps) as writer:
        for _ in range(5):
            writer.write(np.zeros((16, 16, 3), np.uint8))
    assert probe(tmp_path / "clip.mp4").fps == pytest.approx(fps, rel=1e-4)
    times = [frame.time_s for frame in read_video(tmp_path / "clip.mp4")]
    assert times == pytest.approx([index / fps for index in range(5)], abs=1e-4)


def test_given_times_are_kept(tmp_path) -> None:
    times = [0.0, 0.04, 0.5, 0.511]
    with VideoWriter(tmp_path / "clip.mp4", 25) as writer:
        for time_s in times:
            writer.write(np.zeros((16, 16, 3), np.uint8), time_s)
    back = [frame.time_s for frame in read_video(tmp_path / "clip.mp4")]
    assert back == pytest.approx(times, abs=1e-4)


def test_an_odd_side_is_doubled_at_the_edge(tmp_path) -> None:
    image = np.zeros((17, 21, 3), np.uint8)
    image[-1] = image[:, -1] = 200
    with VideoWriter(tmp_path / "clip.mp4", 25, crf=0) as writer:
        writer.write(image)
    back = next(read_video(tmp_path / "clip.mp4")).image
    assert back.shape == (18, 22, 3)
    assert np.abs(back[17].astype(int) - 200).max() <= 2
    assert np.abs(back[:, 21].astype(int) - 200).max() <= 2


def test_the_file_appears_only_when_it_is_complete(tmp_path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"the one before")
    writer = VideoWriter(path, 25)
    writer.write(np.zeros((16, 16, 3), np.uint8))
    assert path.read_bytes() == b"the one before"
    writer.close()
    writer.close()
    assert probe(path).frames == 1
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_leaves_nothing_behind(tmp_path) -> None:
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "clip.mp4", 25) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_without_frames_there_is_no_file_and_a_warning(tmp_path, caplog) -> None:
    VideoWriter(tmp_path / "clip.mp4", 25).close()
    assert list(tmp_path.iterdir()) == []
    assert "no frame was written to" in caplog.text


def test_frames_of_another_size_or_type_are_refused_and_the_file_goes_on(tmp_path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", 25) as writer:
        writer.write(np.zeros((16, 18, 3), np.uint8))
        with pytest.raises(ShapeError, match=r"clip\.mp4 are 18x16, got 16x16"):
            writer.write(np.zeros((16, 16, 3), np.uint8))
        with pytest.raises(ShapeError, match=r"\(H, W, 3\) uint8 RGB, got \(16, 18\) of float64"):
            writer.write(np.zeros((16, 18)))  # type: ignore[arg-type]
        writer.write(np.zeros((16, 18, 3), np.uint8))
    assert probe(tmp_path / "clip.mp4").frames == 2


def test_time_that_does_not_rise_is_refused(tmp_path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", 25)
    writer.write(np.zeros((16, 16, 3), np.uint8), 1.0)
    with pytest.raises(VideoError, match=r"frame 1 of .* is at 1\.00000 s.*time must rise"):
        writer.write(np.zeros((16, 16, 3), np.uint8), 1.0)
    writer.abort()
    with pytest.raises(VideoError, match="already closed"):
        writer.write(np.zeros((16, 16, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_bad_rate_folder_or_place_is_named(tmp_path) -> None:
    with pytest.raises(VideoError, match="must be above 0 and at most 1000, got 0"):
        VideoWriter(tmp_path / "clip.mp4", 0)
    with pytest.raises(VideoError, match=r"there is no folder .*nowhere for clip\.mp4"):
        VideoWriter(tmp_path / "nowhere" / "clip.mp4", 25)
    (tmp_path / "clip.mp4").mkdir()
    writer = VideoWriter(tmp_path / "clip.mp4", 25)
    writer.write(np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(VideoError, match=r"cannot write .*clip\.mp4"):
        writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_full_disk_is_a_video_error(tmp_path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", 25, crf=0)
    writer._part.symlink_to("/dev/full")
    noise = np.random.default_rng(0)
    with pytest.raises(VideoError, match=r"cannot write .*clip\.mp4.*is the disk full"):
        for _ in range(60):
            writer.write(noise.integers(0, 256, (64, 64, 3), np.uint8))
        writer.close()
    assert list(tmp_path.iterdir()) == []


def grey(value: int) -> np.ndarray:
    return np.full((16, 16, 3), value, np.uint8)


def test_times_closer_than_a_tick_are_written(tmp_path) -> None:
    with VideoWriter(tmp_path / "fast.mp4", 1000) as writer:
        for index in range(5):
            writer.write(grey(0), index * 1e-6)
    assert probe(tmp_path / "fast.mp4").frames == 5


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("interval_s", [2, 7200, 200_000])
def test_time_lapses_are_written_at_their_own_times(tmp_path, interval_s, keep) -> None:
    """Every two seconds, two hours, two and a third days."""
    with VideoWriter(tmp_path / "slow.mp4", 1 / interval_s, keep=keep) as writer:
        for number in range(8):
            writer.write(grey(0), number * interval_s)
    times = [frame.time_s for frame in read_video(tmp_path / "slow.mp4")]
    assert times == [interval_s * index for index in range(8)]


@pytest.mark.parametrize("keep", [False, True])
def test_a_pause_longer_than_mp4_holds_is_shortened_and_told(tmp_path, caplog, keep) -> None:
    """A recorder that waits for half a night: 10^9 ticks of 1/90000 s are 11111.1 s."""
    with VideoWriter(tmp_path / "clip.mp4", 25, keep=keep) as writer:
        for time_s in (0.0, 1.0, 20_001.0, 20_002.0):
            writer.write(grey(0), time_s)
    times = [frame.time_s for frame in read_video(tmp_path / "clip.mp4")]
    assert times == pytest.approx([0.0, 1.0, 11112.11, 11113.11], abs=0.01)
    assert "a pause of 20000 s is shortened to 11111 s" in caplog.text


def test_a_kept_file_is_completed_by_an_exception(tmp_path) -> None:
    path = tmp_path / "clip.mp4"
    with pytest.raises(RuntimeError), VideoWriter(path, 25, keep=True) as writer:
        for value in (0, 90, 180):
            writer.write(grey(value))
        raise RuntimeError
    levels = [int(frame.image[8, 8, 0]) for frame in read_video(path)]
    assert levels == pytest.approx([0, 90, 180], abs=3)
    assert [frame.time_s for frame in read_video(path)] == pytest.approx([0.0, 0.04, 0.08])
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_kept_file_a_killed_process_leaves_all_but_the_last_seconds(tmp_path) -> None:
    program = (
        "import os, sys, numpy as np\n"
        "from actseg_core.video import VideoWriter\n"
        "writer = VideoWriter(sys.argv[1], 25, keep=True)\n"
        "noise = np.random.default_rng(0)\n"
        "for _ in range(300):\n"
        "    writer.write(noise.integers(0, 256, (32, 32, 3)).astype(np.uint8))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "clip.mp4")])
    assert killed.returncode == -signal.SIGKILL
    (part,) = tmp_path.iterdir()
    assert part.name.startswith(".clip.mp4.") and part.suffix == ".part"
    frames = list(read_video(part))
    assert 200 <= len(frames) < 300
    assert frames[100].time_s == pytest.approx(4.0)


def test_kept_or_not_the_same_frames_give_the_same_file(tmp_path) -> None:
    for keep in (False, True):
        contents = []
        for name in ("a.mp4", "b.mp4"):
            with VideoWriter(tmp_path / name, 25, keep=keep) as writer:
                for value in range(60):
                    writer.write(grey(4 * value))
            contents.append((tmp_path / name).read_bytes())
        assert contents[0] == contents[1]
