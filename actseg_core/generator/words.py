"""Vocabulary: which words name what, and which of them training never sees."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """A word for actors.

    Attributes:
        text: The word, lower case.
        actor: Actor that it names.
        kinds: Kinds that it certainly fits; empty: all.
        maybe: Further (actor, kind) that a listener may take it for; kind "" = any.
        held_out: Whether only evaluation uses it.
        weight: How often it is chosen, compared to others.
        small: Whether it fits only small ones.
    """

    text: str
    actor: str
    kinds: tuple[str, ...] = ()
    maybe: tuple[tuple[str, str], ...] = ()
    held_out: bool = False
    weight: float = 1.0
    small: bool = False


NOUNS = (
    Noun("man", "adult", ("man",), weight=4),
    Noun("guy", "adult", ("man",), ()),
    Noun("woman", "adult", ("woman",), weight=3),
    Noun("lady", "adult", ("woman",), weight=0.5),
    Noun("girl", "adult", ("woman",), (("baby", ""),), weight=0.7),
    Noun("person", "adult", (), (("baby", ""),), weight=1.2),
    Noun("adult", "adult", weight=0.3),
    Noun("gentleman", "adult", ("man",), held_out=True),
    Noun("human", "adult", (), (("baby", ""),), held_out=True),
    Noun("individual", "adult", (), (("baby", ""),), held_out=True),
    Noun("baby", "baby", weight=5),
    Noun("child", "baby"),
    Noun("kid", "baby", weight=0.7),
    Noun("baby boy", "baby", ("boy",), weight=0.6),
    Noun("baby girl", "baby", ("girl",), weight=0.6),
    Noun("toddler", "baby", held_out=True),
    Noun("infant", "baby", held_out=True),
    Noun("ball", "ball", weight=4),
    Noun("basketball", "ball", ("basketball",), weight=2),
    Noun("soccer ball", "ball", ("soccer",), weight=2),
    Noun("football", "ball", ("soccer",), held_out=True),
    Noun("sphere", "ball", held_out=True),
    Noun("bird", "bird", weight=4),
    Noun("duck", "bird", ("duck",), weight=2),
    Noun("parrot", "bird", ("parrot",), (("bird", "songbird"), ("bird", "")), held_out=True),
    Noun("sparrow", "bird", ("songbird",), (("bird", ""),), held_out=True),
    Noun("fowl", "bird", ("duck",), (("bird", ""),), held_out=True),
    Noun("car", "car", weight=4),
    Noun("racing car", "car", ("racer",), (("car", "sedan"),), weight=2),
    Noun("truck", "car", ("truck",), (("car", "van"),), weight=2),
    Noun("van", "car", ("van",), (("car", "truck"),), weight=2),
    Noun("vehicle", "car", held_out=True),
    Noun("automobile", "car", held_out=True),
    Noun("lorry", "car", ("truck",), (("car", "van"),), held_out=True),
    Noun("cat", "cat", weight=5),
    Noun("kitty", "cat", weight=0.5),
    Noun("kitten", "cat", (), (("cat", ""),), held_out=True, small=True),
    Noun("feline", "cat", held_out=True),
    Noun("dog", "dog", weight=5),
    Noun("doggy", "dog", weight=0.3),
    Noun("puppy", "dog", (), (("dog", ""),), held_out=True, small=True),
    Noun("hound", "dog", held_out=True),
    Noun("canine", "dog", held_out=True),
)


@dataclass(frozen=True)
class Verb:
    """A way to say an action.

    Attributes:
        text: Words after "is".
        action: One of labels.ACTIONS.
        actors: Actors of which one says it; empty: all.
        postures: Body poses (Motion.family) in which one says it; empty: all.
        held_out: Whether only evaluation uses it.
        weight: How often it is chosen, compared to others.
    """

    text: str
    action: str
    actors: tuple[str, ...] = ()
    held_out: bool = False
    weight: float = 1.0
    postures: tuple[str, ...] = ()


_UPRIGHT = ("stand", "eat")
_LEGGED = ("adult", "baby", "bird", "cat", "dog")
_FURRY = ("cat", "dog")
VERBS = (
    Verb("climbing", "climbing", weight=3),
    Verb("climbing up", "climbing", weight=2),
    Verb("ascending", "climbing", held_out=True),
    Verb("clambering up", "climbing", held_out=True),
    Verb("crawling", "crawling", weight=5),
    Verb("crawling slowly", "crawling"),
    Verb("creeping", "crawling", held_out=True),
    Verb("eating", "eating", weight=5),
    Verb("eating food", "eating", weight=2),
    Verb("eating something", "eating"),
    Verb("nibbling", "eating", held_out=True),
    Verb("munching", "eating", held_out=True),
    Verb("flying", "flying", weight=5),
    Verb("flying in the air", "flying", weight=2),
    Verb("flying through the air", "flying"),
    Verb("thrown through the air", "flying", ("ball",), weight=2),
    Verb("soaring", "flying", held_out=True),
    Verb("gliding through the air", "flying", held_out=True),
    Verb("jumping", "jumping", weight=5),
    Verb("jumping up and down", "jumping", ("adult", "bird", "cat", "dog", "ball"), weight=1.5),
    Verb("jumping up", "jumping", weight=0.7),
    Verb("bouncing", "jumping", ("ball",), weight=6),
    Verb("leaping", "jumping", held_out=True),
    Verb("hopping", "jumping", _LEGGED, held_out=True),
    Verb("rolling", "rolling", weight=5),
    Verb("rolling over", "rolling", weight=1.5),
    Verb("rolling around", "rolling"),
    Verb("tumbling", "rolling", held_out=True),
    Verb("spinning", "rolling", ("ball", "car"), held_out=True),
    Verb("running", "running", weight=5),
    Verb("running fast", "running"),
    Verb("driving", "running", ("car",), weight=3),
    Verb("driving fast", "running", ("car",), weight=2),
    Verb("racing", "running", ("car",), weight=2),
    Verb("sprinting", "running", _LEGGED, held_out=True),
    Verb("dashing", "running", held_out=True),
    Verb("speeding", "running", ("car",), held_out=True),
    Verb("walking", "walking", weight=6),
    Verb("walking around", "walking"),
    Verb("walking slowly", "walking", weight=0.7),
    Verb("strolling", "walking", held_out=True),
    Verb("wandering", "walking", held_out=True),
    Verb("marching", "walking", ("adult", "baby"), held_out=True),
    Verb("standing", "none", _LEGGED, weight=5, postures=_UPRIGHT),
    Verb("standing still", "none", _LEGGED, postures=_UPRIGHT),
    Verb("lying", "none", _LEGGED, weight=4, postures=("roll",)),
    Verb("lying on its side", "none", ("car",), postures=("roll",)),
    Verb("crouching", "none", ("adult", "baby", "dog"), weight=4, postures=("crawl",)),
    Verb("hanging", "none", _LEGGED, weight=3, postures=("climb",)),
    Verb("spreading its wings", "none", ("bird",), weight=2, postures=("air",)),
    Verb("not moving", "none", weight=0.5),
    Verb("parked", "none", ("car",), weight=4, postures=_UPRIGHT),
    Verb("still", "none", ("ball", "car")),
    Verb("resting", "none", (*_FURRY, "ball", "bird"), held_out=True),
    Verb("motionless", "none", held_out=True),
    Verb("staying put", "none", held_out=True),
)

PLACES: dict[str, tuple[str, ...]] = {
    "grass": ("on the grass", "in the grass", "on the lawn", "in the field"),
    "road": ("on the road", "on the street"),
    "beach": ("on the beach", "on the sand"),
    "snow": ("in the snow", "on the snow"),
    "room": ("on the floor", "in the room"),
    "carpet": ("on the carpet", "on the floor"),
    "forest": ("in the forest", "near the trees"),
    "lake": ("near the water",),
    "photo": (),
}
AIR_PLACES: dict[str, tuple[str, ...]] = {
    "grass": ("in the air", "over the grass", "in the sky"),
    "road": ("in the air", "over the road", "in the sky"),
    "beach": ("in the air", "over the beach", "in the sky"),
    "snow": ("in the air", "over the snow", "in the sky"),
    "room": ("in the air", "in the room"),
    "carpet": ("in the air",),
    "forest": ("in the air", "over the trees"),
    "lake": ("over the water", "in the air"),
    "photo": ("in the air",),
}
SIDE_PHRASES: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "on the left", "on the left side", "on left"),
    "right": ("on the right", "on the right", "on the right side", "on right"),
    "middle": ("in the middle", "in the middle", "in the center"),
}
SIZE_PHRASES: dict[str, tuple[str, ...]] = {
    "small": ("small", "small", "little"),
    "big": ("big", "large"),
}
HEADINGS: dict[str, tuple[str, ...]] = {
    "camera": ("towards the camera", "towards camera", "to the camera"),
    "left": ("to the left", "from right to left"),
    "right": ("to the right", "from left to right"),
}
