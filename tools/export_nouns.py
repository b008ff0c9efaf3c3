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
from pathlib import Path

import numpy as np
import wordnet
from noun_meanings import Classes, Meaning, read_imagenet
from numpy.typing import NDArray
from verb_motion import motion_of_verbs

from actseg_core.text.lexicon import MOTIONS, PARTS_OF_SPEECH, ROLES

ENTRY_LIMIT = 255
# Senses chosen by hand where frequency in newspapers misleads, with their weights.
CHOSEN: dict[str, dict[int, float]] = {
    "bat": {1: 1.0, 5: 0.8},  # the club has a COCO class, the animal none
    "bike": {2: 1.0, 1: 0.6},  # a bicycle first, WordNet says a motorcycle
    "crane": {5: 1.0, 4: 0.8},  # the bird and the machine
    "glass": {2: 1.0},  # to drink from, not the material
    "mouse": {4: 1.0, 1: 0.6},  # the computer's has a COCO class, of the animal only kin
    "scooter": {3: 1.0, 2: 0.8},  # not the water scooter
    "seal": {9: 1.0},  # the animal, not the wax
    "stroller": {2: 1.0},  # the pram
    "turtle": {2: 1.0},  # not the sweater
    "van": {5: 1.0},  # not the railway's
}
# WordNet's vehicles leave out trains and buses.
SAME_AS = {"vehicle": "conveyance 3", "vehicles": "conveyance 3", "transport": "conveyance 3"}
# Words for people that WordNet takes for groups, numbers or pronouns, and words for anything.
PEOPLE = (
    *("somebody", "someone", "anybody", "anyone", "everybody", "everyone", "people", "folks"),
    *(
        "crowd",
        "couple",
        "team",
        "family",
        "police",
        "audience",
        "band",
        "he",
        "she",
        "him",
        "her",
    ),
    *("they", "them", "who", "pedestrian", "mom", "mum", "dad", "guys"),
)
ANYTHING = ("one", "thing", "something", "anything", "object", "ones", "things", "it", "this")


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--imagenet", type=Path, required=True, help="timm/data/_info")
    parser.add_argument("--wordnet", type=Path, default=wordnet.FOLDER)
    options = parser.parse_args()
    from actseg_core.text.word_vectors import load_word_vectors

    vectors = load_word_vectors()
    vocabulary = list(vectors._keyed.index_to_key)  # noqa: SLF001
    parts = {name: wordnet.read(name, options.wordnet) for name in PARTS_OF_SPEECH}
    synsets, names = read_imagenet(options.imagenet)
    classes = Classes(parts["noun"], synsets)
    entries = noun_entries(vocabulary, classes)
    table = pack_nouns(entries)
    table |= pack_words(vocabulary, parts)
    table["imagenet_names"] = text(names)
    table["coco_names"] = text(classes.coco_names)
    np.savez_compressed(options.output, **table)
    print(f"{len(entries)} nouns, {options.output.stat().st_size} bytes")


def noun_entries(vocabulary: list[str], classes: Classes) -> dict[str, tuple[str, Meaning]]:
    """Lemma and meaning of each noun and compound."""
    nouns = classes.nouns
    entries: dict[str, tuple[str, Meaning]] = {}
    person = classes.of_lemma("person", {1: 1.0})
    anything = Meaning(
        dict.fromkeys(range(1000), 1.0), dict.fromkeys(range(80), 1.0), "thing", 1.0
    )
    for word in vocabulary:
        if word in PEOPLE:
            entries[word] = (word, person)
        elif word in ANYTHING:
            entries[word] = (word, anything)
        elif lemma := noun_lemma(word, classes):
            entries[word] = (lemma, classes.of_lemma(lemma, CHOSEN.get(lemma)))
    for index, name in enumerate(classes.coco_names):
        old = entries.get(name, (name, Meaning()))[1]
        role = "thing" if old.role == "none" else old.role
        entries[name] = (name, Meaning(old.imagenet, {index: 1.0}, role, 1.0))
    for name, sense in SAME_AS.items():
        entries[name] = (name, classes.of_sense(classes.offset(sense)))
    known = set(vocabulary)
    for compound in nouns.senses:
        words = compound.split("_")
        if not 2 <= len(words) <= 3 or compound.replace("_", " ") in entries:
            continue
        meaning = classes.of_lemma(compound)
        is_class = any(o in classes.class_of for o in nouns.senses[compound])
        wanted = is_class or (meaning.known > 0 and known.issuperset(words))
        last = entries.get(words[-1], ("", Meaning()))[1]
        if wanted and meaning != last:
            entries[" ".join(words)] = (" ".join(words), meaning)
    for offset in classes.class_of:
        for lemma in (lemma.lower() for lemma in nouns.synsets[offset].lemmas):
            if lemma.isalpha() and lemma not in entries:
                entries[lemma] = (lemma, classes.of_lemma(lemma))
    return entries


def noun_lemma(word: str, classes: Classes) -> str | None:
    """The noun that a word is a form of; an irregular plural first, then itself, then regular."""
    nouns = classes.nouns
    if word in nouns.forms and (found := wordnet.noun_lemmas(word, nouns)):
        return found[0]
    regular = wordnet.noun_lemmas(word, nouns)
    if word in nouns.senses and not (regular and len(word) > 4):
        return word
    return regular[0] if regular else None


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
        weights += [round(ENTRY_LIMIT * w) for _, w in cells]
        start.append(len(ids))
    return {
        "nouns": text(words),
        "meaning": np.array(of_word, np.uint16),
        "lemma": np.array(lemma, np.int32),
        "start": np.array(start, np.int32),
        "classes": np.array(ids, np.uint16),
        "weights": np.array(weights, np.uint8),
        "role": np.array([ROLES.index(m.role) for m in unique], np.uint8),
        "known": np.array([round(ENTRY_LIMIT * m.known) for m in unique], np.uint8),
    }


def pack_words(
    vocabulary: list[str], parts: dict[str, wordnet.Part]
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
