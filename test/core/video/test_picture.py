"""Frames as a player shows them: upright, square pixels, alpha on black, one size."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from actseg_core.errors import VideoError
from actseg_core.video import VideoReader, probe, read_video
from actseg_core.video.picture import pixel_aspect

UPRIGHT = (1, 0, 0, 1)


def with_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Writes a display matrix (right x, right y, down x, down y) into an MP4's only track."""
    content = bytearray(path.read_bytes())

    def coded(a: int, b: int, c: int, d: int) -> bytes:
        values = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
        return b"".join(value.to_bytes(4, "big", signed=True) for value in values)

    place = content.index(coded(*UPRIGHT), content.index(b"tkhd"))
    content[place : place + 36] = coded(*matrix)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        (UPRIGHT, lambda image: image),
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
        ((1, 0, 0, -1), lambda image: image[::-1]),
        ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda image: image.transpose(1, 0, 2)[::-1, ::-1]),
    ],
)
def test_turned_and_mirrored_videos_are_shown_upright(tmp_path, numbered, matrix, shown) -> None:
    path = numbered.write(tmp_path / "clip.mp4", 3)
    stored = next(read_video(path)).image
    image = next(read_video(with_matrix(path, matrix))).image
    np.testing.assert_array_equal(image, shown(stored))
    info = probe(path)
    assert (info.height, info.width) == image.shape[:2]
    assert info.stored == image.shape[:2]
    with VideoReader(path) as reader:
        np.testing.assert_array_equal(reader.read([0])[0], image)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".mov", ".avi"])
def test_pixels_that_are_not_square_are_stretched_to_their_width(
    tmp_path, numbered, suffix
) -> None:
    """16:11 as in wide-screen PAL: 64 stored columns are 93 wide."""
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    path = numbered.write(tmp_path / f"clip{suffix}", 12, codec=codec, aspect=Fraction(16, 11))
    info = probe(path)
    assert (info.width, info.height, info.stored) == (93, 32, (32, 64))
    frames = list(read_video(path))
    assert frames[1].image.shape == (32, 93, 3)
    assert frames[1].image[:, :9].min() > 200  # the first of eight bars, 11.6 wide
    assert frames[1].image[:, 15:].max() < 60
    with VideoReader(path) as reader:
        np.testing.assert_array_equal(reader.read([1])[0], frames[1].image)


def test_a_turned_video_is_stretched_along_its_stored_rows(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "clip.mp4", 2, aspect=Fraction(2))
    info = probe(with_matrix(path, (0, 1, -1, 0)))
    assert (info.width, info.height, info.stored) == (32, 128, (64, 32))


@pytest.mark.parametrize(
    ("aspect", "value"),
    [
        (None, 1.0),
        (Fraction(1), 1.0),
        (Fraction(0, 1), 1.0),
        (Fraction(4320, 4319), 1.0),  # the rounding of an encoder
        (Fraction(1, 100), 1.0),  # no camera has such pixels
        (Fraction(4, 3), 4 / 3),
    ],
)
def test_an_aspect_counts_if_a_camera_can_have_it(aspect, value) -> None:
    assert pixel_aspect(aspect) == pytest.approx(value)


@pytest.mark.parametrize(("codec", "suffix"), [("qtrle", ".mov"), ("png", ".avi")])
def test_what_is_transparent_is_black_whatever_colour_lies_under_it(
    tmp_path, codec, suffix
) -> None:
    path = tmp_path / f"clip{suffix}"
    image = np.full((16, 32, 4), (200, 100, 50, 255), np.uint8)
    image[:, 16:, 3] = 0
    image[:, 24:, 3] = 51  # a fifth
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height = 32, 16
        stream.pix_fmt = "argb" if codec == "qtrle" else "rgba"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgba")))
        output.mux(stream.encode(None))
    shown = next(read_video(path)).image
    assert shown[5, 5].tolist() == [200, 100, 50]
    assert shown[5, 20].tolist() == [0, 0, 0]
    assert shown[5, 28].tolist() == [40, 20, 10]


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_an_interlaced_video_has_as_many_frames_as_pairs_of_fields(
    tmp_path, numbered, codec
) -> None:
    options = {"x264-params": "tff=1"} if codec == "libx264" else {"flags": "+ildct+ilme"}
    path = numbered.write(tmp_path / "clip.ts", 20, codec=codec, b_frames=2, codec_options=options)
    info = probe(path)
    assert (info.frames, info.fps) == (20, 25.0)
    assert [numbered.number(frame.image) for frame in read_video(path)] == list(range(20))


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [
        ("libx264", "yuv420p10le"),
        ("libx264", "yuv444p"),
        ("ffv1", "gray"),
        ("ffv1", "gray16le"),
        ("ffv1", "yuv420p16le"),
    ],
)
def test_deep_grey_and_raw_pixels_become_8_bit_rgb(tmp_path, numbered, codec, pix_fmt) -> None:
    path = numbered.write(tmp_path / "clip.mkv", 9, codec=codec, pix_fmt=pix_fmt)
    frames = [frame.image for frame in read_video(path)]
    assert frames[5].dtype == np.uint8
    assert [numbered.number(image) for image in frames] == list(range(9))


def two_sizes(folder: Path, numbered) -> Path:
    """Ten frames of 64x32, then ten of 64x48, in one transport stream."""
    first = numbered.write(folder / "first.ts", 10).read_bytes()
    numbered.height = 48
    second = numbered.write(folder / "second.ts", 10).read_bytes()
    path = folder / "clip.ts"
    path.write_bytes(first + second)
    return path


def test_a_size_that_changes_is_told_with_the_frame_and_both_sizes(tmp_path, numbered) -> None:
    path = two_sizes(tmp_path, numbered)
    wanted = r"frame 10 of .*clip\.ts is 64x48, the frames before are 64x32; re-encode it"
    came = 0
    with pytest.raises(VideoError, match=wanted):
        for _ in read_video(path):
            came += 1
    assert came == 10


def test_frames_before_a_change_of_size_can_be_read(tmp_path, numbered) -> None:
    with VideoReader(two_sizes(tmp_path, numbered)) as reader:
        assert numbered.number(reader.read([9])[0]) == 9
        with pytest.raises(VideoError, match=r"frame 12 of .* is 64x48, the frames before"):
            reader.read([8, 12])
        assert numbered.number(reader.read([7])[0]) == 7
