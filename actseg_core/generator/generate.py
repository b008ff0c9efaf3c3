"""From a seed to a clip."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ConfigError
from actseg_core.generator.claims import sides
from actseg_core.generator.clip import ActorRecord, GeneratedClip
from actseg_core.generator.grammar import false_sentences, identify, true_sentences
from actseg_core.generator.looks import Look
from actseg_core.generator.render import degrade, paint, scene_layers
from actseg_core.generator.scene import Scene, plan_scene
from actseg_core.generator.settings import HeldOut, SceneConfig
from actseg_core.generator.staging import CROWD, SIZE, CastMember, smaller_side

ATTEMPTS = 30
VISIBLE_PX = 12
LEAST_VISIBLE = 0.25
"""Share of the frames in which every actor can be seen."""


def render_clip(seed: int, config: SceneConfig) -> GeneratedClip:
    """Render the clip of a seed; the same seed and config always give the same clip.

    Scenes in which an actor can hardly be seen, or not be told from the others in words, are
    drawn again.

    Args:
        seed: Any whole number from 0.
        config: What the clip may contain.

    Raises:
        ConfigError: If the config leaves no room for a scene whose actors can be told apart.
        DatasetError: If the cut-out folder cannot be read.
    """
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng([seed, attempt])
        scene = plan_scene(config, rng, turn=seed)
        records = _records(scene, config)
        if not all(identify(actor, records, config.held_out_words, rng) for actor in records):
            continue
        layers = scene_layers(scene, config.height, config.width)
        frames, instances, flow = paint(scene, layers, config.height, config.width)
        shown = [len(_visible(instances, record.instance_id)) for record in records]
        if min(shown) >= LEAST_VISIBLE * config.frames:
            break
    else:
        raise ConfigError(
            f"no scene in which all actors can be seen and told apart came out of {ATTEMPTS} "
            f"tries with seed {seed}; allow more pairs, fewer actors, a larger frame or less "
            "occlusion and entering"
        )
    if config.degrade:
        degrade(frames, rng)
    place = scene.backdrop.kind
    held_out = config.held_out_words
    actors = tuple(
        replace(
            record,
            visible_frames=_visible(instances, record.instance_id),
            sentences=true_sentences(
                record, records, place, config.sentences, held_out, config.max_words, rng
            ),
        )
        for record in records
    )
    distractors = false_sentences(records, place, held_out, rng)
    return GeneratedClip(frames, instances, flow, actors, distractors, place, seed)


def describe(
    clip: GeneratedClip,
    instance_id: int,
    seed: int,
    *,
    count: int = 1,
    held_out: HeldOut = "never",
) -> tuple[str, ...]:
    """Fresh sentences that are true of one actor of a clip and of no other.

    Args:
        clip: A generated clip.
        instance_id: Which actor.
        seed: Makes the sentences.
        count: Most sentences wanted.
        held_out: Whether words that training never sees are used.
    """
    rng = np.random.default_rng([clip.seed, seed, instance_id])
    actor = clip.actors[instance_id - 1]
    return true_sentences(actor, clip.actors, clip.background, count, held_out, 20, rng)


def _visible(instances: NDArray[np.uint8], instance_id: int) -> tuple[int, ...]:
    counts = (instances == instance_id).sum(axis=(1, 2))
    return tuple(np.flatnonzero(counts >= VISIBLE_PX).tolist())


def _records(scene: Scene, config: SceneConfig) -> list[ActorRecord]:
    """What is true of each actor, from the plan alone."""
    shares = [_size_share(member, len(scene.cast), config) for member in scene.cast]
    return [
        _record(index + 1, member, scene, config, shares[index], shares)
        for index, member in enumerate(scene.cast)
    ]


def _record(
    instance_id: int,
    member: CastMember,
    scene: Scene,
    config: SceneConfig,
    share: float,
    shares: list[float],
) -> ActorRecord:
    x = (scene.camera @ member.root)[:, 0, 2] / config.width
    inside = x[(x > 0.0) & (x < 1.0)]
    seen = inside if len(inside) else np.clip(x, 0.0, 1.0)
    low, high = float(seen.min()), float(seen.max())
    kin = [
        other.size
        for other in scene.cast
        if other.pair.actor == member.pair.actor and other is not member
    ]
    look = member.look
    return ActorRecord(
        instance_id=instance_id,
        pair=member.pair,
        look=look,
        colours=_colour_words(look),
        size=member.size,
        size_words=_size_words(member.size, share, kin),
        side_words=sides(float(seen.mean()), low, high),
        size_share=share,
        x_range=(low, high),
        heading=_heading(member),
        posture="unknown" if look.also else member.motion.family,
        airborne=member.pair.action_name == "flying" or member.motion.family == "air",
        visible_frames=(),
    )


def _colour_words(look: Look) -> tuple[str, ...]:
    words = (look.colour, look.second, look.hat, *look.also)
    return tuple(dict.fromkeys(word for word in words if word))


def _size_share(member: CastMember, count: int, config: SceneConfig) -> float:
    low, high = SIZE[member.pair.actor_name]
    side = smaller_side(config) * CROWD[count]
    return float((member.size / side - low) / (high - low))


def _size_words(size: float, share: float, kin: list[float]) -> tuple[str, ...]:
    """Small or big: at the end of its kind's range and clearly apart from its kin here."""
    if share < 0.3 and all(size * 1.25 < other for other in kin):
        return ("small",)
    if share > 0.7 and all(size > other * 1.25 for other in kin):
        return ("big",)
    return ()


def _heading(member: CastMember) -> str:
    if np.ptp(member.motion.depth) > 0.06:
        return "camera"
    steps = np.diff(member.root[:, 0, 2])
    if len(steps) and np.all(steps > 0.004 * member.size):
        return "right"
    return "left" if len(steps) and np.all(steps < -0.004 * member.size) else ""
