import numpy as np
import pytest

from actseg_core.objects.naming import FEATURES, HIDDEN, NamingInput, NamingModel, naming_features
from actseg_core.text.nouns import Nouns

CAMEL = "camel"


@pytest.fixture
def one_dog() -> NamingInput:
    classes = np.full((1, 80), 0.001, np.float32)
    classes[0, 16], classes[0, 15] = 0.8, 0.3
    names = np.zeros((1, 1000), np.float32)
    names[0, 207] = 0.6  # golden retriever
    return NamingInput(np.array([0.5], np.float32), classes, names, np.zeros((1, 4), np.float32))


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
    assert found[10:].tolist() == [0.0, 1.0]  # no person, an animal


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
