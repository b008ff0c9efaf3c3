"""What happens in a clip: who is there, looks how, does what, where; and the camera."""

from dataclasses import dataclass

import numpy as np

from actseg_core.data.generator.background import Backdrop, draw_backdrop
from actseg_core.data.generator.camera import camera_track, still_camera, world_bounds
from actseg_core.data.generator.figures import Figure, build_figure
from actseg_core.data.generator.figures.base import Motion
from actseg_core.data.generator.looks import Look, choose_look
from actseg_core.data.generator.motion import perform
from actseg_core.data.generator.palette import pick
from actseg_core.data.generator.settings import SceneConfig
from actseg_core.data.generator.skeleton import Pose, Track, affine
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
    """An actor, ready to be painted."""

    pair: Pair
    look: Look
    size: float
    figure: Figure
    motion: Motion
    pose: Pose
    root: Track
    ground: float


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that the renderer paints."""

    cast: tuple[CastMember, ...]
    backdrop: Backdrop
    camera: Track


def plan_scene(config: SceneConfig, rng: np.random.Generator) -> Scene:
    """Draw a random scene; actors are listed from far to near."""
    pairs = _choose_pairs(config, rng)
    looks = _choose_looks(pairs, rng)
    slots = rng.permutation(len(pairs))
    cast = [
        _stage(pair, look, int(slot), len(pairs), config, rng)
        for pair, look, slot in zip(pairs, looks, slots, strict=True)
    ]
    cast.sort(key=lambda member: member.ground)
    camera = _choose_camera(cast, config, rng)
    bounds = world_bounds(camera, config.height, config.width)
    kind = pick(rng, config.backgrounds)
    return Scene(tuple(cast), draw_backdrop(kind, bounds, config.height, rng), camera)


def _choose_pairs(config: SceneConfig, rng: np.random.Generator) -> list[Pair]:
    """The first pair is any; the others make the sentence necessary."""
    allowed = [pair_from_label(label) for label in config.pairs]
    weights = np.array([0.3, 0.35, 0.22, 0.13])[config.min_actors - 1 : config.max_actors]
    count = config.min_actors + int(rng.choice(len(weights), p=weights / weights.sum()))
    first = pick(rng, allowed)
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


def _choose_looks(pairs: list[Pair], rng: np.random.Generator) -> list[Look]:
    """Sometimes twins, so that only the action tells them apart."""
    looks: list[Look] = []
    for index, pair in enumerate(pairs):
        look = choose_look(pair.actor_name, rng)
        twins = [looks[i] for i in range(index) if pairs[i].actor == pair.actor]
        if twins and rng.random() < 0.3:
            look = twins[0]
        looks.append(look)
    return looks


def _stage(
    pair: Pair, look: Look, slot: int, count: int, config: SceneConfig, rng: np.random.Generator
) -> CastMember:
    """Draw one actor and place its performance in the frame."""
    side = min(config.height, 0.85 * config.width)
    size = float(rng.uniform(*SIZE[pair.actor_name]) * side * CROWD[count])
    figure = build_figure(look, size, rng)
    span = 0.95 * config.width / size
    motion = perform(pair.action_name, pair.actor_name, config.frames, span, rng)
    x = _position(motion.x * size, slot, count, config, rng)
    pose = figure.pose(motion)
    ground = _ground_level(pair, motion, size, config, rng)
    y = ground - (pose.lift + motion.up) * size
    zero = np.zeros(config.frames)
    cos, sin = np.cos(pose.tilt), np.sin(pose.tilt)
    wide, high = motion.facing * size, size
    root = affine(wide * cos, -wide * sin, high * sin, high * cos, zero + x, zero + y)
    return CastMember(pair, look, size, figure, motion, pose, root, ground)


def _position(
    way: Track, slot: int, count: int, config: SceneConfig, rng: np.random.Generator
) -> Track:
    """(T,) x of the root [px]: in its slot at mid-time and, if it can, inside all the time."""
    width = config.width
    start = width * (slot + rng.uniform(0.25, 0.75)) / count
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


def _choose_camera(
    cast: list[CastMember], config: SceneConfig, rng: np.random.Generator
) -> Track:
    still = config.camera == "still" or (config.camera == "mixed" and rng.random() < 1 / 3)
    if still:
        return still_camera(config.frames)
    follow = None
    if rng.random() < 0.3:
        x = pick(rng, cast).root[:, 0, 2]
        follow = x - x.mean()
    return camera_track(config.frames, config.height, config.width, rng, follow)
