"""Which nouns of people say that somebody is a woman, a man, or a child."""

import numpy as np
from numpy.typing import NDArray

from actseg_core.text.nouns import Noun

_WOMEN = """woman lady mother mom mum mommy wife actress waitress bride nun ballerina
girlfriend sister grandmother grandma granny queen princess businesswoman policewoman sportswoman
cowgirl cheerleader housewife hostess chairwoman horsewoman aunt widow"""
_MEN = """man guy gentleman father dad daddy husband waiter groom king prince boyfriend
brother grandfather grandpa businessman policeman fireman fisherman cowboy sportsman horseman
priest monk lad dude bloke fellow uncle repairman mailman workman"""
_CHILDREN = "child kid toddler baby infant youngster newborn schoolchild preschooler"
_ADULTS = "adult elder"
TRAITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(_WOMEN.split(), (1.0, -0.5)),
    **dict.fromkeys(_MEN.split(), (-1.0, -0.5)),
    **dict.fromkeys(_CHILDREN.split(), (0.0, 1.0)),
    **dict.fromkeys(_ADULTS.split(), (0.0, -1.0)),
    **dict.fromkeys(("girl", "schoolgirl", "daughter"), (1.0, 0.5)),  # grown-ups are called so
    **dict.fromkeys(("boy", "schoolboy", "son"), (-1.0, 0.5)),
}
"""How far a noun says "a woman, not a man" and "a child, not a grown-up", from -1 to 1."""


def person_traits(noun: Noun) -> NDArray[np.float32] | None:
    """(2,) of `TRAITS`; None for nouns that say neither ("person", "cyclist", "dog")."""
    found = TRAITS.get(noun.lemma)
    return None if found is None else np.array(found, np.float32)
