"""What happens in a clip: who is there, looks how, does what, where; and the camera."""

from dataclasses import dataclass, replace

import numpy as np

from actseg_core.generator.background import Backdrop, draw_backdrop
from actseg_core.generator.cutouts import Cutout, open_cutouts
from actseg_core.generator.figures.base import TAU
from actseg_core.generator.figures.cutout import ACTIONS as CUTOUT_ACTIONS
from actseg_core.generator.looks import Look, choose_look
from actseg_core.generator.palette import pick
from actseg_core.generator.props import Prop, occluders
from actseg_core.generator.settings import SceneConfig
from actseg_core.generator.skeleton import Track, affine, turn
from actseg_core.generator.staging import CastMember, stage
from actseg_core.labels import Pair, pair_from_label

FRONT_ACTIONS = ("walking", "running", "jumping", "none")
"""What is shown from the front, too."""


def camera_track(
    frames: int, height: int, width: int, rng: np.random.Generator, follow: Track | None = None
) -> Track:
    """A moving camera.

    Args:
        frames: T.
        height: Frame height [px].
        width: Frame width [px].
        rng: Source of randomness.
        follow: (T,) sideways shift [px] of an actor that the camera keeps in view.

    Returns:
        (T, 3, 3) from world pixels to frame pixels; the identity would be a still camera.
    """
    t: Track = np.arange(frames, dtype=np.float64) - (frames - 1) / 2
    pan_x = pan_y = angle = np.zeros(frames)
    zoom = np.ones(frames)
    if follow is not None:
        pan_x = pan_x + rng.uniform(0.6, 1.0) * follow
    elif rng.random() < 0.6:
        reach = 0.35 * width
        speed = rng.uniform(-0.012, 0.012) * width
        pan_x = pan_x + np.clip(speed * t, -reach, reach)
        pan_y = pan_y + np.clip(rng.uniform(-0.004, 0.004) * height * t, -reach / 3, reach / 3)
    if rng.random() < 0.5:
        shake = rng.uniform(0.002, 0.008) * width
        pan_x = pan_x + shake * _wobble(t, rng)
        pan_y = pan_y + shake * _wobble(t, rng)
        angle = rng.uniform(0.0, 0.02) * _wobble(t, rng)
    if rng.random() < 0.35:
        zoom = np.exp(np.clip(rng.uniform(-0.01, 0.01) * t, -0.3, 0.3))
    return _frame(pan_x, pan_y, angle, zoom, height, width)


def still_camera(frames: int) -> Track:
    """(T, 3, 3) identities."""
    return np.tile(np.eye(3), (frames, 1, 1))


def _wobble(t: Track, rng: np.random.Generator) -> Track:
    """Hand-held unrest of unit size: three sines of unrelated speeds."""
    speeds, phases = rng.uniform(0.02, 0.12, size=3), rng.uniform(0, TAU, size=3)
    waves = [np.sin(TAU * f * t + p) for f, p in zip(speeds, phases, strict=True)]
    return np.asarray(sum(waves)) / 1.7


def _frame(
    pan_x: Track, pan_y: Track, angle: Track, zoom: Track, height: int, width: int
) -> Track:
    zero, one = np.zeros(len(pan_x)), np.ones(len(pan_x))
    to_centre = affine(one, zero, zero, one, zero - width / 2 - pan_x, zero - height / 2 - pan_y)
    scaled = affine(zoom, zero, zero, zoom, zero, zero)
    return turn(angle, zero + width / 2, zero + height / 2) @ scaled @ to_centre


def world_bounds(camera: Track, height: int, width: int) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of all that the camera ever sees [world px], with a margin of 2 px."""
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], float)
    seen = np.linalg.inv(camera) @ corners
    low, high = seen[:, :2].min(axis=(0, 2)), seen[:, :2].max(axis=(0, 2))
    return float(low[0]) - 2, float(low[1]) - 2, float(high[0]) + 2, float(high[1]) + 2


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
        stage(pair, actor, (int(slot), len(pairs)), sunny, config, rng)
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
        folder = open_cutouts(config)
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
        folder = open_cutouts(config)
        if folder.offers(pair.actor_name):
            return folder.cutout(pair.actor_name, rng)
    look = choose_look(pair.actor_name, rng)
    return replace(look, view=look.view if pair.action_name in FRONT_ACTIONS else "side")


def _choose_camera(cast: list[CastMember], config: SceneConfig, rng: np.random.Generator) -> Track:
    still = config.camera == "still" or (config.camera == "mixed" and rng.random() < 1 / 3)
    if still:
        return still_camera(config.frames)
    follow = None
    if rng.random() < 0.3:
        x = pick(rng, cast).root[:, 0, 2]
        follow = x - x.mean()
    return camera_track(config.frames, config.height, config.width, rng, follow)
