"""Woman or man, child or grown-up: a preference among people, never a reason to turn one away.

ImageNet names no people, but what they wear and do: how probable its 1,000 classes are on a
person's mask tells both apart softly. The table is fitted by tools/fit_people.py on our labels.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import VocabularyError

Array = NDArray[np.float32]
TABLE = Path(__file__).with_name("people.npz")
FLOOR = 1e-3
PREFERENCE = 2.0
"""Log-odds that somebody loses at most against those whom a noun fits better."""


@cache
def _table() -> tuple[Array, Array]:
    try:
        with np.load(TABLE, allow_pickle=False) as stored:
            weights, bias = stored["weights"], stored["bias"]
    except (OSError, ValueError, KeyError) as error:
        raise VocabularyError(f"{TABLE} cannot be read: {error}; install actseg again") from error
    return weights.astype(np.float32), bias.astype(np.float32)


def trait_log_odds(names: Array) -> Array:
    """(K, 2) log-odds of "a woman, not a man" and "a child, not a grown-up".

    Args:
        names: (K, 1000) probabilities of ImageNet's classes on each person's mask.

    Raises:
        VocabularyError: If the package's table is missing or damaged.
    """
    weights, bias = _table()
    return np.asarray(np.log(names + FLOOR) @ weights.T + bias, np.float32)


def preference(traits: Array, names: Array, are_people: NDArray[np.bool_]) -> Array:
    """(K,) log-odds from -PREFERENCE to 0 to add to a noun's: 0 for the person whom it fits best.

    Args:
        traits: (2,) of `text.people.person_traits`.
        names: (K, 1000) as above.
        are_people: (K,) who is compared; the others get 0.
    """
    if are_people.sum() < 2:
        return np.zeros(len(names), np.float32)
    fit = np.clip(trait_log_odds(names), -PREFERENCE, PREFERENCE) @ traits
    fit = np.clip(fit - fit[are_people].max(), -PREFERENCE, 0)
    return np.where(are_people, fit, 0).astype(np.float32)
