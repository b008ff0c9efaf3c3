"""What to tell people about a state or an answer, and what they can do about it."""

from actseg_core.live.states import State
from actseg_core.types import MaskResult

AGAINST = -0.5  # log-odds from which on a part counts as speaking against an actor
TITLES = {
    State.UNCONFIGURED: "No model is loaded",
    State.INACTIVE: "Switched off",
    State.IDLE: "Ready for a sentence",
    State.WARMING_UP: "Looking",
    State.FOUND: "Found",
    State.NOT_FOUND: "Not found",
    State.STALE_INPUT: "The camera is silent",
    State.BAD_INPUT: "The camera's pictures cannot be used",
    State.BAD_TIME: "The camera's clock is wrong",
    State.OVERLOADED: "Too slow for this camera",
    State.MODEL_ERROR: "The model failed",
    State.SHUTDOWN: "It was ended",
}
ADVICE = {
    State.UNCONFIGURED: "Wait until it is loaded, or configure the node.",
    State.INACTIVE: "Activate the node.",
    State.IDLE: "Type what to look for, such as: the person on the left.",
    State.STALE_INPUT: "Nothing is marked until pictures come again. Check the camera, its cable "
    "and its topic.",
    State.BAD_INPUT: "Nothing is marked until a picture can be used.",
    State.BAD_TIME: "Nothing is marked until the stamps are right.",
    State.OVERLOADED: "Old masks are held back. Lower the camera's rate or its size.",
    State.MODEL_ERROR: "It is tried again with the next pictures.",
    State.SHUTDOWN: "Start it again; this page connects by itself.",
}


def about_answer(result: MaskResult) -> str:
    """What to do about one sentence's answer; empty if all is well."""
    told = []
    if result.unknown:
        told.append(f"Nobody here knows {_listed(result.unknown)}: use other words.")
    if not result.found:
        told.append(_missing(result))
    if result.unused:
        told.append(f"Played no part: {_listed(result.unused)}.")
    return " ".join(told)


def _missing(result: MaskResult) -> str:
    if not result.actors:
        return "Nothing in the picture fits. Turn the camera, or ask for the thing alone."
    nearest = result.actors[0]
    against = min(nearest.evidence, key=lambda item: item.log_odds, default=None)
    if against is None or against.log_odds > AGAINST:
        return "What comes nearest is too unsure. Go nearer, or say more about it."
    words = " ".join(against.words) or against.part
    return (
        f"Number {nearest.track_id} comes nearest, but \u201c{words}\u201d speaks against it. "
        "Leave that out, or look elsewhere."
    )


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"\u201c{word}\u201d" for word in words)
