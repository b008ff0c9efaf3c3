"""Figures of docs/lite.md on real pictures: a checkpoint on what it was not trained on.

python tools/measure_lite.py lite --davis FOLDER --photos FOLDER --sheet sheet.png

FOLDERs are in DAVIS 2016 and COCO layout; of the photographs only the test part (every tenth) is
used. For generated clips: `actseg generate`, then `actseg evaluate`.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.evaluation.questions import Prediction, Question
from actseg_core.evaluation.run import Evaluation, evaluate
from actseg_core.image import Placement, resize_and_pad
from actseg_core.predictor import Predictor
from actseg_core.training.lite.generated import GeneratedSource
from actseg_core.training.lite.photos import PhotoSource, read_image
from actseg_core.training.lite.videos import Sequence, VideoSource
from actseg_core.types import Clip, MaskResult
from actseg_core.visualize import overlay, save_png

PHOTO_CLIPS = 150
SENTENCES_PER_PHOTO = 4
PHOTO_SIZE = 320
WINDOWS_PER_SEQUENCE = 4
# What the mask of each sequence of DAVIS 2016's validation split covers.
DAVIS = {
    "bmx-trees": "person on a bicycle",
    "car-shadow": "car",
    "dance-twirl": "man dancing",
    "drift-chicane": "car",
    "goat": "goat",
    "libby": "dog running",
    "motocross-jump": "person on a motorcycle",
    "paragliding-launch": "person",
    "scooter-black": "person on a scooter",
    "soapbox": "person",
}
# Asked of every sequence but those named, which show one (parked cars count).
ABSENT = {
    "dog": ("libby",),
    "bird": (),
    "cat": (),
    "cow": (),
    "car": ("car-shadow", "drift-chicane", "scooter-black", "soapbox", "bmx-trees"),
}
# COCO's persons, vehicles, animals and ball: what a robot is asked for. The rest are things.
ACTORS = {
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
    "sports ball",
}
# Words and the trained ones that mean nearly the same.
NEIGHBOURS = (
    ("hound", "dog"),
    ("terrier", "dog"),
    ("gentleman", "man"),
    ("pedestrian", "person"),
    ("teenager", "person"),
    ("sedan", "car"),
    ("minivan", "car"),
    ("jogging", "running"),
    ("sprinting", "running"),
    ("strolling", "walking"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Asked(Question):
    """A question with its clip (T, H, W, 3) uint8, the newest frame being the one meant."""

    rgb: NDArray[np.uint8]
    category: str = ""


class Answerer:
    """Answers questions; those about one clip follow each other and share its features."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._clip: NDArray[np.uint8] | None = None
        self._encoded: tuple[Any, Placement]
        self.tiles: list[NDArray[np.uint8]] = []
        self._answers: list[tuple[str, MaskResult]] = []

    def __call__(self, question: Asked) -> Prediction:
        if question.rgb is not self._clip:
            self.finish()
            self._clip = question.rgb
            placed = [resize_and_pad(image, self._predictor.config.size) for image in question.rgb]
            images = np.stack([image for image, _ in placed])
            self._encoded = self._predictor.encode(images, None), placed[0][1]
        features, placement = self._encoded
        asked = self._predictor.read(question.sentence)
        result = self._predictor.answer(features, [asked], placement)[0]
        self._answers.append((question.sentence, result))
        return Prediction(mask=result.mask > 0, found=result.found, confidence=result.confidence)

    def finish(self) -> None:
        """Draw the answers about the clip that was asked about last."""
        if self._clip is not None:
            self.tiles.append(cv2.resize(overlay(self._clip[-1], self._answers[:3]), (427, 320)))
        self._answers = []


def photographs(folder: Path, frames: int) -> Iterator[Asked]:
    """Held-out photographs under a moving camera, true and false sentences about each."""
    source = PhotoSource(folder, "test", questions=SENTENCES_PER_PHOTO)
    rng = np.random.default_rng(0)
    for index in range(PHOTO_CLIPS):
        clip = source.still(rng, PHOTO_SIZE, frames)
        for number, asked in enumerate(clip.questions):
            yield Asked(
                sample_id=f"{index}/{number}",
                video_id=str(index),
                sentence=asked.sentence,
                truth=asked.mask,
                swapped=None if asked.mask.any() else "absent_actor",
                rgb=clip.rgb,
                category=asked.category,
            )


def validation_sequences(folder: Path) -> Iterator[tuple[Sequence, list[str]]]:
    """DAVIS 2016's validation split, and words for what each sequence does not show."""
    for name, sentence in DAVIS.items():
        images = sorted((folder / "JPEGImages" / name).glob("*.jpg"))
        masks = sorted((folder / "Annotations" / name).glob("*.png"))
        absent = [noun for noun, where in ABSENT.items() if name not in where]
        yield Sequence(name, tuple(images), tuple(masks), "", "", sentence), absent


def left_out_sequences(folder: Path, names: list[str]) -> Iterator[tuple[Sequence, list[str]]]:
    """Sequences that a fold was not trained on, asked by their sentence; none shows a cat."""
    for sequence in VideoSource(folder).sequences:
        if sequence.name in names:
            yield sequence, ["cat", "cow"]


