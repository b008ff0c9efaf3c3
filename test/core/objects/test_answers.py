from collections.abc import Callable

import numpy as np
import pytest

from actseg_core.objects.answers import AnswerMemory, ObjectAnswer, answer, object_confidences
from actseg_core.objects.evidence import PartEvidence, Scene, SceneNaming
from actseg_core.objects.naming import NamingModel
from actseg_core.objects.scene import Objects
from actseg_core.text.nouns import Nouns
from actseg_core.text.parts import read_parts
from actseg_core.text.sentence import tokenize
from actseg_core.text.word_vectors import WordVectors

Make = Callable[..., Objects]
ToScene = Callable[..., Scene]
Say = Callable[..., ObjectAnswer]
BLACK, WHITE = 0, 1
BICYCLE, CAR, DOG = 1, 2, 16


@pytest.fixture
def say(nouns: Nouns, words: WordVectors, by_class: NamingModel) -> Say:
    def run(sentence: str, scene: Scene, memory: AnswerMemory | None = None) -> ObjectAnswer:
        parts = read_parts(tokenize(sentence), nouns, words)
        return answer(parts, SceneNaming(scene, by_class), memory or AnswerMemory())

    return run


def tracks(found: ObjectAnswer) -> list[int]:
    return [item.track for item in found.meant]


def test_the_confidence_of_a_noun_alone_is_its_probability() -> None:
    odds = PartEvidence("who", (0,), np.array([0.0, 2.0], np.float32))

    assert object_confidences([odds]) == pytest.approx([0.5, 0.8808], abs=1e-4)


def test_a_part_that_fits_costs_nothing_and_one_that_does_not_is_trusted_in_part() -> None:
    who = PartEvidence("who", (0,), np.array([2.0, 2.0], np.float32))
    looks = PartEvidence("looks", (1,), np.array([2.0, -2.0], np.float32))

    fits, contradicts = object_confidences([who, looks])

    assert fits == pytest.approx(0.8808, abs=1e-4)
    # sigmoid(-2 + 2) / sigmoid(2 + 2) = 0.5 / 0.9820
    assert contradicts == pytest.approx(0.8808 * 0.5092, abs=1e-3)


def test_looks_choose_between_two_of_a_kind(objects: Make, scene_of: ToScene, say: Say) -> None:
    scene = scene_of(
        objects(
            {"x": 100, "y": 200, "coco": DOG, "colour": BLACK},
            {"x": 300, "y": 200, "coco": DOG, "colour": WHITE},
        )
    )

    assert tracks(say("the black dog", scene)) == [1]
    assert tracks(say("white dog", scene)) == [2]


def test_a_plural_means_all_that_fit_and_a_number_so_many(
    objects: Make, scene_of: ToScene, say: Say
) -> None:
    scene = scene_of(
        objects(
            {"x": 60, "y": 200, "coco": DOG, "size": 90},
            {"x": 200, "y": 200, "coco": DOG, "size": 70},
            {"x": 340, "y": 200, "coco": DOG, "size": 30},
            {"x": 200, "y": 60, "coco": CAR},
        )
    )

    assert sorted(tracks(say("dogs", scene))) == [1, 2, 3]
    assert len(tracks(say("two dogs", scene))) == 2
    assert tracks(say("dog on the left", scene)) == [1]


def test_a_speck_is_not_what_is_asked_for(objects: Make, scene_of: ToScene, say: Say) -> None:
    scene = scene_of(
        objects(
            {"x": 340, "y": 60, "coco": DOG, "size": 16},
            {"x": 150, "y": 250, "coco": DOG, "size": 150},
        )
    )

    assert tracks(say("dog", scene)) == [2]


def test_rider_and_vehicle_are_marked_together_where_both_are_named(
    objects: Make, scene_of: ToScene, say: Say
) -> None:
    scene = scene_of(
        objects(
            {"x": 100, "y": 120, "size": 60}, {"x": 100, "y": 180, "coco": BICYCLE, "size": 60}
        )
    )

    alone, both = say("person", scene), say("person riding a bicycle", scene)

    assert tracks(alone) == tracks(both) == [1]
    assert (both.mask > 0.5).sum() == 2 * (alone.mask > 0.5).sum()


def test_an_absent_actor_gets_a_low_confidence_and_a_reason(
    objects: Make, scene_of: ToScene, say: Say
) -> None:
    found = say("car", scene_of(objects({"x": 100, "y": 200, "coco": DOG})))

    assert found.confidence < 0.05
    assert found.evidence[0].log_odds[0] < -3


def test_what_was_found_stays_found_a_little_longer(
    objects: Make, scene_of: ToScene, say: Say
) -> None:
    scene = scene_of(objects({"x": 100, "y": 200, "coco": DOG, "sure": 0.13}))

    fresh = say("dog", scene, AnswerMemory()).confidence
    kept = say("dog", scene, AnswerMemory(found=True)).confidence

    # 0.4 more log-odds
    assert np.log(kept / (1 - kept)) == pytest.approx(np.log(fresh / (1 - fresh)) + 0.4, abs=1e-3)


def test_the_one_meant_before_is_preferred_among_equals(
    objects: Make, scene_of: ToScene, say: Say
) -> None:
    scene = scene_of(
        objects(
            {"x": 100, "y": 200, "coco": DOG, "colour": BLACK, "size": 80},
            {"x": 300, "y": 200, "coco": DOG, "colour": BLACK, "size": 84},
        )
    )
    memory = AnswerMemory(tracks=frozenset({1}))

    assert tracks(say("the black dog", scene, memory))[0] == 1
    assert tracks(say("the black dog", scene))[0] == 2
