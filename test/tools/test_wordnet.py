"""tools/wordnet.py on a WordNet of six nouns and two verbs."""

from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
LICENCE = "  1 This line stands for the licence.\n"
# offset, file number, type, number of words (hexadecimal), word and its id, number of pointers
# (three digits), pointers (sign, offset, type, two zeros), a bar and the definition.
DATA_NOUN = f"""{LICENCE}\
00000100 05 n 01 animal 0 000 | a living thing
00000200 05 n 02 dog 0 domestic_dog 0 001 @ 00000100 n 0000 | barks
00000300 05 n 01 puppy 0 001 @ 00000200 n 0000 | a young dog
00000400 18 n 01 Rex 0 001 @i 00000200 n 0000 | a famous dog
00000500 05 n 01 goose 0 001 @ 00000100 n 0000 | a web-footed bird
00000600 18 n 01 dog 0 001 @ 00000100 n 0000 | a dull man
"""
INDEX_NOUN = f"""{LICENCE}\
animal n 1 0 1 1 00000100
dog n 2 1 @ 2 1 00000200 00000600
domestic_dog n 1 1 @ 1 0 00000200
puppy n 1 1 @ 1 0 00000300
goose n 1 1 @ 1 0 00000500
"""
DATA_VERB = f"{LICENCE}00000100 38 v 01 hop 0 000 01 + 02 00 | jump\n"
INDEX_VERB = f"{LICENCE}hop v 1 0 1 1 00000100\nbite v 1 0 1 1 00000100\n"


@pytest.fixture
def wordnet(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    import wordnet

    return wordnet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "data.noun": DATA_NOUN,
        "index.noun": INDEX_NOUN,
        "noun.exc": "geese goose\n",
        "data.verb": DATA_VERB,
        "index.verb": INDEX_VERB,
        "verb.exc": "bit bite\n",
        "cntlist.rev": "dog%1:05:00:: 1 42\ndog%1:18:01:: 2 3\nhop%2:38:00:: 1 7\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def test_a_synset_has_its_words_what_is_above_it_and_its_definition(
    wordnet: ModuleType, folder: Path
) -> None:
    dog = wordnet.read("noun", folder).synsets[200]

    assert dog.lemmas == ("dog", "domestic_dog")
    assert (dog.hypernyms, dog.is_name, dog.domain, dog.gloss) == ((100,), False, 5, "barks")


def test_names_of_single_beings_are_told_and_lie_below_nothing(
    wordnet: ModuleType, folder: Path
) -> None:
    rex = wordnet.read("noun", folder).synsets[400]

    assert (rex.is_name, rex.hypernyms) == (True, ())


def test_the_hierarchy_is_walked_up_and_down_nearest_first(
    wordnet: ModuleType, folder: Path
) -> None:
    nouns = wordnet.read("noun", folder)

    assert nouns.ancestors(300) == [300, 200, 100]
    assert nouns.descendants(100) == [100, 200, 500, 600, 300]


def test_counts_are_of_senses_and_of_the_part_of_speech(wordnet: ModuleType, folder: Path) -> None:
    nouns = wordnet.read("noun", folder)

    assert nouns.senses["dog"] == (200, 600)
    assert nouns.count("dog") == 45
    assert nouns.sense_count(200) == 42
    assert wordnet.read("verb", folder).count("hop") == 7


@pytest.mark.parametrize(
    ("form", "lemmas"),
    [("geese", ["goose"]), ("puppies", ["puppy"]), ("dogs", ["dog"]), ("dog", []), ("cats", [])],
)
def test_plurals_lead_to_nouns_that_there_are(
    wordnet: ModuleType, folder: Path, form: str, lemmas: list[str]
) -> None:
    assert wordnet.noun_lemmas(form, wordnet.read("noun", folder)) == lemmas


@pytest.mark.parametrize(
    ("form", "lemmas"),
    [("hopping", ["hop"]), ("hopped", ["hop"]), ("hops", ["hop"]), ("biting", ["bite"])]
    + [("bit", ["bite"]), ("hop", []), ("cooking", [])],
)
def test_forms_of_verbs_lead_to_verbs_that_there_are(
    wordnet: ModuleType, folder: Path, form: str, lemmas: list[str]
) -> None:
    assert wordnet.verb_lemmas(form, wordnet.read("verb", folder)) == lemmas
