from dataclasses import replace

import numpy as np
import pytest

from actseg_core.objects.naming import (
    FEATURES,
    HIDDEN,
    NamingInput,
    NamingModel,
    naming_features,
    rival_limit,
)
from actseg_core.text.nouns import Nouns

CAMEL = "camel"


@pytest.fixture
def one_dog() -> NamingInput:
    classes = np.full((1, 80), 0.001, np.float32)
    classes[0, 16], classes[0, 15] = 0.8, 0.3
    names = np.zeros((1, 1000), np.float32)
    names[0, 207] = 0.6  # golden retriever
    return NamingInput(np.array([0.5], np.float32), classes, names, np.array([0.1], np.float32))


def log(probability: float) -> float:
    return float(np.log(probability + 1e-3) / 3 + 1)


def test_features_by_hand(one_dog: NamingInput, nouns: Nouns) -> None:
    (found,) = naming_features(nouns.look_up("dog"), one_dog)

    assert found[0] == pytest.approx(0.0)  # logit of one half
    assert found[1] == pytest.approx(log(0.8), abs=1e-5)  # its own class
    assert found[2] == pytest.approx(log(0.3), abs=1e-5)  # the best other one
    assert found[3] == 1.0
    assert found[4] == pytest.approx(log(0.6), abs=1e-5)  # a breed is a dog
    assert found[5] == 1.0
    assert found[8] == pytest.approx(log(0.6), abs=1e-5)  # an animal of ImageNet
    assert found[9] == pytest.approx(log(0.8), abs=1e-5)  # an animal of COCO
    assert found[10:12].tolist() == [0.0, 1.0]  # no person, an animal
    assert found[12] == pytest.approx(np.log(0.801 / 0.301) / 3, abs=1e-5)  # dog against cat
    assert found[13] == pytest.approx(np.log(0.601 / 0.001) / 3, abs=1e-5)  # no other name
    assert found[14] == pytest.approx(np.log(0.601 / 0.001) / 3, abs=1e-5)  # nor one of its kind
    assert found[16] == pytest.approx(np.log(0.1) / 4 + 1, abs=1e-5)  # a tenth of the picture
    assert found[18] == pytest.approx(log(118 / 1000), abs=1e-5)  # breeds


def test_what_both_networks_call_the_object_speaks_against_another_noun(
    one_dog: NamingInput, nouns: Nouns
) -> None:
    (dog,) = naming_features(nouns.look_up("dog"), one_dog)
    (cow,) = naming_features(nouns.look_up("cow"), one_dog)

    # sqrt(0.8 * 0.6): dog to both; to a dog only what is no dog counts: people have no name
    assert cow[17] == pytest.approx(log(np.sqrt(0.8 * 0.6)), abs=1e-5)
    assert dog[17] == pytest.approx(log(np.sqrt(0.001)), abs=1e-4)


def test_an_animal_without_a_class_may_be_what_the_networks_disagree_about(
    one_dog: NamingInput, nouns: Nouns
) -> None:
    goat = nouns.look_up("goat")
    by_agreement = np.zeros((HIDDEN, FEATURES), np.float32)
    by_agreement[0, 17], by_agreement[1, 17] = 1, -1
    by_agreement[2, 5] = 1  # whether the noun has a class
    out = np.zeros((1, HIDDEN), np.float32)
    out[0, :3] = -3, 3, -10
    model = NamingModel(
        {
            "hidden.weight": by_agreement,
            "hidden.bias": np.zeros(HIDDEN, np.float32),
            "out.weight": out,
            "out.bias": np.full(1, 1, np.float32),
        }
    )
    bear = replace(one_dog, classes=np.roll(one_dog.classes, 5, axis=1))  # a bear to the detector

    assert goat.known < 0.65
    # at most half a unit surer than that there is an object (even odds), and a unit of good will
    assert model.log_odds(goat, bear) == pytest.approx(0.5)
    agreed = model.log_odds(goat, one_dog)
    assert agreed == pytest.approx(1 + 1 - 3 * log(np.sqrt(0.8 * 0.6)), abs=1e-4)


def test_a_noun_without_a_class_of_coco_is_marked_so(one_dog: NamingInput, nouns: Nouns) -> None:
    (found,) = naming_features(nouns.look_up(CAMEL), one_dog)

    assert found[3] == 0.0
    assert found[5] == 1.0
    assert found[4] == pytest.approx(log(0.0), abs=1e-5)


def test_the_network_is_two_layers(one_dog: NamingInput, nouns: Nouns) -> None:
    rng = np.random.default_rng(0)
    weights = {
        "hidden.weight": rng.normal(size=(HIDDEN, FEATURES)).astype(np.float32),
        "hidden.bias": rng.normal(size=HIDDEN).astype(np.float32),
        "out.weight": rng.normal(size=(1, HIDDEN)).astype(np.float32),
        "out.bias": rng.normal(size=1).astype(np.float32),
    }
    noun = nouns.look_up("dog")
    (features,) = naming_features(noun, one_dog)

    hidden = np.maximum(weights["hidden.weight"] @ features + weights["hidden.bias"], 0)
    wanted = weights["out.weight"] @ hidden + weights["out.bias"]

    assert NamingModel(weights).log_odds(noun, one_dog) == pytest.approx(wanted, rel=1e-5)


def test_a_noun_gives_way_to_a_rival_unless_one_network_speaks_for_it(nouns: Nouns) -> None:
    classes = np.zeros((3, 80), np.float32)
    classes[0, [0, 14]] = 0.04, 0.79  # a bird
    classes[1, [0, 3]] = 0.04, 0.79  # somebody on a motorcycle
    classes[2, [14, 16]] = 0.46, 0.06  # a bird to one, a kelpie to the other
    names = np.full((3, 1000), 1e-4, np.float32)
    names[2, 227] = 0.64
    there = NamingInput(np.full(3, 0.8, np.float32), classes, names, np.full(3, 0.1, np.float32))

    man = rival_limit(nouns.look_up("man"), there)

    assert man[0] == pytest.approx(2 * np.log(0.041 / 0.791) + 2, abs=1e-3)  # -3.9
    assert man[1] > 2
    assert rival_limit(nouns.look_up("dog"), there)[2] > 2
    assert np.isinf(rival_limit(nouns.look_up("car"), there)).all()
    assert np.isinf(rival_limit(nouns.look_up("goat"), there)).all()
