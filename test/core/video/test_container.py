"""Opening, probing and front-to-back reading of video files."""

import av
import cv2
import numpy as np
import pytest

from actseg_core.errors import VideoError
from actseg_core.video import VideoInfo, probe, read_video
from actseg_core.video.container import OpenVideo, read_times


def test_frames_come_in_display_order_with_their_times(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "clip.mp4", 12, b_frames=2)
    frames = list(read_video(path))
    assert [numbered.number(frame.image) for frame in frames] == list(range(12))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(12)])
    assert frames[0].image.shape == (32, 64, 3)


def test_times_follow_the_file_where_frames_are_uneven(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "clip.mp4", 4, ticks=lambda index: 5 + index**2)
    times = [frame.time_s for frame in read_video(path)]
    assert times == pytest.approx([0.0, 1 / 25, 4 / 25, 9 / 25], abs=1e-4)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".h264"])
def test_probe_tells_size_rate_and_length(tmp_path, numbered, suffix) -> None:
    path = numbered.write(tmp_path / f"clip{suffix}", 21)
    assert probe(str(path)) == VideoInfo(25.0, 64, 32, 21, (32, 64), 0.04)
    with OpenVideo(path) as video:
        assert read_times(video)[0] == 21


def test_a_rotated_video_is_read_as_displayed(tmp_path, numbered) -> None:
    """The display matrix of a phone held upright: FFmpeg shows the picture turned."""
    path = numbered.write(tmp_path / "clip.mp4", 2)
    content = bytearray(path.read_bytes())
    matrix = [1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30]
    plain = b"".join(value.to_bytes(4, "big") for value in matrix)
    quarter = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]
    turned = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter)
    track = content.index(plain, content.index(b"tkhd"))  # mvhd has its own matrix before
    content[track : track + 36] = turned
    path.write_bytes(content)

    image = list(read_video(path))[1].image

    assert image.shape == (64, 32, 3)
    assert (probe(path).width, probe(path).height) == (32, 64)
    assert image[:7].min() > 200  # the white left bar of frame 1 is at the top: clockwise
    assert image[9:].max() < 60
    capture = cv2.VideoCapture(str(path))
    capture.read()
    assert np.abs(capture.read()[1].astype(int) - image).max() <= 2
    capture.release()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", r"empty\.mp4 is empty \(0 bytes\)"),
        ("text.mp4", b"hello " * 400, r"cannot open the video .*text\.mp4: not a video"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n", r"cannot open .*list\.m3u8"),
        ("list.txt", b"ffconcat version 1.0\nfile clip.mp4\n", r"cannot open .*list\.txt"),
    ],
)
def test_what_is_no_video_is_named(tmp_path, numbered, name, content, reason) -> None:
    numbered.write(tmp_path / "clip.mp4", 2)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=reason):
        probe(tmp_path / name)


def test_a_missing_video_and_one_without_picture_are_named(tmp_path) -> None:
    with pytest.raises(VideoError, match=r"there is no video file .*nowhere\.mp4"):
        next(read_video(tmp_path / "nowhere.mp4"))
    sound = tmp_path / "sound.mp4"
    with av.open(str(sound), "w") as output:
        stream = output.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(VideoError, match=r"sound\.mp4 has no picture track"):
        probe(sound)


@pytest.mark.parametrize("beyond", [0, 100], ids=["between packets", "within a packet"])
@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_cut_video_yields_what_is_there_and_then_says_that_it_is_cut(
    tmp_path, numbered, suffix, beyond
) -> None:
    options = {"movflags": "+faststart"} if suffix == ".mp4" else {}
    whole = numbered.write(tmp_path / f"whole{suffix}", 60, key_every=5, noise=90, **options)
    with av.open(str(whole)) as container:
        starts = [packet.pos for packet in container.demux(video=0) if packet.size]
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[: starts[30] + beyond])
    numbers = []
    with pytest.raises(VideoError, match=rf"cut\{suffix} is (damaged or )?cut short"):
        for frame in read_video(cut):
            numbers.append(numbered.number(frame.image))
    assert 5 < len(numbers) < 60
    assert numbers == list(range(len(numbers)))


def test_a_cut_mp4_with_its_index_at_the_end_cannot_be_opened(tmp_path, numbered) -> None:
    whole = numbered.write(tmp_path / "whole.mp4", 60, noise=90)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(VideoError, match=r"cannot open the video .*cut\.mp4.*cut short"):
        probe(cut)
