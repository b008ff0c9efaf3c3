"""What an actor looks like: its kind, its colours, its pattern."""

from dataclasses import dataclass

import numpy as np

from actseg_core.generator.palette import CLOTHES, FURS, PAINTS, TROUSERS, pick
from actseg_core.generator.scenery import Pattern


@dataclass(frozen=True)
class Look:
    """Appearance of one actor.

    Attributes:
        actor: One of labels.ACTORS.
        kind: Finer kind: man, woman, boy, girl; sedan, truck, racer, van; plain, basketball,
            soccer; parrot, duck, songbird; dog and cat have the actor's name; photo: unknown.
        colour: Word for the main colour: shirt or dress, fur, paint, plumage.
        second: Word for the second colour: trousers, pattern, or "" if there is none.
        pattern: How the second colour (or a darker tone) is spread.
        dress: Whether one piece covers body and legs.
        hat: Colour word of the hat, or "".
        view: Side or front view.
        also: Further colour words that pixels of a photographed actor may be given.
    """

    actor: str
    kind: str
    colour: str
    second: str = ""
    pattern: Pattern = "plain"
    dress: bool = False
    hat: str = ""
    view: str = "side"
    also: tuple[str, ...] = ()


def choose_look(actor: str, rng: np.random.Generator) -> Look:
    """A random look for an actor."""
    if actor in ("adult", "baby"):
        return _human(actor, rng)
    if actor in ("dog", "cat"):
        return _pet(actor, rng)
    if actor == "bird":
        return _bird(rng)
    if actor == "car":
        kind = pick(rng, ("sedan", "sedan", "van", "truck", "racer"))
        return Look(actor, kind, pick(rng, PAINTS))
    return _ball(rng)


def _human(actor: str, rng: np.random.Generator) -> Look:
    kind = pick(rng, ("man", "woman") if actor == "adult" else ("boy", "girl"))
    colour = pick(rng, CLOTHES)
    pattern: Pattern = pick(rng, ("plain", "plain", "plain", "stripes", "checks"))
    return Look(
        actor,
        kind,
        colour,
        second=pick(rng, [word for word in TROUSERS if word != colour]),
        pattern=pattern,
        dress=kind in ("woman", "girl") and bool(rng.random() < 0.4),
        hat=pick(rng, CLOTHES) if rng.random() < 0.2 else "",
        view="front" if rng.random() < 0.25 else "side",
    )


def _pet(actor: str, rng: np.random.Generator) -> Look:
    furs = FURS[actor]
    colour = pick(rng, furs)
    patterns: tuple[Pattern, ...] = ("plain", "plain", "patches", "spots")
    if actor == "cat":
        patterns = ("plain", "plain", "tabby", "patches")
    pattern = pick(rng, patterns)
    second = ""
    if pattern in ("patches", "spots"):
        second = "white" if colour != "white" else pick(rng, ("black", "brown"))
    return Look(actor, actor, colour, second, pattern)


def _bird(rng: np.random.Generator) -> Look:
    kind = pick(rng, ("songbird", "songbird", "parrot", "duck"))
    colours: tuple[str, ...] = FURS["bird"]
    if kind == "parrot":
        colours = ("green", "red", "blue", "yellow")
    elif kind == "duck":
        colours = ("white", "brown", "yellow")
    colour = pick(rng, colours)
    second = ""
    if rng.random() < 0.4:
        second = pick(rng, [word for word in colours if word != colour])
    return Look("bird", kind, colour, second, "feathers" if second else "plain")


def _ball(rng: np.random.Generator) -> Look:
    kind = pick(rng, ("plain", "plain", "basketball", "soccer", "striped"))
    if kind == "basketball":
        return Look("ball", kind, "orange")
    if kind == "soccer":
        return Look("ball", kind, "white", "black")
    colour = pick(rng, CLOTHES)
    if kind == "plain":
        return Look("ball", kind, colour)
    second = pick(rng, [word for word in CLOTHES if word != colour])
    return Look("ball", kind, colour, second, "stripes")
