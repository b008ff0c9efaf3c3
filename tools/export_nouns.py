"""Make the table of nouns that ships with actseg (actseg_core/text/nouns.npz).

For each noun: the ImageNet and COCO classes that it stands for, what kind of thing it is, and how
well it is known. For each word: which parts of speech it can be, its verb and how that moves.

Sources: WordNet 3 (Debian's wordnet-base in /usr/share/wordnet; licence in NOTICE), the list and
the names of ImageNet's 1,000 classes (folder timm/data/_info of the PyPI package timm, Apache-2.0,
unpacked and given on the command line), the names of COCO's 80 classes, and the word vectors that
actseg ships.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import wordnet
from noun_classes import Classes, read_imagenet
from noun_entries import Entries
from noun_meanings import Meaning, Meanings
from noun_vectors import Near
from numpy.typing import NDArray
from verb_motion import motion_of_verbs

from actseg_core.text.lexicon import MOTIONS, PARTS_OF_SPEECH, ROLES
from actseg_core.text.word_vectors import load_word_vectors

FULL = 255  # a weight of 1


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--imagenet", type=Path, required=True, help="timm/data/_info")
    parser.add_argument("--wordnet", type=Path, default=wordnet.FOLDER)
    options = parser.parse_args()
    vectors = load_word_vectors()
    parts = {name: wordnet.read(name, options.wordnet) for name in PARTS_OF_SPEECH}
    synsets, names = read_imagenet(options.imagenet)
    classes = Classes(parts["noun"], synsets)
    near = Near(vectors, parts["noun"], list(classes.imagenet_of))
    entries = Entries(Meanings(classes, near), vectors.words, parts["adj"].senses).collect()
    table = pack_nouns(entries)
    table |= pack_words(vectors.words, parts)
    table["imagenet_names"] = text(names)
    table["coco_names"] = text(classes.coco_names)
    np.savez_compressed(options.output, **table)
    print(f"{len(entries)} nouns, {options.output.stat().st_size} bytes")


def pack_nouns(entries: dict[str, tuple[str, Meaning]]) -> dict[str, NDArray[np.generic]]:
    """Arrays: words, each with its lemma and meaning; meanings as rows of sparse weights."""
    meanings: dict[str, int] = {}
    unique: list[Meaning] = []
    words = sorted(entries)
    index = {word: number for number, word in enumerate(words)}
    of_word, lemma = [], []
    for number, word in enumerate(words):
        name, meaning = entries[word]
        key = json.dumps(
            [
                sorted(meaning.imagenet.items()),
                sorted(meaning.coco.items()),
                meaning.role,
                round(meaning.known, 2),
            ]
        )
        if key not in meanings:
            meanings[key] = len(unique)
            unique.append(meaning)
        of_word.append(meanings[key])
        lemma.append(index.get(name, number))
    start, ids, weights = [0], [], []
    for meaning in unique:
        cells = sorted(meaning.imagenet.items())
        cells += [(1000 + k, w) for k, w in sorted(meaning.coco.items())]
        ids += [k for k, _ in cells]
        weights += [round(FULL * w) for _, w in cells]
        start.append(len(ids))
    return {
        "nouns": text(words),
        "meaning": np.array(of_word, np.uint16),
        "lemma": np.array(lemma, np.int32),
        "start": np.array(start, np.int32),
        "classes": np.array(ids, np.uint16),
        "weights": np.array(weights, np.uint8),
        "role": np.array([ROLES.index(m.role) for m in unique], np.uint8),
        "known": np.array([round(FULL * m.known) for m in unique], np.uint8),
    }


def pack_words(
    vocabulary: Sequence[str], parts: dict[str, wordnet.Part]
) -> dict[str, NDArray[np.generic]]:
    """Arrays: words, how often each is which part of speech, its verb and that verb's motion."""
    motion = motion_of_verbs(parts["verb"])
    verbs = sorted(parts["verb"].senses)
    number = {verb: index for index, verb in enumerate(verbs)}
    words, rows, verb = [], [], []
    for word in sorted(vocabulary):
        lemmas = {
            "noun": [word, *wordnet.noun_lemmas(word, parts["noun"])],
            "verb": [*wordnet.verb_lemmas(word, parts["verb"]), word],
            "adj": [word],
            "adv": [word],
        }
        row = []
        for name in PARTS_OF_SPEECH:
            found = [lemma for lemma in lemmas[name] if lemma in parts[name].senses]
            count = sum(parts[name].count(lemma) for lemma in dict.fromkeys(found))
            row.append(0 if not found else min(1 + int(np.log2(1 + count)), 15))
        if any(row):
            words.append(word)
            rows.append(row)
            found = [lemma for lemma in lemmas["verb"] if lemma in number]
            verb.append(number[found[0]] if found else -1)
    return {
        "words": text(words),
        "parts_of_speech": np.array(rows, np.uint8),
        "verb": np.array(verb, np.int16),
        "verbs": text(verbs),
        "motion": np.array([MOTIONS.index(motion[name]) for name in verbs], np.uint8),
    }


def text(lines: list[str]) -> NDArray[np.uint8]:
    """Lines as UTF-8 bytes."""
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


if __name__ == "__main__":
    main()
