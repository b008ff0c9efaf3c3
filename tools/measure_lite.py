"""Figures of docs/lite.md: a checkpoint on clips that it was not trained on.

python tools/measure_lite.py lite --davis FOLDER --photos FOLDER --sheet sheet.png

Generated clips come from seeds that training never draws. FOLDERs are in DAVIS 2016 and COCO
layout; of the photographs only the held-out fifth is used. Half of the sentences are about
something that is not there.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.data.generator import SceneConfig, render_clip
from actseg_core.data.lite.photos import PhotoSource, read_image
from actseg_core.predictor import Predictor
from actseg_core.types import Clip, MaskResult
from actseg_core.visualize import overlay, save_png

TEST_SEEDS = range(120)
PHOTO_CLIPS = 300
WINDOWS_PER_SEQUENCE = 4
# What the mask of each sequence of DAVIS 2016's validation split covers, and something absent.
DAVIS = {
    "bmx-trees": ("person on a bicycle", "dog"),
    "car-shadow": ("car", "dog"),
    "dance-twirl": ("man dancing", "cat"),
    "drift-chicane": ("car", "person"),
    "goat": ("goat", "car"),
    "libby": ("dog running", "bird"),
    "motocross-jump": ("person on a motorcycle", "cow"),
    "paragliding-launch": ("person", "car"),
    "scooter-black": ("person on a scooter", "dog"),
    "soapbox": ("person", "cat"),
}


@dataclass(frozen=True)
class Question:
    """A clip, and sentences with their masks in the newest frame; None: it is not there."""

    rgb: NDArray[np.uint8]
    asked: tuple[tuple[str, NDArray[np.bool_] | None], ...]


@dataclass
class Score:
    """Running figures of one data set."""

    overlap: int = 0
    union: int = 0
    ious: list[float] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)
    refused: list[bool] = field(default_factory=list)
    sheet: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, question: Question, results: list[MaskResult]) -> None:
        """Count one clip."""
        for (_, mask), result in zip(question.asked, results, strict=True):
            if mask is None:
                self.refused.append(not result.found)
                continue
            answered = result.mask > 0
            overlap, union = int((answered & mask).sum()), int((answered | mask).sum())
            self.overlap, self.union = self.overlap + overlap, self.union + union
            self.ious.append(overlap / max(1, union))
            self.found.append(result.found)
        answers = [(text, item) for (text, _), item in zip(question.asked, results, strict=True)]
        self.sheet.append(cv2.resize(overlay(question.rgb[-1], answers), (427, 240)))

    def summary(self) -> dict[str, float]:
        """The figures, in [0, 1] but for the count."""
        ious = np.array(self.ious)
        return {
            "clips": len(ious),
            "overall IoU": round(self.overlap / max(1, self.union), 3),
            "mean IoU": round(float(ious.mean()), 3),
            "P@0.5": round(float((ious > 0.5).mean()), 3),
            "found when there": round(float(np.mean(self.found)), 3),
            "NOT_FOUND when absent": round(float(np.mean(self.refused)), 3),
        }


def generated(frames: int) -> Iterator[Question]:
    """Clips of the generator's test seeds."""
    scene = SceneConfig(frames=frames, height=240, width=320)
    for seed in TEST_SEEDS:
        clip = render_clip(seed, scene)
        for actor in clip.actors:
            mask = clip.instances[-1] == actor.instance_id
            if mask.sum() > 100 and clip.distractor_sentences:
                false = clip.distractor_sentences[seed % len(clip.distractor_sentences)].text
                yield Question(clip.frames, ((actor.sentences[0], mask), (false, None)))
                break


def photographs(folder: Path, frames: int) -> Iterator[Question]:
    """Held-out photographs under a moving camera."""
    source = PhotoSource(folder, held_out=True)
    rng = np.random.default_rng(0)
    for _ in range(PHOTO_CLIPS):
        clip = source.still(rng, 256, frames)
        asked = clip.questions[0]
        yield Question(clip.rgb, ((asked.sentence, asked.mask if asked.mask.any() else None),))


def davis(folder: Path, frames: int) -> Iterator[Question]:
    """Windows of DAVIS sequences, evenly spaced."""
    for name, (true, false) in DAVIS.items():
        images = sorted((folder / "JPEGImages" / name).glob("*.jpg"))
        masks = sorted((folder / "Annotations" / name).glob("*.png"))
        for end in np.linspace(frames - 1, len(images) - 1, WINDOWS_PER_SEQUENCE).astype(int):
            rgb = np.stack([read_image(path) for path in images[end - frames + 1 : end + 1]])
            mask = cv2.imread(str(masks[end]), cv2.IMREAD_GRAYSCALE) > 127
            yield Question(rgb, ((true, mask), (false, None)))


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="preset or .safetensors file")
    parser.add_argument("--davis", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--sheet", type=Path, help="PNG of the first answers of each data set")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    frames = predictor.config.frames
    sets = {"generated": generated(frames)}
    if options.photos:
        sets["photographs"] = photographs(options.photos, frames)
    if options.davis:
        sets["davis"] = davis(options.davis, frames)
    rows, figures = [], {}
    for name, questions in sets.items():
        score = Score()
        for question in questions:
            sentences = [predictor.read(text) for text, _ in question.asked]
            score.add(question, predictor.predict(Clip(question.rgb), sentences))
        figures[name] = score.summary()
        step = max(1, len(score.sheet) // 8)
        rows += [np.hstack(score.sheet[::step][:4]), np.hstack(score.sheet[::step][4:8])]
        print(name, json.dumps(figures[name]), flush=True)
    if options.sheet:
        save_png(options.sheet, np.vstack(rows))


if __name__ == "__main__":
    main()
