"""What a sentence says: who, how it looks, where it is, what it does, and beside whom."""

from dataclasses import dataclass

from actseg_core.text.nouns import Noun


@dataclass(frozen=True)
class Look:
    """Colours, shades or a pattern, or a garment alone.

    Attributes:
        colours: Of black, white, grey, red, orange, yellow, green, blue, purple, pink, brown and
            "colourful"; several for one thing that has them all ("brown and white").
        shades: Of dark, light, bright, striped, spotted, checked, patterned.
        on: None for the actor itself, "clothes" for whatever it wears ("in red"), otherwise the
            garment or part of the body ("shirt", "hair").
        region: Where that is: upper, lower, head, feet, or whole.
        words: Places of its words in the sentence.
        negated: "without a hat", "not red".
    """

    colours: tuple[str, ...]
    shades: tuple[str, ...]
    on: str | None
    region: str
    words: tuple[int, ...]
    negated: bool = False


@dataclass(frozen=True)
class NounPhrase:
    """A noun with its number and looks.

    Attributes:
        noun: What it stands for. A word that nobody knows has known 0.
        words: Places of the noun's words; empty if the noun was not said ("running", "in red").
        plural: Whether it may stand for several.
        count: The number that was said, or None.
        looks: Colours of this phrase ("next to the red car").
    """

    noun: Noun
    words: tuple[int, ...]
    plural: bool = False
    count: int | None = None
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where in the picture, or a comparison of size or distance.

    Attributes:
        name: left, right, middle, top, bottom, front, back; leftmost, rightmost, topmost,
            bottommost, nearest, farthest, biggest, smallest, tallest; big, small, tall; ordinal
            ("the second dog", not said from where).
        words: Places of its words.
        rank: 2 for "the second from the left" and "the second dog", otherwise None.
        negated: "not on the left".
    """

    name: str
    words: tuple[int, ...]
    rank: int | None = None
    negated: bool = False


@dataclass(frozen=True)
class Action:
    """What the actor does.

    Attributes:
        verb: Its lemma.
        motion: How the actor as a whole moves: still, slow, moving, fast, airborne, jumping,
            rolling, climbing, or acting (in place, or unknown).
        direction: left, right, up, down, forward, backward, towards or away (from the camera),
            None if not said.
        words: Places of its words.
        negated: "not running".
    """

    verb: str
    motion: str
    direction: str | None
    words: tuple[int, ...]
    negated: bool = False


@dataclass(frozen=True)
class Beside:
    """A second noun and how the actor stands to it.

    Attributes:
        relation: A preposition ("next to", "on", "left of") or the lemma of a verb ("ride").
        whom: The second noun.
        is_scene: It is no actor but ground, scenery, a garment or the like ("on the grass").
        words: Places of the relation's and the noun's words.
        negated: "without a dog".
    """

    relation: str
    whom: NounPhrase
    is_scene: bool
    words: tuple[int, ...]
    negated: bool = False


@dataclass(frozen=True)
class SentenceParts:
    """What a sentence says. Places are indices into `words`.

    Attributes:
        words: The sentence's words in lower case.
        who: The actor. Without a noun ("running", "the left one") it is anybody or anything.
        also: Further actors beside it ("a man and a woman").
        looks: Of the actor.
        where: In the picture.
        does: What it does.
        beside: Second nouns.
        negations: Words like "not"; what they deny bears negated.
        unused: Words that are known but play no part in the answer ("old", "quickly").
        unknown: Words that nobody knows.
    """

    words: tuple[str, ...]
    who: NounPhrase
    also: tuple[NounPhrase, ...] = ()
    looks: tuple[Look, ...] = ()
    where: tuple[Place, ...] = ()
    does: tuple[Action, ...] = ()
    beside: tuple[Beside, ...] = ()
    negations: tuple[int, ...] = ()
    unused: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
