"""What is understood of a sentence, on the shipped tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.config import TextConfig
from actseg_core.errors import VocabularyError
from actseg_core.text.nouns import Nouns
from actseg_core.text.parts import read_parts
from actseg_core.text.sentence import SentenceReader, tokenize
from actseg_core.text.sentence_parts import Look, NounPhrase, SentenceParts
from actseg_core.text.word_vectors import load_word_vectors

NOUNS, VECTORS = Nouns.load(), load_word_vectors()
READER = SentenceReader(TextConfig(), VECTORS)
PERSONS = ("man", "woman", "guy", "girl", "kid", "player", "child")
ACTORS = (*PERSONS, "dog", "cat", "bird", "horse", "car", "bus", "swan", "elephant")
COLOURS = ("black", "white", "red", "blue", "green", "yellow", "brown", "navy", "gray")
# -ing and -s forms, the motion and the lemma.
VERBS = (
    ("running", "runs", "fast", "run"),
    ("walking", "walks", "slow", "walk"),
    ("jumping", "jumps", "jumping", "jump"),
    ("standing", "stands", "still", "stand"),
    ("sitting", "sits", "still", "sit"),
    ("rolling", "rolls", "rolling", "roll"),
    ("eating", "eats", "acting", "eat"),
    ("flying", "flies", "airborne", "fly"),
)
GARMENTS = (
    *(("shirt", "upper"), ("jacket", "upper"), ("dress", "whole"), ("hat", "head")),
    *(("jeans", "lower"), ("shorts", "lower"), ("shoes", "feet"), ("hair", "head")),
)
SIDES = ("left", "right", "middle", "top", "bottom", "front", "back")


def read(text: str) -> SentenceParts:
    return read_parts(READER.read(text).words, NOUNS, VECTORS)


def look(said: Look) -> tuple[object, ...]:
    return (said.colours, said.shades, said.on, said.region, said.negated)


def phrase(said: NounPhrase) -> tuple[object, ...]:
    return (said.noun.lemma, said.plural, said.count, tuple(map(look, said.looks)))


def meaning(text: str) -> tuple[object, ...]:
    """All that is understood, without the places of words and the order of parts."""
    parts = read(text)
    return (
        phrase(parts.who),
        sorted(map(phrase, parts.also)),
        sorted(map(look, parts.looks), key=str),
        sorted((place.name, place.rank, place.negated) for place in parts.where),
        sorted((one.verb, one.motion, one.direction, one.negated) for one in parts.does),
        sorted((one.relation, phrase(one.whom), one.is_scene) for one in parts.beside),
        [parts.words[place] for place in parts.unused],
        [parts.words[place] for place in parts.unknown],
    )


def test_a_whole_sentence_is_taken_apart() -> None:
    parts = read("The guy in the blue t-shirt on the left is running to the right with a dog")

    assert phrase(parts.who) == ("guy", False, None, ())
    assert parts.who.words == (1,)
    assert [look(said) for said in parts.looks] == [(("blue",), (), "shirt", "upper", False)]
    assert parts.looks[0].words == (2, 4, 5)
    assert [place.name for place in parts.where] == ["left"]
    action = parts.does[0]
    assert (action.verb, action.motion, action.direction) == ("run", "fast", "right")
    assert action.words == (10, 11, 12, 13)
    beside = parts.beside[0]
    assert (beside.relation, beside.whom.noun.lemma, beside.is_scene) == ("with", "dog", False)
    assert parts.unused == parts.unknown == parts.negations == ()


@given(st.sampled_from(ACTORS), st.sampled_from(COLOURS), st.sampled_from(VERBS))
def test_an_article_changes_nothing(noun: str, colour: str, verb: tuple[str, ...]) -> None:
    bare = meaning(f"{colour} {noun} {verb[0]} on left")

    assert meaning(f"a {colour} {noun} {verb[0]} on the left") == bare
    assert meaning(f"the {colour} {noun} {verb[0]} on the left") == bare
    assert meaning(f"That {colour} {noun} is {verb[0]} on the left.") == bare


@given(st.sampled_from(ACTORS), st.sampled_from(VERBS))
def test_participle_relative_clause_and_plain_verb_say_the_same(
    noun: str, verb: tuple[str, ...]
) -> None:
    ing, present, motion, lemma = verb
    wanted = meaning(f"the {noun} is {ing}")

    assert wanted[4] == [(lemma, motion, None, False)]
    for text in (
        *(f"{ing} {noun}", f"a {ing} {noun}", f"{noun} {ing}", f"the {noun} that is {ing}"),
        *(f"{noun} that {present}", f"the {noun} which {present}", f"the {noun} {present}"),
        f"there is a {ing} {noun}",
    ):
        assert meaning(text) == wanted, text


@given(st.sampled_from(PERSONS), st.sampled_from(COLOURS), st.sampled_from(GARMENTS))
def test_ways_to_wear_say_the_same(noun: str, colour: str, garment: tuple[str, str]) -> None:
    name, region = garment
    wanted = meaning(f"{noun} with {colour} {name}")

    basic = {"navy": "blue", "gray": "grey"}.get(colour, colour)
    assert wanted[2] == [((basic,), (), name, region, False)]
    for text in (
        *(f"the {noun} in a {colour} {name}", f"{noun} wearing {colour} {name}"),
        *(f"a {noun} who wears {colour} {name}", f"{noun} that has {colour} {name}"),
        *(f"the {colour} {name} {noun}", f"the {noun} whose {name} is {colour}"),
        f"the {noun}'s {name} is {colour}",
    ):
        assert meaning(text) == wanted, text


@given(st.sampled_from(ACTORS), st.sampled_from(COLOURS))
def test_a_colour_before_and_behind_its_noun_says_the_same(noun: str, colour: str) -> None:
    wanted = meaning(f"{colour} {noun}")

    assert meaning(f"the {noun} is {colour}") == wanted
    assert meaning(f"a {noun} that is {colour}") == wanted


@given(st.sampled_from(ACTORS), st.sampled_from(SIDES))
def test_ways_to_say_a_side_say_the_same(noun: str, side: str) -> None:
    wanted = meaning(f"{side} {noun}")

    assert wanted[3] == [(side, None, False)]
    for text in (
        *(f"{noun} on the {side}", f"the {noun} in the {side}", f"{noun} at {side} side"),
        f"the {noun} on the {side} of the picture",
    ):
        assert meaning(text) == wanted, text


@given(st.sampled_from(PERSONS), st.sampled_from(COLOURS), st.sampled_from(VERBS))
def test_the_order_of_parts_says_the_same(noun: str, colour: str, verb: tuple[str, ...]) -> None:
    wanted = meaning(f"{noun} in {colour} {verb[0]} on the left")

    assert meaning(f"{noun} on the left in {colour} {verb[0]}") == wanted
    assert meaning(f"{noun} {verb[0]} on the left in {colour}") == wanted
    assert meaning(f"the left {noun} in {colour} who is {verb[0]}") == wanted


@pytest.mark.parametrize(
    ("text", "who", "also"),
    [
        ("white and red sports car drifting on the track", "sports car", []),
        ("toy train", "train", []),
        ("soccer ball", "soccer ball", []),
        ("a tennis player", "tennis player", []),
        ("baby elephant", "elephant", []),
        ("the mother duck is walking", "duck", []),
        ("man's dog", "dog", []),
        ("dog's owner", "owner", []),
        ("a group of people walking", "people", []),
        ("one of the men", "man", []),
        ("the legs of a man", "man", []),
        ("show me the dog", "dog", []),
        ("where is the red ball?", "ball", []),
        ("the number 245 man in a blue jersey", "man", []),
        ("half naked guy climbing a rock", "guy", []),
        ("a man and a woman dancing", "man", ["woman"]),
        ("cats or dogs", "cat", ["dog"]),
        ("two german shepherds", "german shepherd", []),
        ("an orange on the table", "orange", []),
        ("bowling ball rolling", "bowling ball", []),
        ("dog eating apple", "dog", []),
        ("two men racing with a soapbox", "man", []),
        ("with a soapbox two men racing", "man", []),
        ("a running black and brown dog", "dog", []),
        ("flying bird", "bird", []),
    ],
)
def test_the_actor_is_the_head_of_its_phrase(text: str, who: str, also: list[str]) -> None:
    parts = read(text)

    assert parts.who.noun.lemma == NOUNS.look_up(who).lemma
    assert [other.noun.lemma for other in parts.also] == also


@pytest.mark.parametrize(
    ("text", "plural", "count"),
    [
        ("dogs", True, None),
        ("two dogs", True, 2),
        ("both men", True, 2),
        ("3 geese", True, 3),
        ("the dog", False, None),
        ("one of the dogs", False, 1),
        ("the leftmost of three dogs", False, 1),
        ("a pair of dogs", True, None),
        ("people", True, None),
    ],
)
def test_number_is_told(text: str, plural: bool, count: int | None) -> None:
    assert (read(text).who.plural, read(text).who.count) == (plural, count)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a woman wearing red", [(("red",), (), "clothes", "whole", False)]),
        ("person in all black walking", [(("black",), (), "clothes", "whole", False)]),
        ("brown and white dog", [(("brown", "white"), (), None, "whole", False)]),
        ("a dark dog", [((), ("dark",), None, "whole", False)]),
        ("light blue car", [(("blue",), ("light",), None, "whole", False)]),
        ("man in a striped shirt", [((), ("striped",), "shirt", "upper", False)]),
        ("a red-haired woman", [(("red",), (), "hair", "head", False)]),
        ("the white shirted man", [(("white",), (), "shirt", "upper", False)]),
        ("man without a hat", [((), (), "hat", "head", True)]),
        ("the dog is not white", [(("white",), (), None, "whole", True)]),
        (
            "man in white shirt and black shorts running",
            [
                (("white",), (), "shirt", "upper", False),
                (("black",), (), "shorts", "lower", False),
            ],
        ),
        ("the man with the helmet that is white", [(("white",), (), "helmet", "head", False)]),
        ("a man is red jersey is shooting", [(("red",), (), "jersey", "upper", False)]),
        ("dog eating ice cream", []),
        ("bear catching a salmon", []),
        ("black swan", [(("black",), (), None, "whole", False)]),
    ],
)
def test_looks(text: str, wanted: list[tuple[object, ...]]) -> None:
    assert [look(said) for said in read(text).looks] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("man in the top right corner", [("top", None), ("right", None)]),
        ("the far left dog", [("leftmost", None)]),
        ("dog on the very right", [("rightmost", None)]),
        ("the second man from the left", [("left", 2)]),
        ("the second from left man is sitting", [("left", 2)]),
        ("a bird second from the right", [("right", 2)]),
        ("third dog", [("ordinal", 3)]),
        ("the tallest person", [("tallest", None)]),
        ("closest car", [("nearest", None)]),
        ("the dog in the background", [("back", None)]),
        ("man in a white top", []),
        ("dog lying on his back", []),
    ],
)
def test_places(text: str, wanted: list[tuple[str, int | None]]) -> None:
    assert [(place.name, place.rank) for place in read(text).where] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("dog walking to the left", [("walk", "slow", "left")]),
        ("a car moving from left to right", [("move", "moving", "right")]),
        ("man running towards the camera", [("run", "fast", "towards")]),
        ("dog running away", [("run", "fast", "away")]),
        ("man pushing the ball forward", [("push", "acting", "forward")]),
        ("a man is having a walk", [("walk", "slow", None)]),
        ("a man doing hand clapping", [("clap", "acting", None)]),
        ("the cat is having a nap", [("nap", "still", None)]),
        ("woman taking care of a child", []),
        ("man doing a somersault", [("somersault", "jumping", None)]),
        ("the dog starts running", [("run", "fast", None)]),
        ("a man is going to jump", [("jump", "jumping", None)]),
        ("a man jump and then fell", [("jump", "jumping", None), ("fall", "moving", None)]),
        ("parked car", [("park", "still", None)]),
        ("the cat is sitting and eating", [("sit", "still", None), ("eat", "acting", None)]),
        ("a boy jumping up and down", [("jump", "jumping", None)]),
        ("the red car", []),
    ],
)
def test_actions(text: str, wanted: list[tuple[str, str, str | None]]) -> None:
    assert [(one.verb, one.motion, one.direction) for one in read(text).does] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("man next to the dog", [("next to", "dog", False)]),
        ("man on a bicycle", [("on", "bicycle", False)]),
        ("person riding a horse", [("ride", "horse", False)]),
        ("the dog in front of the car", [("in front of", "car", False)]),
        ("the man on the left of the dog", [("left of", "dog", False)]),
        ("dog at the back of the car", [("behind", "car", False)]),
        ("car on the street", [("on", "street", True)]),
        ("man with a hat and a dog", [("with", "dog", False)]),
    ],
)
def test_second_nouns(text: str, wanted: list[tuple[str, str, bool]]) -> None:
    parts = read(text)

    assert [(one.relation, one.whom.noun.lemma, one.is_scene) for one in parts.beside] == wanted


def test_a_colour_of_the_second_noun_stays_with_it() -> None:
    for text in ("the man next to the red car", "the man next to the car that is red"):
        parts = read(text)

        assert parts.looks == ()
        assert [look(said) for said in parts.beside[0].whom.looks] == [
            (("red",), (), None, "whole", False)
        ]


def test_what_the_second_noun_does_is_told_as_unused() -> None:
    parts = read("the man next to the dog that is barking")

    assert parts.does == ()
    assert [parts.words[place] for place in parts.unused] == ["barking"]


@pytest.mark.parametrize(
    ("text", "lemma", "words"),
    [
        ("the left one", "one", (2,)),
        ("running", "one", ()),
        ("blue", "one", ()),
        ("the one in red", "person", (1,)),
        ("in a red shirt", "person", ()),
    ],
)
def test_an_actor_that_is_not_named_is_anything_or_whoever_wears_the_clothes(
    text: str, lemma: str, words: tuple[int, ...]
) -> None:
    who = read(text).who

    assert (who.noun.lemma, who.words, who.noun.known) == (lemma, words, 1.0)


@pytest.mark.parametrize("text", ["mna in red", "the blorb on the left", "男が走っている", "zzgh"])
def test_an_actor_that_nobody_knows_is_known_0_and_told(text: str) -> None:
    parts = read(text)

    assert parts.who.noun.known == 0.0
    assert not parts.who.noun.is_actor
    assert parts.unknown == parts.who.words


def test_a_misspelt_word_beside_the_actor_is_told_and_the_rest_understood() -> None:
    parts = read("a balck small dog runnning on the left")

    assert parts.who.noun.lemma == "dog"
    assert [place.name for place in parts.where] == ["small", "left"]
    assert [parts.words[place] for place in parts.unknown] == ["balck", "runnning"]


def test_words_that_play_no_part_are_told() -> None:
    parts = read("a cute old dog sleeping peacefully")

    assert [parts.words[place] for place in parts.unused] == ["cute", "old", "peacefully"]


@pytest.mark.parametrize("text", ["a man who is shirtless", "the shirtless man", "man shirtless"])
def test_who_is_shirtless_wears_no_shirt_and_no_word_is_left(text: str) -> None:
    parts = read(text)
    assert [(look.on, look.negated) for look in parts.looks] == [("shirt", True)]
    assert parts.unused == ()


def test_negations_are_told_and_deny_what_follows() -> None:
    parts = read("the dog is not running on the left")

    assert parts.negations == (3,)
    assert [action.negated for action in parts.does] == [True]
    assert [place.negated for place in parts.where] == [False]


def test_200_words_are_read_to_the_end() -> None:
    words = ("the", "big", "red", "dog") * 49 + ("on", "the", "left", "side")

    assert [place.name for place in read_parts(words, NOUNS, VECTORS).where][-1] == "left"


def test_no_word_is_the_only_error() -> None:
    with pytest.raises(VocabularyError, match="holds no word; send one like 'dog running'"):
        read_parts((), NOUNS, VECTORS)


COMMON_WORDS = """
the a two no not of in on at with to from next left right most far red light dark man dogs car
street dog's shirt short orange who that is has running runs parked walk and or but one first top
second back very than away towards it without wearing xqz 7 t number playing
"""


@given(st.lists(st.sampled_from(COMMON_WORDS.split()), min_size=1, max_size=12))
def test_any_words_in_any_order_are_read_and_accounted_for(words: list[str]) -> None:
    parts = read_parts(words, NOUNS, VECTORS)

    assert parts.words == tuple(words)
    places = set(range(len(words)))
    assert set(parts.who.words) | set(parts.unused) | set(parts.unknown) <= places
    assert not set(parts.unused) & set(parts.unknown)
    for part in (*parts.looks, *parts.where, *parts.does, *parts.beside):
        assert part.words, part
        assert set(part.words) <= places
        assert not set(part.words) & set(parts.unused), part


@given(st.text(min_size=1, max_size=60))
def test_any_text_is_read(text: str) -> None:
    try:
        words = tokenize(text)
    except VocabularyError:
        return
    if words:
        assert read_parts(words, NOUNS, VECTORS).words == words
