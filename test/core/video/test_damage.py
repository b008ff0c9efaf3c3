"""A video or picture changed anywhere is read, or ends in a VideoError: never in anything else."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from damaged_files import changed_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actseg_core.errors import VideoError
from actseg_core.video.container import probe, read_video
from actseg_core.video.frames import read_image
from actseg_core.video.reader import VideoReader

KINDS = {
    "mp4": ("libx264", "yuv420p"),
    "mkv": ("ffv1", "bgr0"),
    "webm": ("libvpx", "yuv420p"),
    "avi": ("mjpeg", "yuvj420p"),
    "ts": ("libx264", "yuv420p"),
    "mov": ("mpeg4", "yuv420p"),
    "gif": ("gif", "rgb8"),
}
PICTURES = {
    suffix: cv2.imencode(suffix, np.full((9, 7, 3), 90, np.uint8))[1].tobytes()
    for suffix in (".png", ".jpg", ".bmp", ".tiff", ".webp", ".ppm")
}


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    return {kind: _video(folder / f"clip.{kind}", *coded) for kind, coded in KINDS.items()}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_video_changed_anywhere_is_read_or_refused(
    data: st.DataObject, contents: dict[str, bytes], tmp_path: Path
) -> None:
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    path = tmp_path / f"clip.{kind}"
    path.write_bytes(data.draw(changed_bytes(contents[kind])))
    for read in (probe, _in_order, _by_number):
        try:
            read(path)
        except VideoError as error:
            assert "clip" in str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_picture_changed_anywhere_is_read_or_refused(
    data: st.DataObject, tmp_path: Path
) -> None:
    suffix = data.draw(st.sampled_from(sorted(PICTURES)))
    path = tmp_path / f"picture{suffix}"
    path.write_bytes(data.draw(changed_bytes(PICTURES[suffix])))
    try:
        image = read_image(path)
    except VideoError as error:
        assert "picture" in str(error)
    else:
        assert image.dtype == np.uint8
        assert image.shape[2:] == (3,)


def _in_order(path: Path) -> None:
    times = [frame.time_s for frame in read_video(path)]
    assert times == sorted(times)
    assert np.isfinite(times).all()


def _by_number(path: Path) -> None:
    with VideoReader(path) as reader:
        reader.read([reader.info.frames - 1, 0])


def _video(path: Path, codec: str, pix_fmt: str) -> bytes:
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, pix_fmt
        for number in range(5):
            picture = np.full((16, 32, 3), 40 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path.read_bytes()
