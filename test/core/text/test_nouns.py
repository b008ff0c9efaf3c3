"""What nouns stand for, on the shipped table."""

import numpy as np
import pytest

from actseg_core.text.lexicon import load_lexicon
from actseg_core.text.nouns import Nouns

PERSON, BICYCLE, CAR, MOTORCYCLE, DOG, BIRD = 0, 1, 2, 3, 16, 14


@pytest.fixture(scope="module")
def nouns() -> Nouns:
    return Nouns.load()


def coco_names(nouns: Nouns, word: str) -> set[str]:
    names = load_lexicon().coco_names
    return {names[index] for index in np.flatnonzero(nouns.look_up(word).coco)}


def imagenet_names(nouns: Nouns, word: str) -> set[str]:
    names = load_lexicon().imagenet_names
    return {names[index] for index in np.flatnonzero(nouns.look_up(word).imagenet)}


def test_every_coco_class_is_found_by_its_own_name(nouns: Nouns) -> None:
    names = load_lexicon().coco_names
    assert len(names) == 80
    for index, name in enumerate(names):
        assert nouns.look_up(name).coco[index] == 1.0, name
        assert nouns.look_up(name).known == 1.0, name


def test_a_dog_stands_for_118_breeds_and_one_coco_class(nouns: Nouns) -> None:
    dog = nouns.look_up("dog")

    assert np.count_nonzero(dog.imagenet) == 118
    assert np.flatnonzero(dog.coco).tolist() == [DOG]
    assert (dog.kind, dog.known, dog.is_actor) == ("animal", 1.0, True)


@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("puppies", "puppy"),
        ("geese", "goose"),
        ("men", "man"),
        ("mice", "mouse"),
        ("buses", "bus"),
        ("wolves", "wolf"),
    ],
)
def test_a_plural_stands_for_what_its_singular_stands_for(
    nouns: Nouns, word: str, lemma: str
) -> None:
    plural, single = nouns.look_up(word), nouns.look_up(lemma)

    assert plural.lemma == lemma
    np.testing.assert_array_equal(plural.imagenet, single.imagenet)
    np.testing.assert_array_equal(plural.coco, single.coco)


@pytest.mark.parametrize(
    "word",
    ("man", "woman", "boy", "girl", "baby", "kid", "guy", "cyclist", "dancer", "player", "rider")
    + ("owner", "people", "somebody", "everybody"),
)
def test_people_are_the_person_class(nouns: Nouns, word: str) -> None:
    noun = nouns.look_up(word)

    assert np.flatnonzero(noun.coco).tolist() == [PERSON]
    assert (noun.kind, noun.known) == ("person", 1.0)


def test_a_noun_above_classes_stands_for_all_of_them(nouns: Nouns) -> None:
    assert coco_names(nouns, "animal") == {
        *("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe")
    }
    assert {"car", "bus", "train", "truck", "boat", "airplane"} < coco_names(nouns, "vehicle")
    assert np.count_nonzero(nouns.look_up("animal").imagenet) == 398


@pytest.mark.parametrize(
    ("compound", "name"),
    [
        ("golden retriever", "golden retriever"),
        ("black swan", "black swan"),
        ("sports car", "sports car"),
        ("fire truck", "fire engine"),
        ("polar bear", "ice bear"),
    ],
)
def test_compounds_stand_for_their_own_class(nouns: Nouns, compound: str, name: str) -> None:
    assert imagenet_names(nouns, compound) == {name}


def test_a_compound_that_is_not_listed_is_read_as_its_last_word(nouns: Nouns) -> None:
    assert nouns.look_up("rescue dog").lemma == "dog"
    assert nouns.look_up("rescue dog").word == "rescue dog"


def test_a_bike_is_a_bicycle_first_and_a_motorcycle_too(nouns: Nouns) -> None:
    weights = nouns.look_up("bike").coco

    assert weights[BICYCLE] == 1.0
    assert 0.0 < weights[MOTORCYCLE] < 1.0


def test_ground_garments_and_directions_are_no_actors(nouns: Nouns) -> None:
    assert nouns.look_up("street").role == "place"
    assert nouns.look_up("grass").role == "place"
    assert nouns.look_up("shirt").role == "garment"
    for word in ("street", "grass", "shirt", "left", "idea"):
        assert not nouns.look_up(word).is_actor


def test_a_word_that_nobody_knows_has_no_class_and_is_not_known(nouns: Nouns) -> None:
    noun = nouns.look_up("blorb")

    assert (noun.kind, noun.role, noun.known) == ("none", "none", 0.0)
    assert not noun.imagenet.any()
    assert not noun.coco.any()
    assert noun.reading == "blorb: none, known 0.0; no class"


def test_the_weights_cannot_be_changed_by_a_caller(nouns: Nouns) -> None:
    with pytest.raises(ValueError, match="read-only"):
        nouns.look_up("dog").imagenet[0] = 1.0
