import pytest

from actseg_core.text.nouns import Nouns
from actseg_core.text.people import TRAITS, person_traits


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("woman", (1, -0.5)),
        ("women", (1, -0.5)),
        ("guys", (-1, -0.5)),
        ("children", (0, 1)),
        ("girls", (1, 0.5)),
        ("boy", (-1, 0.5)),
    ],
)
def test_nouns_say_who_is_meant(word: str, wanted: tuple[float, float]) -> None:
    assert person_traits(Nouns.load().look_up(word)) == pytest.approx(wanted)


def test_other_nouns_say_nothing() -> None:
    nouns = Nouns.load()

    assert [person_traits(nouns.look_up(word)) for word in ("person", "cyclist", "dog")] == [
        None
    ] * 3


def test_every_word_of_the_table_is_a_person_to_the_nouns() -> None:
    nouns = Nouns.load()
    found = {word: nouns.look_up(word) for word in TRAITS}

    assert {word for word, noun in found.items() if noun.kind != "person"} == set()
    assert {word for word, noun in found.items() if noun.lemma != word} == set()
