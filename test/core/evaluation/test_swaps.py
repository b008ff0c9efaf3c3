"""False sentences: never true, each of its kind, the same every time."""

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.datasets.a2d_layout import A2DLayout
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.errors import DatasetError
from actseg_core.evaluation.swaps import (
    Described,
    Swapper,
    VerbPair,
    describe,
    pair_of,
    shown_pairs,
    verb_scores,
)
from actseg_core.generator.records import read_record
from actseg_core.labels import ACTIONS, ACTORS, PAIRS, Pair


def test_scores_of_two_pairs_by_hand() -> None:
    scores = verb_scores(
        [
            VerbPair(0.9, 0.3, True, False, coverage=0.8, other_coverage=0.0),
            VerbPair(0.5, 0.5, True, True, coverage=0.6, other_coverage=0.6),
        ],
        [(0.7, 0.1), (0.2, 0.3), (0.4, 0.4)],
    )
    assert scores.pairs == 2
    assert scores.ranked == pytest.approx((1 + 0.5) / 2)  # a tie counts half
    assert scores.confidence_drop == pytest.approx(0.3)
    assert (scores.found, scores.other_found) == (1.0, 0.5)
    assert (scores.coverage, scores.other_coverage) == pytest.approx((0.7, 0.3))
    assert scores.sensitivity == pytest.approx(0.4)
    assert scores.rivals == 3
    assert scores.told_apart == pytest.approx(1 / 3)  # a tie is not told apart


def test_a_network_that_ignores_verbs_has_no_sensitivity() -> None:
    same = VerbPair(0.9, 0.9, True, True, coverage=0.8, other_coverage=0.8)
    scores = verb_scores([same] * 5, [(0.5, 0.5)])
    assert (scores.sensitivity, scores.ranked, scores.confidence_drop) == (0.0, 0.5, 0.0)
    assert scores.told_apart == 0.0


def test_nothing_asked_gives_nan() -> None:
    scores = verb_scores([], [])
    assert np.isnan([scores.ranked, scores.sensitivity, scores.told_apart]).all()


def pair(name: str) -> Pair:
    actor, action = name.split()
    return Pair(ACTORS.index(actor) + 1, ACTIONS.index(action) + 1)


@pytest.fixture
def swapper() -> Swapper:
    names = ("dog running", "dog walking", "cat running", "car rolling", "baby crawling")
    described = [Described(f"a {name}", name, pair(name)) for name in names]
    shown = {name: [pair(name)] for name in names}
    shown["two dogs"] = [pair("dog running"), pair("dog walking")]
    shown["adult"] = [pair("adult crawling")]
    return Swapper(described, shown)


def test_each_kind_is_false_in_its_own_way(swapper) -> None:
    swaps = dict(swapper.swaps("1", "dog running", pair("dog running")))
    assert swaps["other_action"] == "a dog walking"
    assert swaps["other_actor"] == "a cat running"
    assert swaps["absent_actor"] in ("a car rolling", "a baby crawling")


def test_what_another_actor_of_the_video_does_is_not_asked(swapper) -> None:
    swaps = dict(swapper.swaps("1", "two dogs", pair("dog running")))
    assert "other_action" not in swaps


def test_a_baby_is_not_called_absent_where_an_adult_is(swapper) -> None:
    # "person crawling" may have been said of the baby.
    texts = {
        text
        for number in range(50)
        for _, text in swapper.swaps(str(number), "adult", pair("adult crawling"))
    }
    assert "a baby crawling" not in texts
    assert texts == {"a dog running", "a dog walking", "a cat running", "a car rolling"}


def test_the_choice_depends_on_the_sample_alone(swapper) -> None:
    first = [swapper.swaps(str(number), "adult", pair("adult crawling")) for number in range(20)]
    again = [
        swapper.swaps(str(number), "adult", pair("adult crawling"))
        for number in reversed(range(20))
    ]
    assert first == again[::-1]
    assert len({tuple(item) for item in first}) > 1


pairs = st.sampled_from(PAIRS)


@given(st.lists(pairs, min_size=1, max_size=20), st.sets(pairs, min_size=1, max_size=4), st.data())
def test_no_swapped_sentence_is_true(said, there, data) -> None:
    described = [
        Described(str(item.label), f"other {place}", item) for place, item in enumerate(said)
    ]
    own = data.draw(st.sampled_from(sorted(there)))
    swaps = Swapper(described, {"v": there}).swaps("1", "v", own)
    assert len(swaps) == len({kind for kind, _ in swaps}) <= 3
    for kind, text in swaps:
        other = Pair(int(text) // 10, int(text) % 10)
        assert other not in there
        if kind == "other_action":
            assert other.actor == own.actor
        else:
            assert other.actor not in {item.actor for item in there}
            assert (other.action == own.action) == (kind == "other_actor")


def test_pairs_of_generated_sentences_are_those_of_the_generator(generated) -> None:
    dataset = A2DSentences(generated, "test")
    found = describe(dataset, dataset.layout, skip_bad=False)
    assert set(found) == {(item.video, item.instance) for item in dataset.samples}
    for (video, instance), described in found.items():
        record = read_record(generated / "records" / f"{video}.json")
        actor = next(item for item in record.actors if item["instance_id"] == instance + 1)
        assert described.pair.label == actor["pair"]
        assert described.text in [item.query for item in record.queries]


def test_swaps_of_generated_videos_are_false_of_them(generated) -> None:
    dataset, labels = A2DSentences(generated, "test"), A2DPairs(generated, "test").video_labels
    described = describe(dataset, dataset.layout, skip_bad=False)
    by_text = {item.text: item.pair for item in described.values()}
    swapper = Swapper(described.values(), shown_pairs(labels))
    asked = [
        (video, text)
        for (video, instance), item in described.items()
        for _, text in swapper.swaps(f"{video}/{instance}", video, item.pair)
    ]
    assert asked
    assert all(by_text[text].label not in labels[video] for video, text in asked)


def test_without_label_maps_the_folder_is_named_and_the_way_out(generated, tmp_path) -> None:
    dataset = A2DSentences(generated, "test")
    with pytest.raises(DatasetError, match=r"Annotations/col is missing.*--no-swaps"):
        describe(dataset, A2DLayout(tmp_path), skip_bad=False)


def test_a_damaged_label_map_raises_or_is_left_out(generated, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(generated, copy)
    dataset = A2DSentences(copy, "test")
    sample = dataset.samples[0]
    for path in dataset.layout.colours(sample.video).iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=rf"{sample.video}/{sample.frame + 1:05d}\.png"):
        pair_of(dataset, dataset.layout, sample)
    with pytest.raises(DatasetError, match=sample.video):
        describe(dataset, dataset.layout, skip_bad=False)
    left = describe(dataset, dataset.layout, skip_bad=True)
    assert left
    assert sample.video not in {video for video, _ in left}
