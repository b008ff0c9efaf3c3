"""Drawn masks and captions."""

import numpy as np
import pytest

from actseg_core.config import OverlayConfig
from actseg_core.errors import ShapeError
from actseg_core.types import Actor, Evidence, MaskResult
from actseg_core.visualize import PALETTE, overlay, reasons, tile


def result(mask: np.ndarray, found: bool = True) -> MaskResult:
    return MaskResult(mask, found, confidence=0.87)


def test_a_mask_is_tinted_and_the_rest_kept() -> None:
    image = np.full((200, 200, 3), 100, np.uint8)
    mask = np.zeros((200, 200), np.uint8)
    mask[100:180, 50:150] = 255

    drawn = overlay(image, [("dog", result(mask))])

    wanted = np.array([100 * 0.55 + colour * 0.45 for colour in PALETTE[0]])
    np.testing.assert_allclose(drawn[140, 100], wanted, atol=1)
    assert (drawn[190:, :] == 100).all()
    assert (image == 100).all(), "the input must not be drawn on"


def test_the_style_is_obeyed_and_a_number_keeps_its_colour() -> None:
    image = np.full((200, 200, 3), 100, np.uint8)
    mask = np.zeros((200, 200), np.uint8)
    mask[100:180, 50:150] = 255
    style = OverlayConfig(opacity=1.0, outline_px=1, captions=False)
    drawn = overlay(image, [("dog", result(mask))], style, colours=[9])
    assert (drawn[140, 100] == PALETTE[2]).all()
    assert (drawn[:98] == 100).all(), "no caption"


def test_nothing_is_tinted_when_nothing_is_found() -> None:
    image = np.full((200, 200, 3), 100, np.uint8)
    drawn = overlay(image, [("dog", result(np.zeros((200, 200), np.uint8), found=False))])
    assert (drawn[60:] == 100).all()
    assert (drawn[:30] != 100).any(), "the caption says that it is not there"


LONG = "the small brown dog that runs after the ball on the left side of the road"


def captioned(height: int, width: int, sentences: list[str]) -> np.ndarray:
    """Which pixels the captions darkened or drew on."""
    image = np.full((height, width, 3), 100, np.uint8)
    nothing = result(np.zeros((height, width), np.uint8), found=False)
    drawn = overlay(image, [(sentence, nothing) for sentence in sentences])
    return (drawn != 100).any(axis=2)


@pytest.mark.parametrize(
    ("height", "width"), [(1920, 1088), (480, 640), (272, 640), (720, 300), (240, 320)]
)
def test_captions_stay_inside_the_picture_and_leave_three_quarters_of_it_free(
    height: int, width: int
) -> None:
    touched = captioned(height, width, [LONG, LONG])
    assert touched.any()
    assert not touched[:, width - 3 :].any(), "a caption ends before the right rim"
    assert not touched[round(height * 0.25) + 1 :].any()


def test_a_caption_that_does_not_fit_is_wrapped() -> None:
    short, long = captioned(480, 640, ["dog"]), captioned(480, 640, [LONG])
    line_px = int(short.any(axis=1).sum())
    assert int(long.any(axis=1).sum()) == 2 * line_px
    assert long.any(axis=0).sum() > 500


def test_with_very_many_sentences_each_keeps_one_line() -> None:
    one = captioned(480, 640, [LONG] * 16)
    two = captioned(480, 640, [LONG] * 8)
    assert int(one.any(axis=1).sum()) == 2 * int(two.any(axis=1).sum())
    assert not one[:, 637:].any()


def test_the_answer_is_the_frames_own_though_the_lines_are_laid_out_once() -> None:
    image, mask = np.full((480, 640, 3), 100, np.uint8), np.zeros((480, 640), np.uint8)

    def drawn(confidence: float) -> np.ndarray:
        return overlay(image, [(LONG, MaskResult(mask, False, confidence))])

    assert (drawn(0.25) == drawn(0.25)).all()
    assert (drawn(0.25) != drawn(0.75)).any()


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"must be \(20, 30\) like the image, got \(30, 20\)"):
        overlay(np.zeros((20, 30, 3), np.uint8), [("x", result(np.zeros((30, 20), np.uint8)))])


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 300, 3), (300, 8, 3)])
def test_any_size_and_any_letters_can_be_drawn(shape: tuple[int, int, int]) -> None:
    image = np.zeros(shape, np.uint8)
    mask = np.full(shape[:2], 255, np.uint8)
    assert overlay(image, [("犬 läuft \u202e", result(mask))]).shape == shape


def test_pictures_of_different_sizes_are_tiled() -> None:
    one, two = np.full((2, 3, 3), 50, np.uint8), np.full((1, 4, 3), 90, np.uint8)
    grid = tile([one, two, one])
    assert grid.shape == (4, 8, 3)
    assert (grid[:2, :3] == 50).all() and (grid[:2, 3:4] == 0).all()
    assert (grid[:1, 4:] == 90).all() and (grid[1, 4:] == 0).all()
    assert (grid[2:, :3] == 50).all() and (grid[2:, 3:] == 0).all()
    assert tile([one]).shape == (2, 3, 3)


def test_reasons_name_parts_unused_and_unknown_words() -> None:
    evidence = (Evidence("who", ("dog",), 4.08), Evidence("looks", ("white",), -0.31))
    actor = Actor(7, 0.9, (0, 0, 2, 2), evidence, lambda: np.zeros((4, 4), np.uint8))
    result = MaskResult(
        np.zeros((4, 4), np.uint8), True, 0.9, actors=(actor,), unused=("old",), unknown=("qwz",)
    )

    assert reasons(result) == "dog 4.1, white -0.3; not used: old; unknown: qwz"
    assert reasons(MaskResult(np.zeros((4, 4), np.uint8), False, 0.1)) == ""


def test_the_overlay_shows_evidence_only_on_request() -> None:
    image = np.full((120, 640, 3), 90, np.uint8)
    actor = Actor(1, 0.9, (0, 0, 2, 2), (Evidence("who", ("dog",), 4.0),), lambda: image[..., 0])
    result = MaskResult(np.zeros((120, 640), np.uint8), False, 0.2, actors=(actor,))

    plain = overlay(image, [("dog", result)])
    told = overlay(image, [("dog", result)], OverlayConfig(evidence=True))

    assert (plain != told).any()
