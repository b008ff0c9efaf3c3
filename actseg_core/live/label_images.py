"""Several answers about one frame as images of numbers, as costmaps read them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actseg_core.types import MaskResult

Labelled = tuple[int, MaskResult]
LAST_INSTANCE = 65_535


class Grid:
    """The pixels of an image that are in a smaller one: of each cell the one in its middle.

    Numbers cannot be averaged, so a part that is thinner than a cell may be missed.

    Args:
        shape: (H, W) of the image.
        scale: Side of the smaller one as a share, above 0 to 1.

    Attributes:
        shape: (h, w) of the smaller one: scale * H and scale * W, rounded, at least 1.
    """

    def __init__(self, shape: tuple[int, ...], scale: float) -> None:
        self.shape = max(1, int(shape[0] * scale + 0.5)), max(1, int(shape[1] * scale + 0.5))
        self._places = [
            (2 * np.arange(small) + 1) * full // (2 * small)
            for small, full in zip(self.shape, shape, strict=False)
        ]
        self._is_whole = self.shape == tuple(shape[:2])

    def inside(self, mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(h, w): where an (H, W) mask is set."""
        taken = mask if self._is_whole else mask[np.ix_(*self._places)]
        return np.asarray(taken > 0)


def label_mask(answers: Sequence[Labelled], scale: float = 1.0) -> NDArray[np.uint8]:
    """The number of the sentence that describes who is at each pixel.

    Where masks overlap the surer answer wins; of equally sure ones the one with the lower number.

    Args:
        answers: Numbers of sentences, 1 to 255, and what was answered about one frame; at least
            one.
        scale: Of the image's sides, as of `Grid`.

    Returns:
        (h, w) uint8; 0 = nobody.
    """
    grid = Grid(answers[0][1].mask.shape, scale)
    labels = np.zeros(grid.shape, np.uint8)
    for label, result in _surest_last(answers):
        labels[grid.inside(result.mask)] = label
    return labels


def confidence_image(answers: Sequence[Labelled], scale: float = 1.0) -> NDArray[np.uint8]:
    """How sure the answer is that `label_mask` shows at each pixel.

    Args:
        answers: As of `label_mask`.
        scale: As there.

    Returns:
        (h, w) uint8; 0 to 255 for a confidence of 0 to 1, and 0 where nobody is.
    """
    grid = Grid(answers[0][1].mask.shape, scale)
    image = np.zeros(grid.shape, np.uint8)
    for _, result in _surest_last(answers):
        image[grid.inside(result.mask)] = round(255 * min(max(result.confidence, 0.0), 1.0))
    return image


def instance_image(answers: Sequence[Labelled], scale: float = 1.0) -> NDArray[np.uint16]:
    """One number per actor, so that two dogs of the sentence "dogs" are told apart.

    Only pixels of the answer's mask count. Where actors overlap the surer one wins. An answer
    whose network knows no actors has the number of its sentence.

    Args:
        answers: As of `label_mask`.
        scale: As there.

    Returns:
        (h, w) uint16: the track id (those above 65535 begin anew at 1); 0 = nobody.
    """
    grid = Grid(answers[0][1].mask.shape, scale)
    image = np.zeros(grid.shape, np.uint16)
    for label, result in _surest_last(answers):
        answered = grid.inside(result.mask)
        if not result.actors:
            image[answered] = label
        for actor in sorted(result.actors, key=lambda item: item.confidence):
            if result.found:
                image[grid.inside(actor.mask()) & answered] = (
                    actor.track_id - 1
                ) % LAST_INSTANCE + 1
    return image


def _surest_last(answers: Sequence[Labelled]) -> list[Labelled]:
    """In the order in which they are painted."""
    return sorted(answers, key=lambda item: (item[1].confidence, -item[0]))
