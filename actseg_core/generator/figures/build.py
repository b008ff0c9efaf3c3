"""From a look to a figure."""

import numpy as np

from actseg_core.generator.figures.base import Figure
from actseg_core.generator.figures.bird import Bird
from actseg_core.generator.figures.human import Human
from actseg_core.generator.figures.quadruped import Quadruped
from actseg_core.generator.figures.things import Ball, Car
from actseg_core.generator.looks import Look


def build_figure(look: Look, scale: float, rng: np.random.Generator) -> Figure:
    """Draw an actor.

    Args:
        look: What it looks like.
        scale: Size of the actor's unit on screen [px]: body height for people, length for the
            rest, diameter for balls.
        rng: Source of randomness for textures and small features.
    """
    if look.actor in ("adult", "baby"):
        return Human(look, scale, rng)
    if look.actor in ("dog", "cat"):
        return Quadruped(look, scale, rng)
    if look.actor == "bird":
        return Bird(look, scale, rng)
    if look.actor == "car":
        return Car(look, scale, rng)
    return Ball(look, scale, rng)
