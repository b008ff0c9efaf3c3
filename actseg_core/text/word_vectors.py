"""Word vectors: the ones that ship with the package, or any word2vec file by path."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from actseg_core.errors import VocabularyError
from actseg_core.text.word2vec import read_vectors

SHIPPED = "glove+spacy"
# Columns of the shipped table: GloVe's 50 first, then spaCy's 300.
PARTS = {SHIPPED: slice(0, 350), "glove": slice(0, 50), "spacy": slice(50, 350)}
# Files list frequent words first. Of GoogleNews' 3 million these take 0.3 GB instead of 1.8.
MAX_WORDS = 500_000
DIGEST_ROWS = 1000
# What the digest of SHIPPED was while its predictions were multiplied in single precision, whose
# last bits differ between processors and numbers of threads.
SHIPPED_DIGEST = "5eb41c6c3f56cf7b"
EARLIER_DIGESTS = frozenset(
    {"f6483df3859e10f3", "c58fe21750b036f3", "b49b2ed7060485f2", "ae25b67346340a4a"}
)


class WordVectors:
    """A vocabulary with one row per word.

    A row of zeros says nothing: its word is unknown.

    Args:
        words: N different words.
        rows: (N, dim) floating point, finite.
    """

    def __init__(self, words: Sequence[str], rows: NDArray[np.floating]) -> None:
        self._words = words
        self._rows = rows
        self._places = {word: place for place, word in enumerate(words)}

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return int(self._rows.shape[1])

    @property
    def words(self) -> tuple[str, ...]:
        """The vocabulary; the shipped one begins with the most frequent words."""
        return tuple(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def __contains__(self, word: str) -> bool:
        return self.lookup(word) is not None

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits of the table's size and of about 1,000 of its rows."""
        rows = slice(None, None, max(1, len(self) // DIGEST_ROWS))
        state = hashlib.sha256(repr(self._rows.shape).encode())
        state.update(" ".join(self._words[rows]).encode("utf-8", "replace"))
        state.update(np.ascontiguousarray(self._rows[rows]).tobytes())
        return state.hexdigest()[:16]

    def is_the_one_of(self, digest: str) -> bool:
        """Whether a network with this `digest` was trained with this table."""
        earlier = EARLIER_DIGESTS if self.digest == SHIPPED_DIGEST else frozenset[str]()
        return digest == self.digest or digest in earlier

    def known(self, words: Iterable[str]) -> frozenset[str]:
        """Those of the words that have a vector."""
        return frozenset(word for word in words if word in self)

    def rows(self, words: Sequence[str], length: int) -> NDArray[np.float32]:
        """(length, dim) float32: the words' vectors, zeros for unknown words and behind the last.

        Args:
            words: At most `length`.
            length: Rows.
        """
        rows = np.zeros((length, self.dim), np.float32)
        for index, word in enumerate(words):
            row = self.lookup(word)
            if row is not None:
                rows[index] = row
        return rows

    def lookup(self, word: str) -> NDArray[np.float32] | None:
        """(dim,) float32, or None if the word is unknown."""
        place = self._places.get(word)
        if place is None:
            return None
        row: NDArray[np.float32] = np.asarray(self._rows[place], np.float32)
        return row if row.any() else None


@lru_cache(maxsize=4)
def load_word_vectors(source: str = SHIPPED) -> WordVectors:
    """Read word vectors.

    Args:
        source: "glove+spacy" (350-d, ships with the package: 50-d GloVe 6B and 300-d spaCy
            vectors, each of unit length), one half of it ("glove", "spacy"), or the path of a
            file: word2vec's binary form, as GoogleNews is distributed, or text as of word2vec,
            GloVe and fastText, packed (gzip, bzip2, xz) or not. Of a file the first MAX_WORDS
            words are read, in half precision if their numbers fit into it.

    Raises:
        VocabularyError: If there is no such source, or the file is damaged, lies about its size
            or holds numbers that are not finite; or if it is binary and gensim is not installed.
    """
    if source in PARTS:
        return _shipped(PARTS[source])
    path = Path(source)
    if not path.is_file():
        raise VocabularyError(
            f"word vectors {source!r} are neither one of {', '.join(PARTS)} nor a file; "
            "give the path of a word2vec .bin or .txt file"
        )
    return WordVectors(*read_vectors(path, MAX_WORDS))


def _shipped(columns: slice) -> WordVectors:
    path = Path(str(resources.files("actseg_core") / "text" / "words.safetensors"))
    try:
        with safe_open(path, framework="numpy") as file:
            words = json.loads(file.metadata()["words"])
            names = file.keys()  # the file object itself cannot be iterated
            table = _unpack({name: file.get_tensor(name) for name in names})
    except (OSError, SafetensorError, KeyError, ValueError, IndexError) as error:
        raise VocabularyError(
            f"the word vectors of the package are damaged ({error}); install actseg again"
        ) from error
    return WordVectors(words, np.ascontiguousarray(table[:, columns]))


def _unpack(stored: dict[str, NDArray[Any]]) -> NDArray[np.float16]:
    """GloVe's half beside spaCy's, each of length 1; as written by tools/export_word_vectors.py.

    Many words share a row of spaCy's table. Where such a row is far from what GloVe's vector
    predicts, `doubt` says how much of the prediction takes its place. Half precision is finer
    than the 8 bits that are stored, and halves the memory.
    """
    glove = _unit(stored["glove"].astype(np.float32) * stored["glove_scale"][:, np.newaxis])
    spacy = _unit(stored["spacy"].astype(np.float32) * stored["spacy_scale"][:, np.newaxis])
    spacy = spacy[stored["row"]]
    doubted = np.flatnonzero(stored["doubt"])
    doubt = stored["doubt"][doubted, np.newaxis].astype(np.float32)
    weights, bias = stored["prediction"][:-1], stored["prediction"][-1]
    # In double precision: rounded to half, every processor then has the same table and digest.
    predicted = _unit((glove[doubted].astype(np.float64) @ weights + bias).astype(np.float32))
    spacy[doubted] = _unit((1 - doubt) * spacy[doubted] + doubt * predicted)
    return np.concatenate([glove, spacy], axis=1, dtype=np.float16, casting="same_kind")


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = rows / np.maximum(length, np.float32(1e-8))
    return unit
