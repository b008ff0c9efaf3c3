"""Videos of every container and codec that PyAV writes: the same frames, times and rate."""

from pathlib import Path

import numpy as np
import pytest

from actseg_core.video import VideoReader, probe, read_video

# What each container can hold: codec, pixel format, B frames.
H264 = ("libx264", "yuv420p", 2)
HEVC = ("libx265", "yuv420p", 0)
VP8 = ("libvpx", "yuv420p", 0)
VP9 = ("libvpx-vp9", "yuv420p", 0)
AV1 = ("libsvtav1", "yuv420p", 0)
MJPEG = ("mjpeg", "yuvj420p", 0)
FFV1 = ("ffv1", "yuv420p", 0)
MPEG2 = ("mpeg2video", "yuv420p", 2)
MPEG4 = ("mpeg4", "yuv420p", 2)
TEN_BIT = ("libx264", "yuv420p10le", 2)
PRORES = ("prores_ks", "yuv422p10le", 0)
KINDS = [
    *((".mp4", kind) for kind in (H264, HEVC, VP9, AV1, MJPEG, FFV1, MPEG4, TEN_BIT)),
    *((".mkv", kind) for kind in (H264, HEVC, VP8, VP9, AV1, MJPEG, FFV1, TEN_BIT)),
    *((".webm", kind) for kind in (VP8, VP9, AV1)),
    *((".avi", kind) for kind in (H264, VP9, MJPEG, FFV1, MPEG4)),
    *((".ts", kind) for kind in (H264, HEVC, MPEG2, MPEG4)),
    *((".mov", kind) for kind in (H264, MJPEG, PRORES)),
]
QUIET = {"libx265": {"x265-params": "log-level=none"}}


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0][1:]}-{kind[1][0]}-{kind[1][1]}")
def video(request, tmp_path, numbered) -> Path:
    suffix, (codec, pix_fmt, b_frames) = request.param
    return numbered.write(
        tmp_path / f"clip{suffix}",
        30,
        codec=codec,
        pix_fmt=pix_fmt,
        b_frames=b_frames,
        codec_options=QUIET.get(codec),
    )


def test_frames_times_and_facts_are_those_that_were_written(video, numbered) -> None:
    info = probe(video)
    assert (info.width, info.height, info.frames) == (64, 32, 30)
    assert info.fps == pytest.approx(25.0)
    frames = list(read_video(video))
    assert [numbered.number(frame.image) for frame in frames] == list(range(30))
    times = [frame.time_s for frame in frames]
    assert times == pytest.approx([index / 25 for index in range(30)], abs=0.0011)


def test_single_frames_are_those_of_the_reading_in_order(video, numbered) -> None:
    whole = [frame.image for frame in read_video(video)]
    with VideoReader(video, cache_bytes=0) as reader:
        assert reader.info.frames == 30
        for index in (29, 0, 12, 13, 4):
            np.testing.assert_array_equal(reader.read([index])[0], whole[index])
