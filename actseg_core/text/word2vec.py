"""Word vector files as they are handed round: word2vec's two forms, GloVe's, fastText's .vec.

What a file is, its content says, not its name: packed or not, binary or text, with or without a
header line. Text is read here, as gensim takes neither words with spaces in them (GloVe 840B has
some) nor tabs; gensim reads the binary form.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from actseg_core.errors import VocabularyError

MAX_WIDTH = 10_000
MAX_LINE_BYTES = 1_000_000
BLOCK_ROWS = 4096
FINEST_HALF = 0.01
"""Where no number is larger than this, half precision would lose more than the third digit."""
UTF8_MARK = b"\xef\xbb\xbf"
PACKED: dict[bytes, tuple[str, Callable[..., object]]] = {
    b"\x1f\x8b": (".gz", gzip.open),
    b"BZh": (".bz2", bz2.open),
    b"\xfd7zXZ\x00": (".xz", lzma.open),
}
FOREIGN = {
    b"PK\x03\x04": "is a zip archive; unpack it and give the file inside",
    b"\xff\xfe": "is UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text; save it as UTF-8",
    b"\xba\x16\x4f\x2f": "is a fastText model; give the .vec file beside it",
    b"\x89HDF": "is an HDF5 file; export the vectors in word2vec's format",
}
DAMAGE = (ValueError, EOFError, OSError, MemoryError, AssertionError, zlib.error, lzma.LZMAError)
"""What gensim, the unpackers and NumPy raise about damaged files."""


@dataclass(frozen=True)
class _Layout:
    """What a file is: rows promised by its header (None: it has none), width, form."""

    count: int | None
    width: int
    binary: bool


def read_vectors(path: Path, limit: int) -> tuple[list[str], NDArray[np.floating]]:
    """The first words of a file and their vectors.

    Bytes of a word that are no UTF-8 become U+FFFD; of equal words the first counts.

    Args:
        path: The file.
        limit: Most words to read.

    Returns:
        N words and their (N, width) vectors: float16 where their numbers fit into it, else
        float32. All are finite.

    Raises:
        VocabularyError: If the file is no such file, damaged, lies about its size or holds numbers
            that are not finite; or if it is binary and gensim is not installed.
    """
    layout = _layout(path)
    for dtype in (np.float16, np.float32):
        try:
            with np.errstate(over="ignore"):
                words, rows = (_binary if layout.binary else _text)(path, layout, limit, dtype)
        except DAMAGE as error:
            raise VocabularyError(
                f"{path} is not a readable word2vec {'binary' if layout.binary else 'text'} file: "
                f"{error}"
            ) from error
        if not words:
            raise VocabularyError(f"{path} holds no word vector")
        if FINEST_HALF <= max(rows.max(), -rows.min()) < np.inf:
            break
    damaged = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(damaged):
        raise VocabularyError(
            f"the vector of {words[damaged[0]]!r} in {path} holds NaN or infinity, as do those of "
            f"{len(damaged) - 1} other words; export the file again"
        )
    return words, rows


def _layout(path: Path) -> _Layout:
    try:
        with _open(path) as file:
            first = file.readline(MAX_LINE_BYTES).removeprefix(UTF8_MARK)
            second = file.readline(MAX_LINE_BYTES)
    except DAMAGE as error:
        raise VocabularyError(f"cannot read {path}: {error}; is the download complete?") from error
    parts = first.split()
    if len(parts) == 2 and all(part.isdigit() and len(part) < 16 for part in parts):
        layout = _Layout(int(parts[0]), int(parts[1]), _is_binary(second, int(parts[1])))
        _check_promise(path, layout)
        return layout
    if len(parts) < 3 or not all(map(_is_number, parts[1:])):
        raise VocabularyError(
            f"{path} must start with '<number of words> <width>' or, like GloVe's files, with a "
            f"word and its numbers, got {first[:40]!r}"
        )
    return _Layout(None, len(parts) - 1, False)


def _open(path: Path) -> BinaryIO:
    """The unpacked content.

    Raises:
        VocabularyError: If it begins as another kind of file does.
    """
    with path.open("rb") as file:
        start = file.read(8)
    for mark, hint in FOREIGN.items():
        if start.startswith(mark):
            raise VocabularyError(f"{path} {hint}")
    for mark, (_, opener) in PACKED.items():
        if start.startswith(mark):
            return cast(BinaryIO, opener(path, "rb"))
    return path.open("rb")


def _check_promise(path: Path, layout: _Layout) -> None:
    """Refuse a header that asks for more than the file holds, before anything is allocated.

    Raises:
        VocabularyError: If it does, or asks for nothing.
    """
    count, width, size = layout.count or 0, layout.width, path.stat().st_size
    smallest = count * ((4 if layout.binary else 2) * width + 1)
    packed = _suffix(path) != ""
    if min(count, width) < 1 or width > MAX_WIDTH or (smallest > size and not packed):
        raise VocabularyError(
            f"{path} promises {count} words of width {width} (at most {MAX_WIDTH}), at least "
            f"{smallest} bytes, but has {size}; is the download complete?"
        )


def _suffix(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(8)
    return next((ending for mark, (ending, _) in PACKED.items() if start.startswith(mark)), "")


def _is_binary(row: bytes, width: int) -> bool:
    """Whether a first row is a word with packed numbers, not with written ones."""
    if all(map(_is_number, row.rsplit(maxsplit=width)[1:])):
        return False
    try:
        return not all(sign.isprintable() or sign.isspace() for sign in row.decode("utf-8"))
    except UnicodeDecodeError:
        return True


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _binary(
    path: Path, layout: _Layout, limit: int, dtype: DTypeLike
) -> tuple[list[str], NDArray[np.floating]]:
    try:
        from gensim.models import KeyedVectors
    except ImportError as error:
        raise VocabularyError(
            f"reading {path} needs gensim, which is not installed; pip install gensim, give the "
            "vectors as text, or use those of the package (text.vectors)"
        ) from error
    with TemporaryDirectory() as folder:
        # gensim goes by the name's ending when it unpacks.
        named = Path(folder) / f"vectors{_suffix(path)}"
        named.symlink_to(path.resolve())
        keyed = KeyedVectors.load_word2vec_format(
            str(named), binary=True, limit=limit, datatype=dtype, unicode_errors="replace"
        )
    # Of a word that comes twice gensim keeps the first, and leaves a nameless place at the end.
    words = [word for word in keyed.index_to_key if word is not None]
    return words, keyed.vectors[: len(words)]


def _text(
    path: Path, layout: _Layout, limit: int, dtype: DTypeLike
) -> tuple[list[str], NDArray[np.floating]]:
    wanted = limit if layout.count is None else min(limit, layout.count)
    words: dict[str, None] = {}
    blocks: list[NDArray[np.floating]] = []
    block: list[list[float]] = []
    read = 0
    for word, row in _lines(path, layout):
        if read == wanted:
            break
        read += 1
        if word in words:
            continue
        words[word] = None
        block.append(row)
        if len(block) == BLOCK_ROWS:
            blocks.append(np.array(block, dtype))
            block = []
    if layout.count is not None and read < wanted:
        raise EOFError(f"its header promises {layout.count} words, it has {read}")
    blocks.append(np.array(block, dtype).reshape(-1, layout.width))
    return list(words), np.concatenate(blocks)


def _lines(path: Path, layout: _Layout) -> Iterator[tuple[str, list[float]]]:
    """Word and numbers of each line.

    Raises:
        ValueError: If a line is not a word and as many numbers as the first.
    """
    with _open(path) as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES):
            number += 1
            if number == 1:
                line = line.removeprefix(UTF8_MARK)
                if layout.count is not None:
                    continue
            if not line.strip():
                continue
            # From the right: a word may hold spaces, and may be missing.
            word, *row = (b"x" + line).rsplit(maxsplit=layout.width)
            try:
                numbers = [float(part) for part in row]
            except ValueError:
                numbers = []
            if len(numbers) != layout.width:
                raise ValueError(
                    f"line {number} must be a word and {layout.width} numbers, got {line[:60]!r}"
                )
            yield word[1:].strip().decode("utf-8", "replace"), numbers
