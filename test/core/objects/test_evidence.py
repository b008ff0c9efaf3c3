from collections.abc import Callable

import numpy as np
import pytest

from actseg_core.objects.evidence import Scene, SceneNaming, make_scene, ridden
from actseg_core.objects.naming import NamingModel
from actseg_core.objects.scene import Objects
from actseg_core.objects.tracks import Tracker
from actseg_core.text.nouns import Nouns
from actseg_core.text.parts import read_parts
from actseg_core.text.sentence import tokenize
from actseg_core.text.word_vectors import WordVectors

Make = Callable[..., Objects]
ToScene = Callable[..., Scene]
CONTENT = (slice(0, 416), slice(0, 416))
PERSON, BICYCLE, CAR, DOG = 0, 1, 2, 16
BLACK, WHITE = 0, 1


def test_a_noun_speaks_for_its_own_class_alone(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    scene = scene_of(objects({"x": 100, "y": 200, "coco": DOG}, {"x": 300, "y": 200, "coco": CAR}))

    dog = ask("dog", scene)["who"]

    # log(0.901) / 3 + 1 = 0.965, times 10, minus 3, bounded by 6; log(0.011) / 3 + 1 = -0.503.
    assert dog == pytest.approx([6.0, -6.0], abs=0.01)


def test_a_track_of_one_frame_is_believed_less(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    found = objects({"x": 100, "y": 200, "coco": DOG})
    young = make_scene(Tracker().update(found, None), CONTENT)

    assert ask("dog", young)["who"] == pytest.approx([4.0], abs=0.01)


def test_a_colour_speaks_for_the_object_that_has_it(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    scene = scene_of(
        objects(
            {"x": 100, "y": 200, "coco": DOG, "colour": BLACK},
            {"x": 300, "y": 200, "coco": DOG, "colour": WHITE},
        )
    )

    black, white = ask("the black dog", scene)["looks"]
    assert black > 1 > -1 > white


def test_a_side_is_relative_to_others_of_the_kind(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    scene = scene_of(
        objects(
            {"x": 250, "y": 200, "coco": DOG},
            {"x": 350, "y": 200, "coco": DOG},
            {"x": 40, "y": 200, "coco": CAR},
        )
    )

    middle, right, _ = ask("dog on the left", scene)["where"]
    assert middle > 0.5
    assert right < -0.5


def test_only_the_leftmost_is_the_leftmost(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    scene = scene_of(objects(*({"x": x, "y": 200, "coco": DOG} for x in (300, 100, 200))))

    assert ask("leftmost dog", scene)["where"].tolist() == [-2.0, 2.0, -2.0]


@pytest.mark.parametrize(
    ("sentence", "moving"), [("dog running", 1), ("dog standing", -1), ("dog not running", -1)]
)
def test_a_verb_speaks_for_what_moves_so(
    objects: Make, ask: Callable, scene_of: ToScene, sentence: str, moving: int
) -> None:
    found = objects({"x": 100, "y": 200, "coco": DOG}, {"x": 300, "y": 200, "coco": DOG})

    runs, stands = ask(sentence, scene_of(found, moves=(1.5, 0.0)))["does"]

    assert runs * moving > 0.5
    assert stands * moving < -0.5


def test_a_direction_tells_two_runners_apart(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    found = objects({"x": 100, "y": 200, "coco": DOG}, {"x": 300, "y": 200, "coco": DOG})

    right, left = ask("dog running to the left", scene_of(found, moves=(1.0, -1.0)))["does"]

    assert left > right + 1


def test_a_verb_says_nothing_before_motion_is_known(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    scene = scene_of(objects({"x": 100, "y": 200, "coco": DOG}))

    assert ask("dog running", scene)["does"].tolist() == [0.0]


def test_who_stands_beside_the_dog_is_told_from_who_does_not(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    scene = scene_of(
        objects(
            {"x": 60, "y": 200, "coco": PERSON},
            {"x": 260, "y": 200, "coco": PERSON},
            {"x": 350, "y": 210, "coco": DOG},
        )
    )

    far, near, _ = ask("person next to the dog", scene)["beside"]
    assert near > 1 > far


def test_the_missing_of_a_small_thing_says_little_and_scenery_nothing(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    scene = scene_of(objects({"x": 60, "y": 200, "coco": PERSON}))

    assert ask("person with a cup", scene)["beside"].tolist() == [-0.5]
    assert "beside" not in ask("person on the grass", scene)


def test_of_two_people_the_woman_is_the_one_who_looks_like_one(
    objects: Make, ask: Callable, scene_of: ToScene
) -> None:
    gown, suit = {578: 0.5}, {834: 0.5}  # ImageNet's classes
    both = ({"x": 100, "y": 200, "names": gown}, {"x": 300, "y": 200, "names": suit})
    small = tuple({**person, "size": 24} for person in both)

    woman = ask("the woman", scene_of(objects(*both)))["who"]
    man = ask("the man", scene_of(objects(*both)))["who"]

    assert woman[0] == man[1] == pytest.approx(6.0, abs=0.01)
    assert 4.0 - 0.01 <= woman[1] < 6.0 and 4.0 - 0.01 <= man[0] < 6.0
    for scene in (scene_of(objects(both[1])), scene_of(objects(*small))):
        assert ask("the woman", scene)["who"] == pytest.approx(6.0, abs=0.01)


def test_what_is_ridden_belongs_to_the_rider(
    objects: Make, nouns: Nouns, words: WordVectors, by_class: NamingModel, scene_of: ToScene
) -> None:
    scene = scene_of(
        objects(
            {"x": 100, "y": 150, "coco": PERSON},
            {"x": 105, "y": 200, "coco": BICYCLE},
            {"x": 330, "y": 200, "coco": BICYCLE},
        )
    )
    naming = SceneNaming(scene, by_class)

    def mounts(sentence: str) -> list[int]:
        return ridden(read_parts(tokenize(sentence), nouns, words), naming, [0])

    assert mounts("man riding a bicycle") == [1]
    assert mounts("man on a bike") == [1]
    assert mounts("the cyclist") == [1]
    assert mounts("man with a bicycle") == [1]
    assert mounts("man next to a bicycle") == []
    assert mounts("man riding a horse") == []


def test_what_is_said_to_move_with_a_rider_on_it_is_shown_with_him(
    objects: Make, nouns: Nouns, words: WordVectors, by_class: NamingModel, scene_of: ToScene
) -> None:
    scene = scene_of(
        objects(
            {"x": 105, "y": 200, "coco": BICYCLE},
            {"x": 100, "y": 150, "coco": PERSON},
            {"x": 330, "y": 150, "coco": PERSON},
        )
    )
    naming = SceneNaming(scene, by_class)

    def shown(sentence: str) -> list[int]:
        return ridden(read_parts(tokenize(sentence), nouns, words), naming, [0])

    assert shown("the bicycle driving by") == [1]
    assert shown("the bicycle") == []
    assert shown("the bicycle standing on the left") == []
    assert shown("dog running") == []


def test_a_later_frame_does_not_change_a_scene(objects: Make) -> None:
    tracker = Tracker()
    scene = make_scene(tracker.update(objects({"x": 100, "y": 200, "coco": DOG}), None), CONTENT)
    before = scene.boxes.copy(), scene.masks.copy(), scene.naming.classes.copy()

    tracker.update(objects({"x": 120, "y": 210, "coco": CAR}), None)

    for old, new in zip(before, (scene.boxes, scene.masks, scene.naming.classes), strict=True):
        assert np.array_equal(old, new)
