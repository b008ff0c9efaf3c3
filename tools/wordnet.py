"""Reads WordNet 3's database files (man 5 wndb), as Debian's wordnet-base installs them.

WordNet is Princeton University's; its licence is quoted in NOTICE. Only tools read it: what the
package needs at run time is written to a table by tools/export_nouns.py.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

FOLDER = Path("/usr/share/wordnet")
HYPERNYM = "@"
INSTANCE = "@i"
# morphy's endings (man 7 morphy): what a noun's form ends in, and its lemma.
NOUN_ENDINGS = (
    *(("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh")),
    *(("men", "man"), ("ies", "y"), ("s", "")),
)
VERB_ENDINGS = (
    *(("ies", "y"), ("es", "e"), ("es", ""), ("s", "")),
    *(("ied", "y"), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
)
VOWELS = frozenset("aeiou")


@dataclass(frozen=True)
class Synset:
    """One meaning.

    Attributes:
        offset: Its place in the file; ImageNet's ids are these with an n before them.
        lemmas: Words that share it, as written.
        hypernyms: Offsets one step up; instances (proper names) are left out.
        is_name: It is a single person, place or the like.
        gloss: Definition and examples.
        domain: Number of the lexicographer's file: 05 animals, 18 persons, 38 motion, ...
    """

    offset: int
    lemmas: tuple[str, ...]
    hypernyms: tuple[int, ...]
    is_name: bool
    gloss: str
    domain: int


@dataclass
class Part:
    """The words of one part of speech.

    Attributes:
        synsets: By offset.
        senses: Offsets by lemma (lower case, underscores for spaces), most frequent first.
        counts: How often a text tagged by hand uses (lemma, number of the sense, from 1).
        forms: Irregular form to its lemmas.
    """

    synsets: dict[int, Synset] = field(default_factory=dict)
    senses: dict[str, tuple[int, ...]] = field(default_factory=dict)
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    forms: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def count(self, lemma: str) -> int:
        """How often any sense of a lemma was tagged."""
        return sum(self.counts.get((lemma, 1 + k), 0) for k in range(len(self.senses[lemma])))

    def sense_count(self, offset: int) -> int:
        """How often a meaning was tagged, by any of its lemmas."""
        lemmas = [lemma.lower() for lemma in self.synsets[offset].lemmas]
        return sum(
            self.counts.get((lemma, 1 + self.senses[lemma].index(offset)), 0)
            for lemma in lemmas
            if offset in self.senses.get(lemma, ())
        )

    @cached_property
    def hyponyms(self) -> dict[int, tuple[int, ...]]:
        """Offsets one step down."""
        below = defaultdict(list)
        for synset in self.synsets.values():
            for above in synset.hypernyms:
                below[above].append(synset.offset)
        return {offset: tuple(members) for offset, members in below.items()}

    def ancestors(self, offset: int) -> list[int]:
        """The synset itself and all above it, nearest first."""
        seen = [offset]
        for current in seen:
            seen += [above for above in self.synsets[current].hypernyms if above not in seen]
        return seen

    def descendants(self, offset: int) -> list[int]:
        """The synset itself and all below it, nearest first."""
        seen, known = [offset], {offset}
        for current in seen:
            for below in self.hyponyms.get(current, ()):
                if below not in known:
                    known.add(below)
                    seen.append(below)
        return seen


def read(name: str, folder: Path = FOLDER) -> Part:
    """The words of "noun", "verb", "adj" or "adv"."""
    part = Part()
    for line in _lines(folder / f"data.{name}"):
        synset = _synset(line)
        part.synsets[synset.offset] = synset
    for line in _lines(folder / f"index.{name}"):
        cells = line.split()
        part.senses[cells[0]] = tuple(int(cell) for cell in cells[-int(cells[2]) :])
    types = {"noun": "1", "verb": "2", "adj": "35", "adv": "4"}[name]
    for line in _lines(folder / "cntlist.rev"):
        key, sense, count = line.split()
        lemma, _, rest = key.partition("%")
        if rest[0] in types:
            part.counts[lemma, int(sense)] = int(count)
    for line in _lines(folder / f"{name}.exc"):
        form, *lemmas = line.split()
        part.forms[form] = tuple(lemma for lemma in lemmas if lemma != form)
    return part


def noun_lemmas(form: str, nouns: Part) -> list[str]:
    """Lemmas whose plural a form may be (morphy's rules), not the form itself."""
    found = [lemma for lemma in nouns.forms.get(form, ()) if lemma in nouns.senses]
    if found or len(form) < 4 or form.endswith("ss"):
        return found
    found = [
        form.removesuffix(ending) + new for ending, new in NOUN_ENDINGS if form.endswith(ending)
    ]
    return [lemma for lemma in found if lemma in nouns.senses]


def verb_lemmas(form: str, verbs: Part) -> list[str]:
    """Lemmas that a form may be a form of (morphy's rules, doubled consonants too)."""
    found = [lemma for lemma in verbs.forms.get(form, ()) if lemma in verbs.senses]
    for ending, new in VERB_ENDINGS:
        if found or not form.endswith(ending):
            continue
        stem = form.removesuffix(ending)
        doubled = len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in VOWELS
        candidates = [stem + new] + ([stem[:-1]] if doubled and not new else [])
        found = [lemma for lemma in candidates if lemma in verbs.senses and len(stem) > 1]
    return found


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="latin-1") as file:
        yield from (line for line in file if not line.startswith("  "))  # two spaces: the licence


def _synset(line: str) -> Synset:
    data, _, gloss = line.partition(" | ")
    cells = data.split()
    words = int(cells[3], 16)
    lemmas = tuple(cells[4 : 4 + 2 * words : 2])
    start = 4 + 2 * words + 1
    pointers = [cells[start + 4 * k : start + 4 * k + 3] for k in range(int(cells[start - 1]))]
    above = tuple(int(p[1]) for p in pointers if p[0] == HYPERNYM)
    is_name = any(p[0] == INSTANCE for p in pointers)
    return Synset(int(cells[0]), lemmas, above, is_name, gloss.strip(), int(cells[1]))
