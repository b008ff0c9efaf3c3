"""Image folders as videos, and what is refused about them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from actseg_core.errors import VideoError
from actseg_core.video import frames
from actseg_core.video.frames import ImageFolder, check_pixels, list_images, read_image


def put(path: Path, height: int = 4, width: int = 6, value: int = 0) -> Path:
    cv2.imwrite(str(path), np.full((height, width, 3), value, np.uint8))
    return path


def test_images_come_in_natural_order_and_other_files_are_left_out(tmp_path) -> None:
    names = ["frame10.png", "frame2.PNG", "frame1.jpg", "notes.txt"]
    for name in names[:3]:
        put(tmp_path / name.lower()).rename(tmp_path / name)
    (tmp_path / names[3]).write_text("no image")
    assert [path.name for path in list_images(tmp_path)] == [
        *("frame1.jpg", "frame2.PNG", "frame10.png"),
    ]


def test_an_image_is_rgb_and_a_grey_one_has_three_equal_channels(tmp_path) -> None:
    bgr = np.zeros((2, 3, 3), np.uint8)
    bgr[:, :, 2] = 200
    cv2.imwrite(str(tmp_path / "red.png"), bgr)
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((2, 3), 7, np.uint8))
    assert read_image(tmp_path / "red.png")[0, 0].tolist() == [200, 0, 0]
    assert read_image(tmp_path / "grey.png")[1, 2].tolist() == [7, 7, 7]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_transparent_in_an_image_is_black(tmp_path, dtype) -> None:
    full = int(np.iinfo(dtype).max)
    bgra = np.full((2, 3, 4), (0, 0, full, full), dtype)
    bgra[:, 1, 3] = 0
    cv2.imwrite(str(tmp_path / "cut.png"), bgra)
    assert read_image(tmp_path / "cut.png")[0].tolist() == [[255, 0, 0], [0, 0, 0], [255, 0, 0]]


def test_a_photo_is_shown_upright_as_its_exif_says(tmp_path) -> None:
    """Orientation 6: the camera was held upright; the first row is the right column."""
    wide = np.zeros((16, 32, 3), np.uint8)
    wide[:, :16] = 255
    jpeg = cv2.imencode(".jpg", wide)[1].tobytes()
    entry = b"\x12\x01" + b"\x03\x00" + b"\x01\x00\x00\x00" + b"\x06\x00\x00\x00"
    exif = b"Exif\0\0" + b"II*\x00\x08\x00\x00\x00" + b"\x01\x00" + entry + bytes(4)
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "photo.jpg").write_bytes(jpeg[:2] + segment + jpeg[2:])
    image = read_image(tmp_path / "photo.jpg")
    assert image.shape == (32, 16, 3)
    assert image[:14].min() > 200 and image[18:].max() < 60


def test_a_folder_has_the_rate_it_is_given(tmp_path) -> None:
    put(tmp_path / "1.png", height=4, width=6)
    info = ImageFolder(tmp_path, fps=10).info
    assert (info.fps, info.width, info.height, info.frames) == (10, 6, 4, 1)


def test_an_image_of_another_size_is_named(tmp_path) -> None:
    put(tmp_path / "1.png", height=4, width=6)
    put(tmp_path / "2.png", height=4, width=7)
    folder = ImageFolder(tmp_path)
    with pytest.raises(VideoError, match=r"2\.png is 7x4, the folder's first image 6x4"):
        folder.read([0, 1])


@pytest.mark.parametrize(
    ("content", "state"),
    [(b"", r"empty \(0 bytes\)"), (b"not an image", r"damaged or not an image \(12 bytes\)")],
)
def test_an_unreadable_image_is_named(tmp_path, content, state) -> None:
    (tmp_path / "1.png").write_bytes(content)
    with pytest.raises(VideoError, match=rf"1\.png is {state}"):
        ImageFolder(tmp_path)


def test_missing_and_empty_folders_are_named(tmp_path) -> None:
    with pytest.raises(VideoError, match="there is no image folder .*nowhere"):
        list_images(tmp_path / "nowhere")
    with pytest.raises(VideoError, match="holds no image; wanted a video file itself, or"):
        list_images(tmp_path)
    with pytest.raises(VideoError, match=r"cannot read the image .*9\.png"):
        read_image(tmp_path / "9.png")


def test_sizes_beyond_the_limit_are_refused(monkeypatch) -> None:
    check_pixels(Path("a.mp4"), 8000, 5000)
    with pytest.raises(VideoError, match=r"a\.mp4 says its frames are 8001x5000; wanted 1 to"):
        check_pixels(Path("a.mp4"), 8001, 5000)
    with pytest.raises(VideoError, match="0x5"):
        check_pixels(Path("a.mp4"), 0, 5)
    monkeypatch.setattr(frames, "MAX_PIXELS", 10)
    with pytest.raises(VideoError, match="4x3; wanted 1 to 10"):
        check_pixels(Path("a.mp4"), 4, 3)
