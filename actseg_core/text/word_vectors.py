"""Word vectors: the ones that ship with the package, or any word2vec file by path."""

import hashlib
import json
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import KeyedVectors
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from actseg_core.errors import VocabularyError

SHIPPED = "glove+spacy"
# Columns of the shipped table: GloVe's 50 first, then spaCy's 300.
PARTS = {SHIPPED: slice(0, 350), "glove": slice(0, 50), "spacy": slice(50, 350)}
MAX_HEADER_BYTES = 200
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

    Args:
        keyed: gensim's table.
    """

    def __init__(self, keyed: KeyedVectors) -> None:
        self._keyed = keyed

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return int(self._keyed.vector_size)

    def __len__(self) -> int:
        return len(self._keyed)

    def __contains__(self, word: str) -> bool:
        return word in self._keyed.key_to_index

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits of the table's size and of about 1,000 of its rows."""
        rows = slice(None, None, max(1, len(self) // DIGEST_ROWS))
        state = hashlib.sha256(repr(self._keyed.vectors.shape).encode())
        state.update(" ".join(self._keyed.index_to_key[rows]).encode("utf-8", "replace"))
        state.update(np.ascontiguousarray(self._keyed.vectors[rows]).tobytes())
        return state.hexdigest()[:16]

    def is_the_one_of(self, digest: str) -> bool:
        """Whether a network with this `digest` was trained with this table."""
        earlier = EARLIER_DIGESTS if self.digest == SHIPPED_DIGEST else frozenset[str]()
        return digest == self.digest or digest in earlier

    def lookup(self, word: str) -> NDArray[np.float32] | None:
        """(dim,) float32, or None if the word is unknown."""
        index = self._keyed.key_to_index.get(word)
        if index is None:
            return None
        row: NDArray[np.float32] = np.asarray(self._keyed.vectors[index], np.float32)
        return row

    def neighbours(self, word: str, count: int = 5) -> list[tuple[str, float]]:
        """The words nearest in angle, with their cosines.

        Raises:
            VocabularyError: If the word is unknown.
        """
        if word not in self:
            raise VocabularyError(f"there is no vector for {word!r}")
        return [
            (str(near), float(cosine))
            for near, cosine in self._keyed.most_similar(word, topn=count)
        ]


@lru_cache(maxsize=4)
def load_word_vectors(source: str = SHIPPED) -> WordVectors:
    """Read word vectors.

    Args:
        source: "glove+spacy" (350-d, ships with the package: 50-d GloVe 6B and 300-d spaCy
            vectors, each of unit length), one half of it ("glove", "spacy"), or the path of a
            word2vec file: .bin as GoogleNews is distributed, .txt or .vec as text. Of a file the
            first MAX_WORDS words are read, in half precision.

    Raises:
        VocabularyError: If there is no such source, or the file is damaged or lies about its
            size.
    """
    if source in PARTS:
        return WordVectors(_shipped(PARTS[source]))
    path = Path(source)
    if not path.is_file():
        raise VocabularyError(
            f"word vectors {source!r} are neither one of {', '.join(PARTS)} nor a file; "
            "give the path of a word2vec .bin or .txt file"
        )
    return WordVectors(_from_file(path))


def _shipped(columns: slice) -> KeyedVectors:
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
    rows = np.ascontiguousarray(table[:, columns])
    keyed = KeyedVectors(rows.shape[1], dtype=np.float16)
    keyed.add_vectors(words, rows)
    return keyed


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


def _from_file(path: Path) -> KeyedVectors:
    binary = path.suffix == ".bin"
    _check_header(path, binary)
    try:
        return KeyedVectors.load_word2vec_format(
            str(path), binary=binary, limit=MAX_WORDS, datatype=np.float16
        )
    except (ValueError, EOFError, UnicodeDecodeError, OSError, MemoryError) as error:
        raise VocabularyError(
            f"{path} is not a readable word2vec {'binary' if binary else 'text'} file: {error}"
        ) from error


def _check_header(path: Path, binary: bool) -> None:
    """Refuse a header that asks for more than the file holds, before gensim allocates for it."""
    with path.open("rb") as file:
        header = file.readline(MAX_HEADER_BYTES)
    try:
        count, dim = (int(part) for part in header.split())
    except ValueError:
        raise VocabularyError(
            f"{path} must start with '<number of words> <width>', got {header[:40]!r}"
        ) from None
    smallest = count * (dim * (4 if binary else 2) + 1)
    if min(count, dim) < 1 or smallest > path.stat().st_size:
        raise VocabularyError(
            f"{path} promises {count} words of width {dim}, at least {smallest} bytes, but has "
            f"{path.stat().st_size}; is the download complete?"
        )
