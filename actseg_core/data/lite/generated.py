"""Clips of the project's own generator as training clips."""

import numpy as np

from actseg_core.data.generator import GeneratedClip, SceneConfig, render_clip
from actseg_core.data.lite.clip import TrainingClip

ABSENT_SHARE = 0.35
SEED_SPAN = 1 << 40
# Seeds from here on are for training and validation; smaller ones are left for tests.
TRAINING_SEEDS = SEED_SPAN
VALIDATION_SEEDS = 2 * SEED_SPAN


class GeneratedSource:
    """Endless clips with colours, places and actions, and sentences that are false of them.

    Args:
        size: Side of the square clips [px].
        frames: Frames per clip.
        held_out: Draw from the seeds that are for validation.
        cutouts: Folder of photographs with masks for textured actors; "" for drawn ones alone.
    """

    def __init__(self, size: int, frames: int, held_out: bool = False, cutouts: str = "") -> None:
        self._first_seed = VALIDATION_SEEDS if held_out else TRAINING_SEEDS
        self._scene = SceneConfig(frames=frames, height=size, width=size, cutouts=cutouts)

    def clip(self, rng: np.random.Generator) -> TrainingClip:
        """A fresh clip with a true or, at times, a false sentence."""
        seed = self._first_seed + int(rng.integers(SEED_SPAN))
        return question(render_clip(seed, self._scene), rng)


def question(clip: GeneratedClip, rng: np.random.Generator) -> TrainingClip:
    """Pick one sentence about a generated clip; its mask is empty if the sentence is false."""
    newest = clip.instances[-1]
    visible = [actor for actor in clip.actors if (newest == actor.instance_id).sum() > 30]
    if clip.distractor_sentences and (not visible or rng.random() < ABSENT_SHARE):
        options = clip.distractor_sentences
        sentence = options[rng.integers(len(options))].text
        return TrainingClip(
            clip.frames, np.zeros(newest.shape, bool), sentence, "generated-absent"
        )
    actor = visible[rng.integers(len(visible))] if visible else clip.actors[0]
    sentence = actor.sentences[rng.integers(len(actor.sentences))]
    return TrainingClip(clip.frames, newest == actor.instance_id, sentence, "generated")
