"""Word vectors of the package and of users' files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from actseg_core.errors import VocabularyError
from actseg_core.text import word_vectors
from actseg_core.text.word_vectors import WordVectors, load_word_vectors


def cosine(vectors: WordVectors, first: str, second: str) -> float:
    a, b = vectors.lookup(first), vectors.lookup(second)
    assert a is not None
    assert b is not None
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize(
    ("source", "dim", "length"), [("glove", 50, 1), ("spacy", 300, 1), ("glove+spacy", 350, 2)]
)
def test_halves_have_unit_length(source: str, dim: int, length: int) -> None:
    vectors = load_word_vectors(source)

    assert vectors.dim == dim
    assert len(vectors) > 40_000
    for word in ("dog", "running", "leftmost", "puppy"):
        row = vectors.lookup(word)
        assert row is not None
        assert row.dtype == np.float32
        assert row @ row == pytest.approx(length, rel=2e-3)


def test_joined_rows_are_glove_then_spacy() -> None:
    parts = [load_word_vectors(source).lookup("dog") for source in ("glove", "spacy")]

    np.testing.assert_array_equal(load_word_vectors().lookup("dog"), np.concatenate(parts))


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [
        ("puppy", "dog", "cat"),
        ("kitten", "cat", "dog"),
        ("lorry", "truck", "bicycle"),
        ("toddler", "baby", "truck"),
        ("strolling", "walking", "eating"),
        ("sprinting", "running", "printing"),  # spaCy's table has one row for the last two
        ("leftmost", "left", "right"),  # spaCy's table has one row for leftmost and right
        ("rightmost", "right", "left"),
        ("climber", "climbing", "swimming"),
        ("motorbike", "motorcycle", "bird"),
    ],
)
def test_words_that_a_robot_is_told_lie_by_their_meaning(word: str, near: str, far: str) -> None:
    vectors = load_word_vectors()

    assert cosine(vectors, word, near) > cosine(vectors, word, far)


def test_words_that_must_differ_do() -> None:
    vectors = load_word_vectors()
    colours = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "white")

    pairs = [(a, b) for i, a in enumerate(colours) for b in colours[:i]]
    pairs += [("left", "right"), ("leftmost", "rightmost"), ("climbing", "climber")]
    pairs += [("dog", "cat"), ("dog", "puppy"), ("running", "walking"), ("man", "woman")]

    assert {
        pair: round(cosine(vectors, *pair), 2) for pair in pairs if cosine(vectors, *pair) > 0.9
    } == {}


def test_vocabulary_holds_every_word_of_the_labels_and_common_spellings() -> None:
    vectors = load_word_vectors()

    words = "adult baby ball bird car cat dog climbing crawling eating flying jumping rolling"
    for word in f"{words} running walking t-shirt tshirt number grey gray 7".split():
        assert word in vectors, word
    assert "qzxv" not in vectors
    assert vectors.lookup("qzxv") is None
    np.testing.assert_array_equal(vectors.lookup("tshirt"), vectors.lookup("t-shirt"))


def packed(prediction: np.ndarray, doubt: list[float]) -> dict[str, np.ndarray]:
    """Two words that share spaCy's only row (0, 1); GloVe's rows are (1, 0) and (0, -1)."""
    return {
        "glove": np.array([[127, 0], [0, -127]], np.int8),
        "glove_scale": np.full(2, 1 / 127, np.float32),
        "spacy": np.array([[0, 4]], np.int8),
        "spacy_scale": np.ones(1, np.float32),
        "row": np.zeros(2, np.int32),
        "doubt": np.array(doubt, np.float16),
        "prediction": prediction.astype(np.float32),
    }


def test_a_doubted_row_moves_to_what_glove_predicts() -> None:
    # Second word: GloVe's (0, -1) times [[0, 0], [-3, 0]] plus bias (0, 0) is (3, 0), as a
    # direction (1, 0). Half (0, 1) and half (1, 0) points to (0.7071, 0.7071).
    prediction = np.array([[0, 0], [-3, 0], [0, 0]])

    rows = word_vectors._unpack(packed(prediction, [0, 0.5]))

    np.testing.assert_allclose(rows, [[1, 0, 0, 1], [0, -1, 0.7071, 0.7071]], atol=1e-3)


def test_an_undoubted_row_is_shared() -> None:
    rows = word_vectors._unpack(packed(np.full((3, 2), 9.0), [0, 0]))

    np.testing.assert_array_equal(rows[0, 2:], rows[1, 2:])


def test_a_damaged_table_of_the_package_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "text"
    folder.mkdir()
    stored = packed(np.zeros((3, 2)), [0, 0])
    del stored["row"]
    save_file(stored, folder / "words.safetensors", {"words": json.dumps(["a", "b"])})
    monkeypatch.setattr(word_vectors.resources, "files", lambda _: tmp_path)

    with pytest.raises(VocabularyError, match="package are damaged .'row'.; install actseg again"):
        word_vectors._shipped(slice(0, 4))


def test_an_unknown_source_lists_the_known_ones() -> None:
    with pytest.raises(VocabularyError, match=r"'glvoe' are neither one of .*glove.*nor a file"):
        load_word_vectors("glvoe")


def test_the_digest_tells_tables_apart() -> None:
    first, again, other = ({"dog": [1, 0]}, {"dog": [1, 0]}, {"dog": [1, 0.5]})
    digests = []
    for rows in (first, again, other, {"cat": [1, 0]}):
        digests.append(WordVectors(list(rows), np.array(list(rows.values()), np.float32)).digest)

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    assert load_word_vectors("glove").digest != load_word_vectors("spacy").digest


@pytest.mark.parametrize("processor", ["", "Prescott"])
def test_the_shipped_table_is_the_same_on_every_processor(processor: str) -> None:
    """OpenBLAS has other kernels, and other roundings, for each."""
    command = "from actseg_core.text import word_vectors as e; print(e.load_word_vectors().digest)"
    kernels = {"OPENBLAS_CORETYPE": processor} if processor else {}
    done = subprocess.run(
        [sys.executable, "-c", command],
        env={**os.environ, **kernels},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == [word_vectors.SHIPPED_DIGEST]


def test_networks_trained_before_the_table_was_the_same_everywhere_are_accepted() -> None:
    shipped = load_word_vectors()

    assert shipped.is_the_one_of("f6483df3859e10f3")  # that of the lite weights
    assert not load_word_vectors("spacy").is_the_one_of("f6483df3859e10f3")


def test_the_path_from_a_sentence_to_a_mask_needs_no_gensim() -> None:
    command = """
import sys
sys.modules["gensim"] = None  # as if it were not installed
import actseg_core.cli.main, actseg_core.predictor, actseg_core.streaming.engine
from actseg_core.config import TextConfig
from actseg_core.text.sentence import load_reader
print(load_reader(TextConfig()).read("person in red").unknown)
"""
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "()", done.stderr


def test_rows_of_words_are_padded_and_unknown_words_are_zeros() -> None:
    vectors = WordVectors(("dog", "red"), np.array([[1.0, 2.0], [3.0, 4.0]], np.float32))
    rows = vectors.rows(("red", "qwertz", "dog"), 4)
    assert rows.tolist() == [[3, 4], [0, 0], [1, 2], [0, 0]]
    assert rows.dtype == np.float32
    assert vectors.known(("red", "qwertz", "dog")) == {"red", "dog"}
