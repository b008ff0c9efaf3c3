"""Several answers about one frame as images of numbers, as costmaps read them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actseg_core.types import MaskResult

Labelled = tuple[int, MaskResult]
LAST_INSTANCE = 65_535


def label_mask(answers: Sequence[Labelled]) -> NDArray[np.uint8]:
    """The number of the sentence that describes who is at each pixel.

    Where masks overlap the surer answer wins; of equally sure ones the one with the lower number.

    Args:
        answers: Numbers of sentences, 1 to 255, and what was answered about one frame; at least
            one.

    Returns:
        (H, W) uint8; 0 = nobody.
    """
    labels = np.zeros(answers[0][1].mask.shape, np.uint8)
    for label, result in _surest_last(answers):
        labels[result.mask > 0] = label
    return labels


def confidence_image(answers: Sequence[Labelled]) -> NDArray[np.uint8]:
    """How sure the answer is that `label_mask` shows at each pixel.

    Args:
        answers: As of `label_mask`.

    Returns:
        (H, W) uint8; 0 to 255 for a confidence of 0 to 1, and 0 where nobody is.
    """
    image = np.zeros(answers[0][1].mask.shape, np.uint8)
    for _, result in _surest_last(answers):
        image[result.mask > 0] = round(255 * min(max(result.confidence, 0.0), 1.0))
    return image


def instance_image(answers: Sequence[Labelled]) -> NDArray[np.uint16]:
    """One number per actor, so that two dogs of the sentence "dogs" are told apart.

    Only pixels of the answer's mask count. Where actors overlap the surer one wins. An answer
    whose network knows no actors has the number of its sentence.

    Args:
        answers: As of `label_mask`.

    Returns:
        (H, W) uint16: the track id (those above 65535 begin anew at 1); 0 = nobody.
    """
    image = np.zeros(answers[0][1].mask.shape, np.uint16)
    for label, result in _surest_last(answers):
        if not result.actors:
            image[result.mask > 0] = label
        for actor in sorted(result.actors, key=lambda item: item.confidence):
            if result.found:
                inside = (actor.mask() > 0) & (result.mask > 0)
                image[inside] = (actor.track_id - 1) % LAST_INSTANCE + 1
    return image


def _surest_last(answers: Sequence[Labelled]) -> list[Labelled]:
    """In the order in which they are painted."""
    return sorted(answers, key=lambda item: (item[1].confidence, -item[0]))
