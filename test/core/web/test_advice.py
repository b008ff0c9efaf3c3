"""What people are told about an answer."""

import numpy as np

from actseg_core.live.states import State
from actseg_core.types import Actor, Evidence, MaskResult
from actseg_core.web.advice import ADVICE, TITLES, about_answer

EMPTY = np.zeros((2, 2), np.uint8)


def actor(track: int, **log_odds: float) -> Actor:
    evidence = tuple(Evidence(part, (part, "it"), value) for part, value in log_odds.items())
    return Actor(track, 0.2, (0.0, 0.0, 1.0, 1.0), evidence, lambda: EMPTY)


def test_every_state_has_a_title_and_every_fault_its_advice() -> None:
    assert set(TITLES) == set(State)
    assert {state for state in State if state.is_fault} <= set(ADVICE)


def test_a_found_actor_needs_no_advice() -> None:
    assert about_answer(MaskResult(EMPTY, True, 0.9)) == ""


def test_the_part_that_speaks_most_against_the_nearest_is_named() -> None:
    missing = MaskResult(EMPTY, False, 0.2, actors=(actor(7, who=4.0, looks=-2.0, where=-1.0),))
    assert about_answer(missing) == (
        "Number 7 comes nearest, but \u201clooks it\u201d speaks against it. Leave that out, or "
        "look elsewhere."
    )


def test_where_nothing_speaks_against_it_the_answer_is_unsure() -> None:
    missing = MaskResult(EMPTY, False, 0.4, actors=(actor(7, who=0.3, looks=-0.4),))
    assert about_answer(missing).startswith("What comes nearest is too unsure.")


def test_words_that_nobody_knows_and_those_without_effect_are_named() -> None:
    result = MaskResult(EMPTY, False, 0.0, unused=("old",), unknown=("xyzzy", "plugh"))
    assert about_answer(result) == (
        "Nobody here knows \u201cxyzzy\u201d, \u201cplugh\u201d: use other words. Nothing in the "
        "picture fits. Turn the camera, or ask for the thing alone. "
        "Played no part: \u201cold\u201d."
    )
