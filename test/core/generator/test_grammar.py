import re
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from held_out_words import HELD_OUT_WORDS

from actseg_core.generator import ActorRecord, GeneratedClip, SceneConfig, render_clip
from actseg_core.generator.claims import Claim, maybe, sides, surely
from actseg_core.generator.grammar import false_sentences, identify, true_sentences
from actseg_core.generator.looks import Look
from actseg_core.generator.palette import COLOURS
from actseg_core.generator.words import NOUNS, VERBS, Noun

Make = Callable[..., ActorRecord]
SAME_WORD = {"violet": "purple", "grey": "gray", "little": "small", "large": "big"}


def noun(text: str) -> Noun:
    return next(item for item in NOUNS if item.text == text)


def read(sentence: str) -> dict[str, object]:
    """What a sentence says, read by a parser that knows nothing of claims."""
    words = [SAME_WORD.get(word, word) for word in sentence.split()]
    text = f" {' '.join(words)} "
    nouns = [item for item in NOUNS if f" {item.text} " in text]
    verbs = [item for item in VERBS if f" {item.text} " in text]
    found: dict[str, object] = {"noun": max(nouns, key=lambda item: len(item.text))}
    if verbs:
        found["action"] = max(verbs, key=lambda item: len(item.text)).action
    found["colours"] = [word for word in words if word in COLOURS]
    found["size"] = next((word for word in words if word in ("small", "big")), "")
    side = re.search(r"(?:on|in)(?: the)? (left|right|middle|center)", text)
    found["side"] = side.group(1).replace("center", "middle") if side else ""
    return found


def fits(said: dict[str, object], actor: ActorRecord) -> bool:
    """Whether all that was said is so."""
    name, kinds = said["noun"].actor, said["noun"].kinds  # type: ignore[attr-defined]
    colours: Iterable[str] = said["colours"]  # type: ignore[assignment]
    return (
        name == actor.pair.actor_name
        and (not kinds or actor.look.kind in kinds)
        and said.get("action", actor.pair.action_name) == actor.pair.action_name
        and set(colours) <= set(actor.colours)
        and said["size"] in ("", *actor.size_words)
        and said["side"] in ("", *actor.side_words)
    )


def test_every_sentence_fits_its_actor_and_nobody_else(clips: list[GeneratedClip]) -> None:
    checked = 0
    for clip in clips:
        for actor in clip.actors:
            for sentence in actor.sentences:
                said = read(sentence)
                assert fits(said, actor), (sentence, actor)
                others = [other for other in clip.actors if other is not actor]
                assert not any(fits(said, other) for other in others), (sentence, others)
                checked += 1
    assert checked > 100


def test_every_distractor_fits_nobody_and_is_of_its_kind(clips: list[GeneratedClip]) -> None:
    kinds = set()
    for clip in clips:
        for distractor in clip.distractor_sentences:
            said = read(distractor.text)
            assert not any(fits(said, actor) for actor in clip.actors), distractor
            actors = {actor.pair.actor_name for actor in clip.actors}
            actions = {actor.pair.action_name for actor in clip.actors}
            there = said["noun"].actor in actors  # type: ignore[attr-defined]
            assert there == (distractor.kind == "other_action")
            if distractor.kind == "other_actor":
                assert said["action"] in actions
            kinds.add(distractor.kind)
    assert kinds == {"absent_actor", "other_action", "other_actor"}


def test_sentences_are_as_long_and_as_coloured_as_the_real_ones(
    clips: list[GeneratedClip],
) -> None:
    """A2D Sentences: mean 6.9 words, at most 20; colour in 48 %, left or right in 15 %."""
    texts = [text for clip in clips for actor in clip.actors for text in actor.sentences]
    lengths = [len(text.split()) for text in texts]
    coloured = np.mean([bool(set(text.split()) & {*COLOURS, "violet", "grey"}) for text in texts])

    assert 5.9 < np.mean(lengths) < 7.9
    assert max(lengths) <= 20
    assert 0.3 < coloured < 0.65
    assert all(text == text.lower() for text in texts)


