"""A vocabulary small enough to work out by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from actseg_core.config import TextConfig
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors

ROWS = {"dog": [1, 0], "man": [2, 0], "t-shirt": [0, 1], "red": [0, 2], "running": [3, 4]}


@pytest.fixture(scope="session")
def make_reader() -> Callable[..., SentenceReader]:
    """Builds a reader of five words that are two wide; settings by keyword."""
    vectors = WordVectors(list(ROWS), np.array(list(ROWS.values()), np.float32))

    def make(**settings: object) -> SentenceReader:
        return SentenceReader(TextConfig(word_dim=2, **settings), vectors)

    return make
