"""Word vector files as they are handed round: read, or refused with the reason."""

import bz2
import gzip
import io
import lzma
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from damaged_files import changed_bytes
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.errors import VocabularyError
from actseg_core.text import word_vectors
from actseg_core.text.word2vec import read_vectors
from actseg_core.text.word_vectors import load_word_vectors

KeyedVectors = pytest.importorskip(
    "gensim.models", reason="Python 3.14 has no gensim"
).KeyedVectors

WORDS = {"dog": [1.0, 2.0, 3.0], "Dog": [0.0, 0.5, 0.25]}
LIMIT = 1000
TEXT = b"2 3\ndog 1 2 3\nDog 0 0.5 0.25\n"


def binary(rows: dict[bytes, list[float]]) -> bytes:
    """As word2vec writes it: header, then per word its name, a space and packed numbers."""
    packed = b"".join(
        name + b" " + struct.pack(f"<{len(row)}f", *row) for name, row in rows.items()
    )
    return f"{len(rows)} {len(next(iter(rows.values())))}\n".encode() + packed


BINARY = binary({word.encode(): row for word, row in WORDS.items()})


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("vectors.txt", content)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["news.bin", "news.txt", "news.vec"])
def test_files_that_gensim_wrote_are_read_by_path(tmp_path: Path, name: str) -> None:
    keyed = KeyedVectors(3)
    keyed.add_vectors(list(WORDS), np.array(list(WORDS.values()), np.float32))
    keyed.save_word2vec_format(str(tmp_path / name), binary=name == "news.bin")

    vectors = load_word_vectors(str(tmp_path / name))

    assert (len(vectors), vectors.dim) == (2, 3)
    for word, row in WORDS.items():
        np.testing.assert_array_equal(vectors.lookup(word), row)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("GoogleNews.bin.gz", gzip.compress(BINARY, mtime=0)),
        ("packed_without_saying.bin", gzip.compress(BINARY, mtime=0)),
        ("not_packed.bin.gz", BINARY),
        ("NEWS.BIN", BINARY),
        ("no_ending", BINARY),
        ("binary_that_says_text.txt", BINARY),
        ("text_that_says_binary.bin", TEXT),
        ("vectors.txt.gz", gzip.compress(TEXT, mtime=0)),
        ("vectors.txt.bz2", bz2.compress(TEXT)),
        ("vectors.vec.xz", lzma.compress(TEXT)),
        ("glove.txt", TEXT.split(b"\n", 1)[1]),
        ("marked.txt", b"\xef\xbb\xbf" + TEXT),
        ("marked_glove.txt", b"\xef\xbb\xbf" + TEXT.split(b"\n", 1)[1]),
        ("windows.txt", TEXT.replace(b"\n", b"\r\n")),
        ("tabs.txt", TEXT.replace(b" ", b"\t")),
        ("fasttext.vec", TEXT.replace(b"\n", b" \n")),
        ("blank_lines.txt", TEXT.replace(b"\n", b"\n\n")),
    ],
)
def test_what_a_file_is_its_content_says(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    words, rows = read_vectors(tmp_path / name, LIMIT)

    assert words == list(WORDS)
    np.testing.assert_array_equal(rows, list(WORDS.values()))


@pytest.mark.parametrize("line", [b"at name@x.org", b". . .", b"\xe3\x80\x80", b"\xc2\xa0"])
def test_a_word_with_spaces_costs_no_other_word(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "glove.840B.txt"
    path.write_bytes(b"dog 1 2 3\n" + line + b" 4 5 6\nman 7 8 9\n")

    words, rows = read_vectors(path, LIMIT)

    assert words == ["dog", line.decode(), "man"]
    np.testing.assert_array_equal(rows[2], [7, 8, 9])


def test_a_missing_word_costs_no_other_word(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"dog 1 2 3\n 4 5 6\nman 7 8 9\n")
    assert read_vectors(tmp_path / "a.txt", LIMIT)[0] == ["dog", "", "man"]


@pytest.mark.parametrize("text", [False, True])
def test_a_word_that_was_cut_within_a_letter_is_never_taken_for_another(
    tmp_path: Path, text: bool
) -> None:
    rows = {b"m\xc3": [9.0, 9.0, 9.0], b"m": [1.0, 1.0, 1.0]}
    path = tmp_path / "cut"
    path.write_bytes(b"2 3\nm\xc3 9 9 9\nm 1 1 1\n" if text else binary(rows))

    vectors = load_word_vectors(str(path))

    np.testing.assert_array_equal(vectors.lookup("m"), [1, 1, 1])
    assert "m\ufffd" in vectors


TWICE = b"".join(b"dog " + np.array(row, "<f4").tobytes() for row in ([1, 2], [3, 4]))


@pytest.mark.parametrize(
    "content", [b"2 2\ndog 1 2\ndog 3 4\n", b"dog 1 2\ndog 3 4\n", b"2 2\n" + TWICE]
)
def test_of_equal_words_the_first_counts(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    words, rows = read_vectors(tmp_path / "a.txt", LIMIT)
    assert words == ["dog"]
    np.testing.assert_array_equal(rows, [[1, 2]])


def test_numbers_are_kept_in_half_precision_where_they_fit(tmp_path: Path) -> None:
    for scale, dtype in ((1.0, np.float16), (1e6, np.float32), (1e-6, np.float32)):
        path = tmp_path / f"{scale}.bin"
        path.write_bytes(binary({b"dog": [0.5 * scale, 0.25 * scale]}))
        rows = read_vectors(path, LIMIT)[1]
        assert rows.dtype == dtype
        np.testing.assert_allclose(rows, [[0.5 * scale, 0.25 * scale]], rtol=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_by_their_word(
    tmp_path: Path, wrong: float
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(binary({b"dog": [1, 2], b"man": [1, wrong], b"red": [wrong, 2]}))
    for content in (path.read_bytes(), f"dog 1 2\nman 1 {wrong}\nred {wrong} 2\n".encode()):
        path.write_bytes(content)
        with pytest.raises(
            VocabularyError, match=r"vector of 'man' in .* NaN or infinity, as do those of 1 other"
        ):
            read_vectors(path, LIMIT)


def test_a_row_of_zeros_makes_no_word_known(tmp_path: Path) -> None:
    (tmp_path / "padded.txt").write_bytes(b"pad 0 0\ndog 1 0\n")
    vectors = load_word_vectors(str(tmp_path / "padded.txt"))
    assert "pad" not in vectors and vectors.lookup("pad") is None
    assert "dog" in vectors


@pytest.mark.parametrize("content", [BINARY, TEXT, TEXT.split(b"\n", 1)[1]])
def test_only_the_first_words_of_a_long_file_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(word_vectors, "MAX_WORDS", 1)
    (tmp_path / "long").write_bytes(content)

    vectors = load_word_vectors(str(tmp_path / "long"))

    assert "dog" in vectors
    assert "Dog" not in vectors


def test_long_text_files_are_read_whole(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(10_000, 3)).astype(np.float32)
    lines = [f"w{place} {row[0]} {row[1]} {row[2]}\n" for place, row in enumerate(rows)]
    (tmp_path / "long.txt").write_text("".join(lines))

    words, read = read_vectors(tmp_path / "long.txt", 20_000)

    assert words == [f"w{place}" for place in range(10_000)]
    np.testing.assert_array_equal(read, rows.astype(np.float16))


def test_a_header_that_promises_more_than_the_file_holds_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.bin"
    path.write_bytes(b"100000000 300\n" + b"dog " + struct.pack("<3f", 1, 2, 3))

    with pytest.raises(
        VocabularyError,
        match=r"promises 100000000 words of width 300 .* at least 120100000000 bytes, but has 30",
    ):
        read_vectors(path, LIMIT)


@pytest.mark.parametrize(
    "header", [b"-5 300", b"5 0", b"dog 3", b"", b"1 99999", b"dog 1 two", b"9" * 5000 + b" 3"]
)
def test_a_start_that_says_no_width_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "odd.bin"
    path.write_bytes(header + b"\n" + b"x" * 4000)

    with pytest.raises(VocabularyError, match=r"odd\.bin (must start with|promises)"):
        read_vectors(path, LIMIT)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"2 3\ndog 1 2 3\nDog 0 0.5", r"line 3 must be a word and 3 numbers, got b'Dog 0 0\.5'"),
        (b"2 3\ndog 1 2 3\nDog 5\n", "line 3 must be a word and 3 numbers"),
        (b"2 3\ndog 1,0 2,0 3,0\n", "line 2 must be a word and 3 numbers"),
        (b"3 3\ndog 1 2 3\nDog 0 0.5 0.25\n", "its header promises 3 words, it has 2"),
        (b"1 2 3\nx\n", "line 2 must be a word and 2 numbers"),
        (BINARY[:-6], "binary file: unexpected end of input"),
        (gzip.compress(BINARY, mtime=0)[:-12], "Compressed file ended before the end"),
        (gzip.compress(BINARY, mtime=0)[:-6] + b"abcdef", "CRC check failed"),
        (zipped(TEXT), "is a zip archive; unpack it and give the file inside"),
        (TEXT.decode().encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", r"is a fastText model; give the \.vec file beside it"),
        (b"\x89HDF\r\n\x1a\n", "is an HDF5 file; export the vectors"),
        (b"1 2\n\n\n\n", "its header promises 1 words, it has 0"),
        (b"word,0.1,0.2,0.3\n", "must start with '<number of words> <width>' or, like GloVe's"),
    ],
)
def test_other_and_damaged_files_are_refused_with_the_reason(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "a.vec").write_bytes(content)
    with pytest.raises(VocabularyError, match=r"a\.vec.*" + problem):
        read_vectors(tmp_path / "a.vec", LIMIT)


def test_a_gensim_pickle_is_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "model.kv"
    keyed = KeyedVectors(3)
    keyed.add_vectors(["dog"], np.ones((1, 3), np.float32))
    keyed.save(str(path))

    with pytest.raises(VocabularyError, match="must start with '<number of words> <width>'"):
        read_vectors(path, LIMIT)


def test_without_gensim_text_is_read_and_a_binary_file_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "a.bin").write_bytes(BINARY)

    assert read_vectors(tmp_path / "a.txt", LIMIT)[0] == ["dog", "Dog"]
    with pytest.raises(VocabularyError, match=r"a\.bin needs gensim, .* pip install gensim"):
        read_vectors(tmp_path / "a.bin", LIMIT)


@pytest.mark.parametrize(
    "content",
    [BINARY, TEXT, TEXT.split(b"\n", 1)[1], gzip.compress(BINARY, mtime=0), lzma.compress(TEXT)],
    ids=["binary", "text", "glove", "gzip", "xz"],
)
@given(data=st.data())
def test_a_file_changed_anywhere_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    content: bytes,
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed_vectors"
    path.write_bytes(data.draw(changed_bytes(content)))
    try:
        words, rows = read_vectors(path, LIMIT)
    except VocabularyError:
        return
    assert len(words) == len(rows) == len(set(words)) > 0
    assert np.isfinite(rows).all()
