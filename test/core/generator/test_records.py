from pathlib import Path

import cv2
import numpy as np
import pytest

from actseg_core.errors import DatasetError
from actseg_core.generator.records import (
    read_flow,
    replacing_folder,
    write_flow,
    write_png,
)


def test_flow_survives_to_a_128th_of_a_pixel(tmp_path: Path) -> None:
    flow = np.random.default_rng(0).uniform(-30, 30, (5, 7, 2)).astype(np.float32)

    write_flow(tmp_path / "flow.png", flow)
    back, valid = read_flow(tmp_path / "flow.png")

    np.testing.assert_allclose(back, flow, atol=1 / 128 + 1e-5)
    assert valid.all()


def test_flow_is_coded_as_in_kitti(tmp_path: Path) -> None:
    write_flow(tmp_path / "flow.png", np.array([[[1.0, -2.0]]], np.float32))

    blue, green, red = cv2.imread(str(tmp_path / "flow.png"), cv2.IMREAD_UNCHANGED)[0, 0]
    assert (red, green, blue) == (32768 + 64, 32768 - 128, 1)


def test_flow_beyond_the_format_is_marked_invalid(tmp_path: Path) -> None:
    write_flow(tmp_path / "flow.png", np.array([[[600.0, 0.0], [500.0, 0.0]]], np.float32))

    assert read_flow(tmp_path / "flow.png")[1].tolist() == [[False, True]]


def test_another_picture_is_no_flow(tmp_path: Path) -> None:
    write_png(tmp_path / "gray.png", np.zeros((4, 4), np.uint8))

    with pytest.raises(DatasetError, match=r"gray\.png is no 16-bit flow PNG"):
        read_flow(tmp_path / "gray.png")


def test_colours_are_written_as_rgb(tmp_path: Path) -> None:
    write_png(tmp_path / "red.png", np.full((2, 2, 3), (255, 0, 0), np.uint8))

    assert cv2.imread(str(tmp_path / "red.png"))[0, 0].tolist() == [0, 0, 255]  # OpenCV reads BGR


def test_a_folder_appears_only_when_complete(tmp_path: Path) -> None:
    place = tmp_path / "video"
    place.mkdir()
    (place / "old").touch()

    with pytest.raises(RuntimeError), replacing_folder(place) as part:
        (part / "half").touch()
        raise RuntimeError
    assert [item.name for item in tmp_path.iterdir()] == ["video"]
    assert [item.name for item in place.iterdir()] == ["old"]

    with replacing_folder(place) as part:
        (part / "new").touch()
    assert [item.name for item in place.iterdir()] == ["new"]
