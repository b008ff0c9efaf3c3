"""Actors, actions and the 43 valid pairs of the Actor-Action Dataset (A2D).

Ids and valid pairs follow A2D's published label map (label = 10 * actor + action; Xu et al.,
CVPR 2015): 36 pairs with a real action and 7 with "none".
"""

from typing import NamedTuple

ACTORS = ("adult", "baby", "ball", "bird", "car", "cat", "dog")
ACTIONS = (
    "climbing",
    "crawling",
    "eating",
    "flying",
    "jumping",
    "rolling",
    "running",
    "walking",
    "none",
)
BACKGROUND = 0


class Pair(NamedTuple):
    """An actor and what it does, both 1-based indices into ACTORS and ACTIONS."""

    actor: int
    action: int

    @property
    def label(self) -> int:
        """A2D's id of the pair, 11 to 79."""
        return 10 * self.actor + self.action

    @property
    def text(self) -> str:
        """The pair as a query, "dog running"; for "none" only the actor."""
        actor = ACTORS[self.actor - 1]
        return actor if ACTIONS[self.action - 1] == "none" else f"{actor} {self.action_name}"

    @property
    def actor_name(self) -> str:
        """Name of the actor."""
        return ACTORS[self.actor - 1]

    @property
    def action_name(self) -> str:
        """Name of the action."""
        return ACTIONS[self.action - 1]


def pair_from_label(label: int) -> Pair:
    """The pair of an A2D id."""
    return Pair(label // 10, label % 10)


_VALID_LABELS = (
    *(11, 12, 13, 15, 16, 17, 18, 19),
    *(21, 22, 26, 28, 29),
    *(34, 35, 36, 39),
    *(41, 43, 44, 45, 46, 48, 49),
    *(54, 55, 56, 57, 59),
    *(61, 63, 65, 66, 67, 68, 69),
    *(72, 73, 75, 76, 77, 78, 79),
)
PAIRS = tuple(pair_from_label(label) for label in _VALID_LABELS)
