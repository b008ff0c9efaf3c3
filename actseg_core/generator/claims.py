"""What a sentence claims, and whether it is true of an actor.

Two readings: `surely` is what nobody would dispute, `maybe` what a listener could take it for. A
sentence may be said of an actor if it is surely true of it and not even maybe of another; a
sentence about nobody must not be maybe true of anyone.
"""

from dataclasses import dataclass

from actseg_core.generator.clip import ActorRecord
from actseg_core.generator.words import Noun

NEAR: dict[str, tuple[str, ...]] = {
    "red": ("orange", "pink", "brown", "purple"),
    "blue": ("purple", "gray", "black"),
    "green": ("black", "gray", "yellow"),
    "yellow": ("orange", "white", "brown", "green"),
    "orange": ("red", "yellow", "brown"),
    "pink": ("red", "purple", "white"),
    "purple": ("blue", "pink", "red"),
    "white": ("gray", "yellow", "pink"),
    "black": ("gray", "brown", "blue", "green"),
    "gray": ("white", "black", "blue", "green", "brown"),
    "brown": ("orange", "red", "black", "gray", "yellow"),
}
"""Colours that poor light may turn into one another."""

ALSO: dict[tuple[str, str], tuple[str, ...]] = {
    ("ball", "jumping"): ("flying", "rolling"),
    ("ball", "flying"): ("jumping", "rolling"),
    ("ball", "rolling"): ("jumping",),
    ("car", "jumping"): ("flying", "running"),
    ("car", "flying"): ("jumping", "running"),
    ("car", "running"): ("jumping",),
    ("bird", "jumping"): ("flying",),
    ("bird", "flying"): ("jumping",),
    ("adult", "eating"): ("none",),
    ("bird", "eating"): ("none",),
    ("cat", "eating"): ("none",),
    ("dog", "eating"): ("none",),
}
"""(actor, action) -> other actions that a person might call it, too."""

SURE_SIDE: dict[str, tuple[float, float, float]] = {
    "left": (0.0, 0.36, 0.5),
    "middle": (0.42, 0.58, 0.16),
    "right": (0.64, 1.0, 0.5),
}
"""Side -> range of the mean x, and how far from the frame's edge or middle x may ever go."""


@dataclass(frozen=True)
class Claim:
    """The content of a sentence; empty fields claim nothing.

    Attributes:
        noun: Who.
        colour: Colour word.
        garment: What has the colour: shirt, dress, pants, hat; "" for the whole.
        second: Second colour ("black and white").
        size: small or big.
        side: left, right or middle.
        action: One of labels.ACTIONS.
        heading: left, right or camera.
    """

    noun: Noun
    colour: str = ""
    garment: str = ""
    second: str = ""
    size: str = ""
    side: str = ""
    action: str = ""
    heading: str = ""


def surely(claim: Claim, actor: ActorRecord) -> bool:
    """Whether nobody would dispute the claim about this actor."""
    return (
        _noun_surely(claim.noun, actor)
        and (not claim.colour or _colour_of(claim.garment, actor) == claim.colour)
        and (not claim.second or (actor.look.second == claim.second and not actor.look.dress))
        and (not claim.size or claim.size in actor.size_words)
        and (not claim.side or claim.side in actor.side_words)
        and (not claim.action or actor.pair.action_name == claim.action)
        and (not claim.heading or actor.heading == claim.heading)
    )


def maybe(claim: Claim, actor: ActorRecord) -> bool:
    """Whether a listener could take the claim for true of this actor."""
    return (
        _noun_maybe(claim.noun, actor)
        and (not claim.colour or _colour_maybe(claim, actor))
        and (not claim.size or _size_maybe(claim.size, actor))
        and (not claim.side or side_maybe(claim.side, actor))
        and (not claim.action or _action_maybe(claim.action, actor))
    )


def _noun_surely(noun: Noun, actor: ActorRecord) -> bool:
    fits = noun.actor == actor.pair.actor_name
    known = not noun.kinds or actor.look.kind in noun.kinds
    return fits and known and (not noun.small or actor.size_share < 0.5)


def _noun_maybe(noun: Noun, actor: ActorRecord) -> bool:
    kind = (actor.pair.actor_name, actor.look.kind)
    if noun.actor == kind[0] and (not noun.kinds or kind[1] in (*noun.kinds, "photo")):
        return True
    return any(kind[0] == other and part in ("", kind[1]) for other, part in noun.maybe)


def _colour_of(garment: str, actor: ActorRecord) -> str:
    look = actor.look
    if garment == "hat":
        return look.hat
    if garment == "pants":
        return "" if look.dress else look.second
    if garment in ("dress", "shirt") and look.dress != (garment == "dress"):
        return ""
    return look.colour


def _colour_maybe(claim: Claim, actor: ActorRecord) -> bool:
    look = actor.look
    worn = set(actor.colours)
    if claim.garment == "hat" and not look.also:
        worn = {look.hat}
    elif claim.garment == "pants" and not look.also:
        worn = {look.second, look.colour if look.dress else ""}
    wanted = {claim.colour, *NEAR[claim.colour]}
    return bool(worn & wanted)


def _size_maybe(size: str, actor: ActorRecord) -> bool:
    if size in actor.size_words:
        return True
    share = actor.size_share
    return share < 0.6 if size == "small" else share > 0.4


def sides(mean: float, low: float, high: float) -> tuple[str, ...]:
    """Side words that surely hold, from mean, least and greatest x as shares of the width."""
    found = []
    if mean <= SURE_SIDE["left"][1] and high <= SURE_SIDE["left"][2]:
        found.append("left")
    if mean >= SURE_SIDE["right"][0] and low >= SURE_SIDE["right"][2]:
        found.append("right")
    first, last, reach = SURE_SIDE["middle"]
    if first <= mean <= last and low >= 0.5 - reach and high <= 0.5 + reach:
        found.append("middle")
    return tuple(found)


def side_maybe(side: str, actor: ActorRecord) -> bool:
    """Whether the actor is at that side at any time, generously read."""
    low, high = actor.x_range
    if side == "left":
        return low < 0.52
    if side == "right":
        return high > 0.48
    return low < 0.7 and high > 0.3


def _action_maybe(action: str, actor: ActorRecord) -> bool:
    own = actor.pair.action_name
    return action == own or action in ALSO.get((actor.pair.actor_name, own), ())