def held_out(clip: GeneratedClip) -> int:
    texts = [text for actor in clip.actors for text in actor.sentences]
    texts += [item.text for item in clip.distractor_sentences]
    return sum(bool(set(text.split()) & HELD_OUT_WORDS) for text in texts)


def test_held_out_words_appear_only_when_asked_for(clips: list[GeneratedClip]) -> None:
    small = {"frames": 2, "height": 48, "width": 64}
    asked = [render_clip(s, SceneConfig(**small, held_out_words="always")) for s in range(12)]

    assert not any(held_out(clip) for clip in clips)
    assert all(held_out(clip) for clip in asked)
    assert {"puppy", "kitten", "lorry", "vehicle", "toddler", "infant", "parrot"} <= HELD_OUT_WORDS
    assert {"strolling", "sprinting"} <= HELD_OUT_WORDS


def test_an_action_is_told_only_by_its_own_verb(record: Make) -> None:
    runner, walker = record("dog", "running"), record("dog", "walking", 2)
    runs = Claim(noun("dog"), action="running")

    assert surely(runs, runner)
    assert not maybe(runs, walker)
    assert maybe(Claim(noun("dog")), walker)


def test_twins_are_told_apart_by_what_they_do(record: Make) -> None:
    twins = [record("cat", "jumping"), record("cat", "none", 2)]

    for seed in range(20):
        claim = identify(twins[0], twins, "never", np.random.default_rng(seed))
        assert claim is not None
        assert claim.action == "jumping"


def test_nothing_is_said_where_nothing_tells_two_actors_apart(record: Make) -> None:
    twins = [record("cat", "jumping"), record("cat", "jumping", 2)]
    rng = np.random.default_rng(0)

    assert identify(twins[0], twins, "never", rng) is None
    assert true_sentences(twins[0], twins, "grass", 3, "never", 20, rng) == ()


def test_likely_confusions_are_no_distinction(record: Make) -> None:
    orange = record("ball", "rolling", colour="orange")
    eater = record("adult", "eating", kind="man")
    in_the_middle = record("dog", "none", x_range=(0.47, 0.55), side_words=("middle",))

    assert maybe(Claim(noun("ball"), colour="red"), orange)
    assert not maybe(Claim(noun("ball"), colour="blue"), orange)
    assert maybe(Claim(noun("man"), action="none"), eater), "who eats may be said to stand"
    assert maybe(Claim(noun("dog"), side="left"), in_the_middle)
    assert not surely(Claim(noun("dog"), side="left"), in_the_middle)


def test_a_photographed_person_may_be_man_or_woman(record: Make) -> None:
    person = record("adult", "walking", look=Look("adult", "photo", "red", also=("red", "blue")))

    assert surely(Claim(noun("person")), person)
    assert not surely(Claim(noun("woman")), person)
    assert maybe(Claim(noun("woman")), person)


@pytest.mark.parametrize(
    ("mean", "low", "high", "expected"),
    [
        (0.2, 0.1, 0.3, ("left",)),
        (0.3, 0.1, 0.6, ()),
        (0.5, 0.45, 0.55, ("middle",)),
        (0.8, 0.7, 0.9, ("right",)),
        (0.8, 0.3, 0.9, ()),
    ],
)
def test_a_side_is_said_only_of_who_stays_there(
    mean: float, low: float, high: float, expected: tuple[str, ...]
) -> None:
    assert sides(mean, low, high) == expected


def test_distractors_of_impossible_kinds_are_left_out(record: Make) -> None:
    """Where all balls' actions happen, no ball can be said to do another."""
    balls = [
        record("ball", action, number)
        for number, action in enumerate(("flying", "jumping", "rolling", "none"), start=1)
    ]

    kinds = [item.kind for item in false_sentences(balls, "", "never", np.random.default_rng(1))]

    assert kinds == ["absent_actor", "other_actor"]
