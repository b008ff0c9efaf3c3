"""What happens in a clip: who is there, looks how, does what, where; and the camera."""

from dataclasses import dataclass

import numpy as np

from actseg_core.data.generator.background import Backdrop, draw_backdrop
from actseg_core.data.generator.camera import camera_track, still_camera, world_bounds
from actseg_core.data.generator.cutouts import Cutout, open_cutouts
from actseg_core.data.generator.figures import build_figure
from actseg_core.data.generator.figures.base import Motion
from actseg_core.data.generator.figures.cutout import ACTIONS as CUTOUT_ACTIONS
from actseg_core.data.generator.figures.cutout import CutoutFigure
from actseg_core.data.generator.figures.human import Human
from actseg_core.data.generator.looks import Look, choose_look
from actseg_core.data.generator.motion import perform
from actseg_core.data.generator.palette import pick
from actseg_core.data.generator.props import Prop, bowl, food, occluders, shadow, support
from actseg_core.data.generator.settings import SceneConfig
from actseg_core.data.generator.skeleton import Part, Pose, Track, affine
from actseg_core.labels import Pair, pair_from_label

SIZE: dict[str, tuple[float, float]] = {
    "adult": (0.42, 0.8),
    "baby": (0.24, 0.48),
    "ball": (0.1, 0.26),
    "bird": (0.2, 0.46),
    "car": (0.38, 0.85),
    "cat": (0.26, 0.5),
    "dog": (0.28, 0.6),
}
"""Size of an actor's unit as a share of the frame's smaller side."""

CROWD = {1: 1.0, 2: 0.88, 3: 0.76, 4: 0.68}
"""How much smaller actors are when several share the frame."""


