"""One actor on the stage: how large, where, drawn how, with which things around it."""

from dataclasses import dataclass, replace

import numpy as np

from actseg_core.generator.cutouts import Cutout
from actseg_core.generator.figures import Figure, build_figure
from actseg_core.generator.figures.base import Motion
from actseg_core.generator.figures.cutout import CutoutFigure
from actseg_core.generator.figures.human import Human
from actseg_core.generator.looks import Look
from actseg_core.generator.motion import (
    ALL_FAMILIES,
    FRONT_FAMILIES,
    PHOTO_FAMILIES,
    perform,
)
from actseg_core.generator.props import Prop, bowl, food, shadow, support
from actseg_core.generator.settings import SceneConfig
from actseg_core.generator.skeleton import Part, Pose, Track, affine
from actseg_core.labels import Pair

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

EXTENT = {"adult": 1.05, "baby": 1.05, "ball": 1.0}
"""Height of an actor [units] where it is not about 0.6."""


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


def stage(
    pair: Pair,
    actor: Look | Cutout,
    slot: tuple[int, int],
    sunny: bool,
    config: SceneConfig,
    rng: np.random.Generator,
) -> CastMember:
    """Draw one actor and place its performance in the frame.

    Args:
        pair: Who does what.
        actor: A look to draw, or a cut-out.
        slot: Which part of the frame's width is its place, and of how many.
        sunny: Whether things cast shadows.
        config: Frame size, number of frames, share of actors that enter or leave.
        rng: Source of randomness.
    """
    name = pair.actor_name
    look = actor.look if isinstance(actor, Cutout) else actor
    share = rng.uniform(*SIZE[name]) * config.actor_scale
    size = float(share * smaller_side(config) * CROWD[slot[1]])
    motion = perform(
        *(pair.action_name, name, config.frames, 0.95 * config.width / size, rng),
        families=_families(actor),
        front=look.view == "front",
    )
    size, motion = _fit(motion, size, _extent(name, motion), 0.95 * config.height)
    figure: Figure = (
        CutoutFigure(actor, size) if isinstance(actor, Cutout) else build_figure(actor, size, rng)
    )
    x = _position(motion.x * size, slot, config, rng)
    pose = figure.pose(motion)
    ground = _ground_level(pair, motion, size, config, rng)
    root = _root(motion, pose, x, ground, size)
    props = _props(pair, motion, x, ground, size, sunny, config, rng)
    parts = figure.parts
    if motion.family == "eat" and isinstance(figure, Human) and rng.random() < 0.7:
        parts = (*parts, food(*figure.grip, size, rng))
    return CastMember(pair, look, size, parts, motion, pose, root, ground, props)


def smaller_side(config: SceneConfig) -> float:
    """What actors' sizes are a share of [px]."""
    return min(config.height, 0.85 * config.width)


def _extent(actor: str, motion: Motion) -> float:
    """Height of an actor in its pose [units]."""
    return 1.05 if motion.family == "climb" else EXTENT.get(actor, 0.6)


def _fit(motion: Motion, size: float, extent: float, room: float) -> tuple[float, Motion]:
    """Make an actor smaller, and if need be its jumps lower, until both fit into the height.

    Args:
        motion: What it does.
        size: Pixels per unit.
        extent: Height of the actor [units].
        room: Height of the frame that may be used [px].
    """
    peak = float(motion.up.max())
    fitting = min(size, max(0.6 * size, room / (extent + peak)))
    lower = max(0.0, room / fitting - extent) / peak if peak > 0 else 1.0
    return fitting, replace(motion, up=motion.up * min(1.0, lower))


def _families(actor: Look | Cutout) -> tuple[str, ...]:
    if isinstance(actor, Cutout):
        return PHOTO_FAMILIES
    return FRONT_FAMILIES if actor.view == "front" else ALL_FAMILIES


def _root(motion: Motion, pose: Pose, x: Track, ground: float, size: float) -> Track:
    """(T, 3, 3) from the figure's units to world pixels; what comes nearer comes lower, too."""
    high = size * motion.depth
    wide = high * motion.facing
    y = ground + 0.25 * (high - size) - (pose.lift + motion.up) * high
    cos, sin = np.cos(pose.tilt), np.sin(pose.tilt)
    return affine(wide * cos, -wide * sin, high * sin, high * cos, x, y)


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
    extent = _extent(pair.actor_name, motion)
    high = min(low, max(0.55 * height, peak + extent * size))
    if motion.family in ("air", "climb"):
        high = min(low, peak + extent * size)
    return float(rng.uniform(high, low))