def windows(sequences: Iterable[tuple[Sequence, list[str]]], frames: int) -> Iterator[Asked]:
    """Clips of each sequence, evenly spaced: what is there, and what never is."""
    for sequence, absent in sequences:
        name, sentence = sequence.name, sequence.sentence
        images, masks = sequence.images, sequence.masks
        for end in np.linspace(frames - 1, len(images) - 1, WINDOWS_PER_SEQUENCE).astype(int):
            rgb = np.stack([read_image(path) for path in images[end - frames + 1 : end + 1]])
            truth = cv2.imread(str(masks[end]), cv2.IMREAD_GRAYSCALE) > 127
            for text in (sentence, *absent):
                yield Asked(
                    sample_id=f"{name}/{end}/{text}",
                    video_id=name,
                    frame=int(end),
                    sentence=text,
                    truth=truth if text == sentence else np.zeros_like(truth),
                    swapped=None if text == sentence else "absent_actor",
                    rgb=rgb,
                )


def figures(result: Evaluation) -> dict[str, float]:
    """The figures of the model card, in percent but for the counts."""
    shares = {
        "overall IoU": result.masks.overall_iou,
        "mean IoU": result.masks.mean_iou,
        "P@0.5": result.masks.precision_at(0.5),
        "found when there": result.presence.target_accuracy,
        "NOT_FOUND when absent": result.presence.absent.accuracy,
        "false area": result.presence.absent.false_area,
    }
    counts = {
        "present": sum(row.has_target for row in result.rows),
        "absent": sum(not row.has_target for row in result.rows),
    }
    return counts | {name: round(100 * value, 1) for name, value in shares.items()}


def noting_actors(questions: Iterable[Asked], actors: set[str]) -> Iterator[Asked]:
    """The questions; sample ids of those about actors are added to the set."""
    for question in questions:
        if question.category in ACTORS:
            actors.add(question.sample_id)
        yield question


def of_actors(result: Evaluation, actors: set[str]) -> dict[str, float]:
    """The figures of the sentences of these sample ids, in percent but for their number."""
    rows = [row for row in result.rows if row.sample_id in actors]
    both, either = sum(row.intersection for row in rows), sum(row.union for row in rows)
    shares = {
        "overall IoU": both / max(1, either),
        "mean IoU": np.mean([row.iou for row in rows]),
        "P@0.5": np.mean([row.iou > 0.5 for row in rows]),
        "found when there": np.mean([row.found for row in rows]),
    }
    return {"present": len(rows)} | {
        name: round(100 * float(value), 1) for name, value in shares.items()
    }


def by_video(result: Evaluation) -> dict[str, float]:
    """Overall IoU in percent of each video's true sentence."""
    return {
        video: round(
            100 * sum(r.intersection for r in rows) / max(1, sum(r.union for r in rows)),
            1,
        )
        for video in dict.fromkeys(row.video_id for row in result.rows)
        if (rows := [r for r in result.rows if r.video_id == video and r.has_target])
    }


def unseen_words(predictor: Predictor, photos: Path, frames: int) -> dict[str, float]:
    """Mean IoU in percent of the answers to a word and to its neighbour on the same clips.

    Raises:
        SystemExit: If a word is one that training draws.
    """
    size = predictor.config.size
    train = PhotoSource(photos, questions=8)
    rng = np.random.default_rng(1)
    clips = [train.still(rng, 64, 1) for _ in range(1500)]
    generated = GeneratedSource(96, 2, questions=20)
    clips += [generated.clip(rng) for _ in range(60)]
    seen = {word for clip in clips for q in clip.questions for word in q.sentence.split()}
    held_out = PhotoSource(photos, "test")
    generated = GeneratedSource(size, frames, "test")
    pictures = [held_out.composite(rng, size, frames).rgb for _ in range(20)]
    pictures += [generated.clip(rng).rgb for _ in range(20)]
    table = {}
    for word, neighbour in NEIGHBOURS:
        if word in seen:
            raise SystemExit(f"{word!r} is used in training; take another word")
        pair = [predictor.read(text) for text in (word, neighbour)]
        ious = []
        for rgb in pictures:
            first, second = (r.mask > 0 for r in predictor.predict(Clip(rgb), pair))
            if second.any():
                ious.append((first & second).sum() / (first | second).sum())
        table[f"{word} / {neighbour}"] = round(100 * float(np.mean(ious)), 1) if ious else np.nan
    return table


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="preset or .safetensors file")
    parser.add_argument("--davis", type=Path)
    parser.add_argument(
        "--sequences",
        default="",
        help="comma-separated, of a --davis folder with SENTENCES.tsv (default: validation split)",
    )
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--words", action="store_true", help="unseen words, too (needs --photos)")
    parser.add_argument("--sheet", type=Path, help="PNG of some answers of each data set")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    frames = predictor.config.frames
    sets = {}
    if options.photos:
        sets["photographs"] = photographs(options.photos, frames)
    if options.davis:
        names = options.sequences.split(",")
        sequences = (
            left_out_sequences(options.davis, names)
            if options.sequences
            else validation_sequences(options.davis)
        )
        sets["davis"] = windows(sequences, frames)
    rows = []
    for name, questions in sets.items():
        answer = Answerer(predictor)
        actors: set[str] = set()
        result = evaluate(noting_actors(questions, actors), answer)
        answer.finish()
        print(name, json.dumps(figures(result)), flush=True)
        if actors:
            print("  of actors", json.dumps(of_actors(result, actors)), flush=True)
        if name == "davis":
            print("  by sequence", json.dumps(by_video(result)), flush=True)
        chosen = answer.tiles[:: max(1, len(answer.tiles) // 12)][:12]
        rows += [np.hstack(chosen[start : start + 4]) for start in range(0, len(chosen) - 3, 4)]
    if options.words:
        print("words", json.dumps(unseen_words(predictor, options.photos, frames)), flush=True)
    if options.sheet:
        save_png(options.sheet, np.vstack(rows))


if __name__ == "__main__":
    main()