@dataclass(frozen=True, eq=False)
class CastMember:
    """An actor, ready to be painted.

    Attributes:
        pair: Who does what.
        look: Appearance.
        size: Pixels per unit.
        parts: What is painted, carried things included.
        motion: What it does.
        pose: How the parts move.
        root: (T, 3, 3) from units to world pixels.
        ground: World y of the ground under it [px].
        props: What is painted just before it: shadow, what it climbs, its bowl.
    """

    pair: Pair
    look: Look
    size: float
    parts: tuple[Part, ...]
    motion: Motion
    pose: Pose
    root: Track
    ground: float
    props: tuple[Prop, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that the renderer paints."""

    cast: tuple[CastMember, ...]
    backdrop: Backdrop
    camera: Track
    occluders: tuple[Prop, ...]


def plan_scene(config: SceneConfig, rng: np.random.Generator, turn: int = 0) -> Scene:
    """Draw a random scene; actors are listed from far to near.

    Args:
        config: What it may contain.
        rng: Source of randomness.
        turn: One actor takes the pair whose turn it is, so that a run of numbers has all pairs
            equally often.
    """
    pairs = _choose_pairs(config, turn, rng)
    actors = _choose_actors(pairs, config, rng)
    slots = rng.permutation(len(pairs))
    sunny = bool(rng.random() < 0.5)
    cast = [
        _stage(pair, actor, (int(slot), len(pairs)), sunny, config, rng)
        for pair, actor, slot in zip(pairs, actors, slots, strict=True)
    ]
    cast.sort(key=lambda member: member.ground)
    camera = _choose_camera(cast, config, rng)
    in_front: tuple[Prop, ...] = ()
    if rng.random() < config.occlusion:
        in_front = occluders(config.height, config.width, config.frames, rng)
    return Scene(tuple(cast), _choose_backdrop(camera, config, rng), camera, in_front)


def _choose_backdrop(camera: Track, config: SceneConfig, rng: np.random.Generator) -> Backdrop:
    bounds = world_bounds(camera, config.height, config.width)
    if config.cutouts and rng.random() < config.photo_share:
        folder = open_cutouts(config.cutouts, config.cutout_licenses)
        if folder.has_photos:
            left, top = float(np.floor(bounds[0])), float(np.floor(bounds[1]))
            rows, columns = int(np.ceil(bounds[3] - top)), int(np.ceil(bounds[2] - left))
            return Backdrop(folder.photo(rows, columns, rng), left, top, "photo")
    return draw_backdrop(pick(rng, config.backgrounds), bounds, config.height, rng)


def _choose_pairs(config: SceneConfig, turn: int, rng: np.random.Generator) -> list[Pair]:
    """The first pair takes its turn; the others make the sentence necessary."""
    allowed = [pair_from_label(label) for label in config.pairs]
    weights = np.array([0.3, 0.35, 0.22, 0.13])[config.min_actors - 1 : config.max_actors]
    count = config.min_actors + int(rng.choice(len(weights), p=weights / weights.sum()))
    first = allowed[turn % len(allowed)]
    pairs = [first]
    while len(pairs) < count:
        case = pick(rng, ("same actor", "same action", "same pair", "any"))
        other = [
            pair
            for pair in allowed
            if case == "any"
            or (case == "same actor" and pair.actor == first.actor and pair != first)
            or (case == "same action" and pair.action == first.action and pair != first)
            or (case == "same pair" and pair == first)
        ]
        pairs.append(pick(rng, other or allowed))
    return pairs


def _choose_actors(
    pairs: list[Pair], config: SceneConfig, rng: np.random.Generator
) -> list[Look | Cutout]:
    """Drawn looks or cut-outs; sometimes twins, so that only the action tells them apart."""
    actors: list[Look | Cutout] = []
    for index, pair in enumerate(pairs):
        actor = _choose_actor(pair, config, rng)
        twins = [actors[i] for i in range(index) if pairs[i].actor == pair.actor]
        if twins and rng.random() < 0.3:
            twin = twins[0]
            if isinstance(twin, Look) or pair.action_name in CUTOUT_ACTIONS[pair.actor_name]:
                actor = twin
        actors.append(actor)
    return actors


def _choose_actor(pair: Pair, config: SceneConfig, rng: np.random.Generator) -> Look | Cutout:
    stiff = pair.action_name in CUTOUT_ACTIONS.get(pair.actor_name, ())
    if config.cutouts and stiff and rng.random() < config.cutout_share:
        folder = open_cutouts(config.cutouts, config.cutout_licenses)
        if folder.offers(pair.actor_name):
            return folder.cutout(pair.actor_name, rng)
    return choose_look(pair.actor_name, rng)


def _stage(
    pair: Pair,
    actor: Look | Cutout,
    slot: tuple[int, int],
    sunny: bool,
    config: SceneConfig,
    rng: np.random.Generator,
) -> CastMember:
    """Draw one actor and place its performance in the frame."""
    side = min(config.height, 0.85 * config.width)
    size = float(rng.uniform(*SIZE[pair.actor_name]) * side * CROWD[slot[1]])
    stiff = isinstance(actor, Cutout)
    look = actor.look if isinstance(actor, Cutout) else actor
    figure = (
        CutoutFigure(actor, size) if isinstance(actor, Cutout) else build_figure(actor, size, rng)
    )
    span = 0.95 * config.width / size
    motion = perform(pair.action_name, pair.actor_name, config.frames, span, rng, stiff=stiff)
    x = _position(motion.x * size, slot, config, rng)
    pose = figure.pose(motion)
    ground = _ground_level(pair, motion, size, config, rng)
    y = ground - (pose.lift + motion.up) * size
    zero = np.zeros(config.frames)
    cos, sin = np.cos(pose.tilt), np.sin(pose.tilt)
    wide = motion.facing * size
    root = affine(wide * cos, -wide * sin, size * sin, size * cos, zero + x, zero + y)
    props = _props(pair, motion, x, ground, size, sunny, config, rng)
    parts = figure.parts
    if motion.family == "eat" and isinstance(figure, Human) and rng.random() < 0.7:
        parts = (*parts, food(*figure.grip, size, rng))
    return CastMember(pair, look, size, parts, motion, pose, root, ground, props)


def _props(
    pair: Pair,
    motion: Motion,
    x: Track,
    ground: float,
    size: float,
    sunny: bool,
    config: SceneConfig,
    rng: np.random.Generator,
) -> tuple[Prop, ...]:
    """Shadow, what is climbed, a bowl; now and then without need, so that they prove nothing."""
    props = []
    reach = 0.25 if pair.actor_name in ("adult", "baby") else 0.42
    beside = float(x.mean() + np.sign(motion.facing[0]) * reach * size)
    if rng.random() < (0.75 if motion.family == "climb" else 0.06):
        top = -0.6 * config.height
        props.append(support(beside, top, ground, size, config.frames, rng))
    pecks = pair.actor_name in ("cat", "dog", "bird")
    if pecks and rng.random() < (0.6 if motion.family == "eat" else 0.05):
        mouth = beside + float(np.sign(motion.facing[0])) * 0.15 * size
        props.append(bowl(mouth, ground, size, config.frames, rng))
    if sunny and motion.family != "climb":
        wide = {"adult": 0.4, "baby": 0.45}.get(pair.actor_name, 1.0)
        props.append(shadow(x, ground, motion.up, size, wide))
    return tuple(props)


def _position(
    way: Track, slot: tuple[int, int], config: SceneConfig, rng: np.random.Generator
) -> Track:
    """(T,) x of the root [px]: in its slot at mid-time and, if it can, inside all the time."""
    width = config.width
    start = width * (slot[0] + rng.uniform(0.25, 0.75)) / slot[1]
    x = start + way
    if rng.random() < config.entering:
        return np.asarray(x)
    low, high = float(x.min()), float(x.max())
    margin = 0.12 * width
    if high - low > width - 2 * margin:
        return np.asarray(x + width / 2 - (low + high) / 2)
    return np.asarray(x + max(0.0, margin - low) - max(0.0, high - (width - margin)))


def _ground_level(
    pair: Pair, motion: Motion, size: float, config: SceneConfig, rng: np.random.Generator
) -> float:
    """World y of where the actor rests when its height is 0."""
    height = config.height
    peak = float(motion.up.max()) * size
    low = 0.97 * height
    if motion.family in ("air", "climb") and pair.actor_name in ("bird", "ball"):
        low = 0.8 * height
    extent = 1.0 if pair.actor_name in ("adult", "baby") else 0.6
    high = min(low, max(0.55 * height, peak + extent * size))
    if motion.family in ("air", "climb"):
        high = min(low, peak + extent * size)
    return float(rng.uniform(high, low))


def _choose_camera(cast: list[CastMember], config: SceneConfig, rng: np.random.Generator) -> Track:
    still = config.camera == "still" or (config.camera == "mixed" and rng.random() < 1 / 3)
    if still:
        return still_camera(config.frames)
    follow = None
    if rng.random() < 0.3:
        x = pick(rng, cast).root[:, 0, 2]
        follow = x - x.mean()
    return camera_track(config.frames, config.height, config.width, rng, follow)
