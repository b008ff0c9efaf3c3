"""Pictures that could be decoded and are useless all the same are named."""

import numpy as np
import pytest

from actseg_core.live.picture_checks import BitDepthWatch, PictureChecks


def picture(brightest: int) -> np.ndarray:
    made = np.zeros((6, 8, 3), np.uint8)
    made[2, 3] = brightest
    return made


@pytest.mark.parametrize(
    ("brightest", "bits", "highest"), [(15, 12, 4095), (3, 10, 1023), (63, 14, 16383), (0, 8, 255)]
)
def test_a_camera_with_fewer_bits_than_its_images_is_named_after_ten(
    brightest: int, bits: int, highest: int
) -> None:
    watch = BitDepthWatch()
    for _ in range(9):
        watch.look(picture(brightest))
    assert watch.hint() == ""
    watch.look(picture(brightest))
    assert f"no more than {bits} of their 16 bits so far (up to {highest} of" in watch.hint()
    assert f"set bit_depth: {bits}" in watch.hint()


def test_one_bright_picture_shows_that_all_bits_are_used() -> None:
    watch = BitDepthWatch()
    for brightest in [0] * 20 + [64] + [0] * 20:
        watch.look(picture(brightest))
    assert watch.hint() == ""


def test_dark_pictures_of_8_bits_are_nothing_special() -> None:
    checks = PictureChecks(0, 16)
    for _ in range(20):
        checks.look(picture(3), has_16_bits=False)
    assert checks.hint() == ""


def test_another_bit_depth_is_judged_anew() -> None:
    checks = PictureChecks(0, 16)
    for _ in range(10):
        checks.look(picture(15), has_16_bits=True)
    assert "bit_depth: 12" in checks.hint()
    checks.reconfigure(0, 12)
    assert checks.hint() == ""


def test_all_that_is_wrong_is_told() -> None:
    checks = PictureChecks(2, 16)
    for _ in range(10):
        checks.look(picture(3), has_16_bits=True)
    assert checks.repeats == 10
    assert "the same picture 10 times" in checks.hint() and "bit_depth: 10" in checks.hint()
