"""What of a sentence speaks for which object: log-odds of each part, for every track.

Each part of a sentence (who, looks, where, does, beside whom) gives every object natural log-odds,
bounded, so that no part can erase an actor on its own but the noun. What was said of no part is
0. The bounds and slopes below are ours, set on development clips (docs/lite.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from actseg_core.objects.looks import garment_log_odds, looks_log_odds, skin_tells
from actseg_core.objects.naming import MOUNTS, NamingInput, NamingModel
from actseg_core.objects.people import preference
from actseg_core.objects.tracks import Track
from actseg_core.text.colours import colour_mention
from actseg_core.text.nouns import Noun, Nouns
from actseg_core.text.people import person_traits
from actseg_core.text.sentence_parts import Action, Beside, Look, NounPhrase, Place, SentenceParts

Array = NDArray[np.float32]
Part = Literal["who", "looks", "where", "does", "beside"]
WHO_LIMIT = 6.0
LIMIT = 2.5
YOUNG, YOUNG_FRAMES = 2.0, 6.0  # log-odds that a track of one frame lacks, and how that fades
PEOPLE = 0.0  # log-odds of a noun for people from which women, men and children are compared,
PEOPLE_AREA = 0.008  # and the share of the picture that they cover at least
KIN = -2.0  # an object this likely or more to be of a noun's kind is one of "its kind"


@dataclass(frozen=True, eq=False)
class PartEvidence:
    """Log-odds of one part of a sentence.

    Attributes:
        part: Which.
        words: Places of its words in the sentence.
        log_odds: (K,) for each object.
    """

    part: Part
    words: tuple[int, ...]
    log_odds: Array


@dataclass(frozen=True, eq=False)
class Scene:
    """The tracks of one moment, as arrays with K rows; later frames do not change it.

    Attributes:
        numbers: Ids of the tracks.
        frames: (K,) in how many frames each was seen.
        masks: (K, m, m) probabilities.
        naming: What names them.
        boxes: (K, 4) centre, width, height, as shares of the picture's sides.
        areas: (K,) share of the picture that each mask covers.
        colours: (K, 5, 11).
        skin: (K, 2).
        motion: (K, 5), see `object_motion`.
        moved: (K,) whether motion was measured.
    """

    numbers: tuple[int, ...]
    frames: Array
    masks: Array
    naming: NamingInput
    boxes: Array
    areas: Array
    colours: Array
    skin: Array
    motion: Array
    moved: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.numbers)


def make_scene(tracks: Sequence[Track], content: tuple[slice, slice]) -> Scene:
    """The tracks as arrays.

    Args:
        tracks: At least one.
        content: Rows and columns of the network's input that hold the picture.
    """
    rows, columns = content
    height, width = rows.stop - rows.start, columns.stop - columns.start
    boxes = np.stack([track.box for track in tracks])
    boxes = (boxes - (columns.start, rows.start, 0, 0)) / (width, height, width, height)
    masks = np.stack([track.mask for track in tracks])
    inside = (masks > 0.5).sum(axis=(1, 2)).astype(np.float32)
    areas = inside * 16 / (height * width)
    return Scene(
        tuple(track.number for track in tracks),
        np.array([track.frames for track in tracks], np.float32),
        masks,
        NamingInput(
            np.array([track.objectness for track in tracks], np.float32),
            np.stack([track.classes for track in tracks]),
            np.stack([track.names for track in tracks]),
            areas,
        ),
        boxes.astype(np.float32),
        areas,
        np.stack([track.colours for track in tracks]),
        np.stack([track.skin for track in tracks]),
        np.stack([track.motion for track in tracks]),
        np.array([track.moved for track in tracks]),
    )


class SceneNaming:
    """Log-odds of nouns in one scene, each computed once however many sentences name it."""

    def __init__(self, scene: Scene, model: NamingModel) -> None:
        self.scene, self._model = scene, model
        self._known: dict[str, Array] = {}

    def log_odds(self, noun: Noun) -> Array:
        """(K,) bounded log-odds that each object is what the noun says."""
        found = self._known.get(noun.word)
        if found is None:
            found = self._model.log_odds(noun, self.scene.naming)
            found = np.clip(found, -WHO_LIMIT, WHO_LIMIT)
            if (traits := person_traits(noun)) is not None:
                people = (found >= PEOPLE) & (self.scene.areas >= PEOPLE_AREA)
                found = found + preference(traits, self.scene.naming.names, people)
            found = found - YOUNG * np.exp(-(self.scene.frames - 1) / YOUNG_FRAMES)
            found = found.astype(np.float32)
            self._known[noun.word] = found
        return found


def weigh(parts: SentenceParts, naming: SceneNaming) -> list[PartEvidence]:
    """The evidence of each part of a sentence for each object, "who" first."""
    scene = naming.scene
    who = _who(parts, naming)
    kin = who >= max(KIN, float(who.max()) - 4)
    found = [PartEvidence("who", parts.who.words, who)]
    for look in parts.looks:
        found.append(PartEvidence("looks", look.words, _looks(look, parts.words, scene)))
    for place in parts.where:
        odds = _signed(_where(place, scene, kin), place.negated)
        found.append(PartEvidence("where", place.words, odds))
    for action in parts.does:
        odds = _signed(_does(action, scene), action.negated)
        found.append(PartEvidence("does", action.words, odds))
    for beside in parts.beside:
        if can_be_seen(beside):
            odds = _signed(_beside(beside, parts.words, naming), beside.negated)
            found.append(PartEvidence("beside", beside.words, odds))
    return found


def _signed(odds: Array, negated: bool) -> Array:
    return -odds if negated else odds


def _who(parts: SentenceParts, naming: SceneNaming) -> Array:
    odds = [_phrase(phrase, naming) for phrase in (parts.who, *parts.also)]
    return np.asarray(np.max(odds, axis=0), np.float32)


def _phrase(phrase: NounPhrase, naming: SceneNaming) -> Array:
    """(K,) log-odds of a noun phrase; without a noun anything may be meant that is an object."""
    if phrase.words:
        return naming.log_odds(phrase.noun)
    objectness = np.clip(naming.scene.naming.objectness, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(objectness / (1 - objectness)) + 1.0, np.float32)


def _looks(look: Look, words: Sequence[str], scene: Scene) -> Array:
    odds = garment_log_odds(look, scene.skin)
    mention = colour_mention(look, words)
    if mention is not None:
        odds = odds + looks_log_odds(mention, scene.colours)
    return np.asarray(np.clip(odds, -LIMIT, LIMIT), np.float32)


def _where(place: Place, scene: Scene, kin: NDArray[np.bool_]) -> Array:
    """Place among those of its kind, and in the picture."""
    value = _place_value(place.name, scene)
    if value is None:
        return np.zeros(len(scene), np.float32)
    amount, middle, slope, superlative = value
    absolute = np.clip(slope * (amount - middle), -1.5, 1.5)
    if kin.sum() < 2:
        return np.asarray(np.maximum(absolute, -1.0), np.float32)
    order = np.argsort(np.argsort(-np.where(kin, amount, -np.inf)))  # 0: most so
    if place.rank is not None or superlative:
        wanted = (place.rank or 1) - 1
        return np.where(order == wanted, 2.0, -2.0).astype(np.float32)
    low, high = amount[kin].min(), amount[kin].max()
    relative = 2 * (amount - low) / max(float(high - low), 1e-3) - 1
    return np.asarray(np.clip(1.2 * relative + 0.6 * absolute, -LIMIT, LIMIT), np.float32)


def _place_value(
    name: str, scene: Scene
) -> tuple[NDArray[np.floating[Any]], float, float, bool] | None:
    """What is compared, where "more so" begins, how steep, and whether only the most so counts."""
    x, y, width, height = (np.asarray(row, np.float32) for row in scene.boxes.T)
    foot = y + height / 2
    size = np.asarray(np.log(np.maximum(scene.areas, 1e-5)) / 4, np.float32)
    table: dict[str, tuple[NDArray[np.floating[Any]], float, float, bool]] = {
        "left": (-x, -0.5, 5.0, False),
        "right": (x, 0.5, 5.0, False),
        "middle": (-np.abs(x - 0.5), -0.2, 6.0, False),
        "top": (-y, -0.5, 5.0, False),
        "bottom": (y, 0.5, 5.0, False),
        "front": (foot + size, 0.3, 2.0, False),
        "back": (-foot - size, -0.3, 2.0, False),
        "leftmost": (-x, -0.5, 5.0, True),
        "rightmost": (x, 0.5, 5.0, True),
        "topmost": (-y, -0.5, 5.0, True),
        "bottommost": (y, 0.5, 5.0, True),
        "nearest": (foot + size, 0.3, 2.0, True),
        "farthest": (-foot - size, -0.3, 2.0, True),
        "biggest": (size, -1.0, 1.0, True),
        "smallest": (-size, 1.0, 1.0, True),
        "tallest": (height, 0.5, 3.0, True),
        "big": (size, -0.9, 2.0, False),
        "small": (-size, 0.9, 2.0, False),
        "tall": (height, 0.4, 3.0, False),
    }
    return table.get(name)


def _does(action: Action, scene: Scene) -> Array:
    """Whether an object moves as the verb says; 0 where its motion is not known yet."""
    speed = np.hypot(scene.motion[:, 0], scene.motion[:, 1])
    moves = np.clip(1.6 * (scene.motion[:, 3] - 0.9), -2.0, 2.0)  # log-odds that it moves at all
    pace = np.log(speed + scene.motion[:, 2] + 0.05)
    kinds: dict[str, Array] = {
        "still": -moves,
        "slow": moves - 0.5 * np.clip(pace - np.log(1.5), 0, 2),
        "fast": moves + 0.7 * np.clip(pace - np.log(0.8), -1.5, 1.5),
        "acting": 0.4 * moves,
    }
    odds = kinds.get(action.motion, moves)
    ways = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
    if action.direction in ways:
        along = scene.motion[:, :2] @ np.array(ways[action.direction], np.float32)
        odds = odds + np.clip(2.5 * along / np.maximum(speed, 0.15), -1.5, 1.5)
    return np.where(scene.moved, np.clip(odds, -LIMIT, LIMIT), 0).astype(np.float32)


def unseen_words(parts: SentenceParts) -> tuple[int, ...]:
    """Places of understood words that no evidence is made of ("with a hat", "on the grass")."""
    words = [
        look.words
        for look in parts.looks
        if colour_mention(look, parts.words) is None and not skin_tells(look)
    ]
    words += [beside.words for beside in parts.beside if not can_be_seen(beside)]
    return tuple(place for group in words for place in group)


def can_be_seen(beside: Beside) -> bool:
    """Whether a second noun is something that becomes an object of the scene."""
    return not beside.is_scene and beside.whom.noun.known > 0


def _beside(beside: Beside, words: Sequence[str], naming: SceneNaming) -> Array:
    """How well the nearest object of the second noun stands to each object as was said.

    Things are often too small to be seen: their absence says little.
    """
    scene = naming.scene
    whom = _phrase(beside.whom, naming)
    for look in beside.whom.looks:
        whom = whom + _looks(look, words, scene)
    near = _nearness(beside.relation, scene.boxes)
    np.fill_diagonal(near, -4.0)
    best = np.max(np.minimum(whom, 2.0)[None] + near, axis=1)
    noun = beside.whom.noun
    least = -0.5 if noun.kind == "thing" or not noun.coco.any() else -2.0
    return np.asarray(np.clip(best, least, 2.0), np.float32)


def _nearness(relation: str, boxes: Array) -> Array:
    """(K, K): log-odds that the row's object stands to the column's as said, by their boxes."""
    apart = np.abs(boxes[:, None, :2] - boxes[None, :, :2])
    reach = (boxes[:, None, 2:] + boxes[None, :, 2:]) / 2
    size = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]).max(axis=2)
    gap = np.maximum(apart - reach, 0).max(axis=2) / np.maximum(size, 1e-3)
    near = 0.5 - 2.0 * np.clip(gap - 0.2, 0, 2)
    side = boxes[None, :, 0] - boxes[:, None, 0]
    if relation in ("left of", "right of"):
        sign = 1 if relation == "left of" else -1
        return np.asarray(near + np.clip(8 * sign * side, -2, 1), np.float32)
    if relation in ("on", "ride"):
        above = boxes[None, :, 1] - boxes[:, None, 1]
        return np.asarray(near - 2.0 * (gap > 0.1) + np.clip(6 * above, -1, 0.5), np.float32)
    return np.asarray(near, np.float32)


RIDERS = {
    "cyclist": "bicycle",
    "bicyclist": "bicycle",
    "biker": "bike",
    "motorcyclist": "motorcycle",
    "motorcycler": "motorcycle",
    "skateboarder": "skateboard",
    "surfer": "surfboard",
    "snowboarder": "snowboard",
}
"""People whose name says what they ride."""
_RIDING = ("on", "ride", "drive", "in", "on top of", "sit")
RIDING = {"animal": _RIDING, "vehicle": (*_RIDING, "with")}
"""Relations by which a second noun of that kind belongs to the rider; "a man with a dog" is the
man alone."""
UNLIKELY = -1.5  # log-odds of its noun down to which a mount is believed: it was spoken of


def ridden(parts: SentenceParts, naming: SceneNaming, meant: Sequence[int]) -> list[int]:
    """Rows of what moves as one with the meant objects, where the sentence says it: what they ride
    ("man on a bicycle", "cyclist"), or who rides what is said to move ("motorcycle driving by").

    Whoever names both is shown both, and what drives has a driver.
    """
    mounts = [
        beside.whom.noun
        for beside in parts.beside
        if beside.relation in RIDING.get(beside.whom.noun.kind, ())
        and not (beside.is_scene or beside.negated)
    ]
    if (implied := RIDERS.get(parts.who.noun.lemma)) is not None:
        mounts.append(Nouns.load().look_up(implied))
    near = _nearness("ride", naming.scene.boxes)
    np.fill_diagonal(near, -4.0)
    found = [_partners(naming.log_odds(mount) - UNLIKELY, near[meant]) for mount in mounts]
    if _is_ridden(parts):
        people = naming.log_odds(Nouns.load().look_up("person"))
        found.append(_partners(people, near.T[meant]))
    return [row for rows in found for row in rows]


def _is_ridden(parts: SentenceParts) -> bool:
    moves = any(action.motion != "still" and not action.negated for action in parts.does)
    return moves and bool(parts.who.noun.coco[list(MOUNTS)].any())


def _partners(odds: Array, near: Array) -> list[int]:
    """For each of M objects that stand to K others with (M, K) log-odds: the one that it belongs
    to, by these and the (K,) log-odds of the noun, if there is one."""
    worth = np.where((odds > 0) & (near > 0), odds + 3 * near, -np.inf)
    return [int(row.argmax()) for row in worth if row.max() > -np.inf]
