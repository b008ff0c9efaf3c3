"""Clips of the project's own generator as training clips."""

import numpy as np

from actseg_core.generator import GeneratedClip, SceneConfig, describe, render_clip
from actseg_core.generator.grammar import false_sentences
from actseg_core.generator.settings import CutoutPart
from actseg_core.training.lite.clip import Question, TrainingClip

ABSENT_SHARE = 0.4
MIN_TARGET_PX = 30
SEED_SPAN = 1 << 40
FIRST_SEED: dict[CutoutPart, int] = {"test": 0, "train": SEED_SPAN, "validation": 2 * SEED_SPAN}


class GeneratedSource:
    """Endless clips with colours, places and actions, and sentences that are false of them.

    Args:
        size: Side of the square clips [px].
        frames: Frames per clip.
        part: Which seeds, and which of the photographs.
        cutouts: Folder of photographs with masks for textured actors; "" for drawn ones alone.
        licences: License ids of the photographs that may be used; empty: all.
        questions: Questions per clip.
    """

    def __init__(
        self,
        size: int,
        frames: int,
        part: CutoutPart = "train",
        cutouts: str = "",
        licences: tuple[int, ...] = (),
        questions: int = 1,
    ) -> None:
        self._first_seed = FIRST_SEED[part]
        self._questions = questions
        self._scene = SceneConfig(
            frames=frames,
            height=size,
            width=size,
            cutouts=cutouts,
            cutout_licenses=licences,
            cutout_part=part,
        )

    def clip(self, rng: np.random.Generator) -> TrainingClip:
        """A fresh clip with true and false sentences."""
        seed = self._first_seed + int(rng.integers(SEED_SPAN))
        clip = render_clip(seed, self._scene)
        return TrainingClip(clip.frames, ask(clip, rng, self._questions), "generated")


def ask(clip: GeneratedClip, rng: np.random.Generator, count: int) -> tuple[Question, ...]:
    """Sentences about a generated clip; the masks of false ones are empty.

    False sentences name an absent actor, a present one with an action that nobody of its kind
    does, or a present action with an actor that is not there.
    """
    newest = clip.instances[-1]
    nothing = np.zeros(newest.shape, bool)
    visible = [
        actor.instance_id
        for actor in clip.actors
        if (newest == actor.instance_id).sum() > MIN_TARGET_PX
    ]
    questions: list[Question] = []
    while len(questions) < count:
        if visible and rng.random() > ABSENT_SHARE:
            target = visible[rng.integers(len(visible))]
            true = describe(clip, target, int(rng.integers(1 << 30)))
            questions += [Question(text, newest == target) for text in true]
            if true:
                continue
        false = false_sentences(clip.actors, clip.background, "never", rng)
        if false:
            questions.append(Question(false[rng.integers(len(false))].text, nothing))
        else:  # nothing can be said that is surely false, nor surely true of one actor alone
            questions.append(Question("nobody", nothing))
    return tuple(questions)
