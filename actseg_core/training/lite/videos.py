"""Real video with foreground masks and one sentence per sequence (DAVIS 2016 layout)."""

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DatasetError
from actseg_core.training.lite.clip import Question, TrainingClip, warp
from actseg_core.training.lite.photos import read_image

# What A2D's actor words stand for in the absent-actor sentences of these sequences.
OTHER_ACTORS = ("person", "dog", "cat", "bird", "ball", "car", "cow", "sheep", "horse", "baby")
RIDER = "rider"
SAME_ACTOR = {
    "adult": {"person", "baby"},
    "dog": {"dog"},
    "cat": {"cat"},
    "bird": {"bird"},
    "car": {"car"},
    "ball": {"ball"},
    RIDER: {"person", "baby", "car", "horse"},
}
NOUNS = {
    "adult": ("person", "human", "someone"),
    "dog": ("dog", "animal"),
    "bird": ("bird", "animal"),
    "car": ("car", "vehicle"),
    "ball": ("ball",),
    RIDER: ("person on a vehicle", "rider"),
}
# What somebody who does this surely does not do at the same time.
NEVER = {
    "walking": ("flying", "climbing", "crawling", "rolling"),
    "running": ("flying", "climbing", "crawling", "eating", "sleeping"),
    "flying": ("swimming", "eating", "climbing"),
    "jumping": ("crawling", "climbing", "eating", "sleeping"),
    "rolling": ("flying", "climbing", "eating", "sleeping"),
}
ABSENT_SHARE = 0.35
# Sequences of DAVIS 2016's training split whose mask covers a rider and the vehicle; the folder's
# table has no sentence for them.
RIDERS = {
    "bmx-bumps": "a person riding a bicycle",
    "horsejump-low": "a person riding a horse and jumping",
    "motocross-bumps": "a person riding a motorcycle",
    "motorbike": "a person riding a motorcycle",
    "paragliding": "a person flying with a paraglider",
    "scooter-gray": "a person riding a scooter",
    "surf": "a person surfing on a wave",
}


@dataclass(frozen=True)
class Sequence:
    """One sequence: its frames, masks and sentence."""

    name: str
    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    actor: str
    action: str
    sentence: str


class VideoSource:
    """Clips of a DAVIS-like folder: JPEGImages/, Annotations/, SENTENCES.tsv.

    Sequences without a sentence are left out, but for those of riders, whose sentences are here.

    Args:
        folder: Of the videos.
        questions: Questions per clip.
        leave_out: Names of sequences that are not read.

    Raises:
        DatasetError: If SENTENCES.tsv is missing or names a sequence without frames, a sequence
            to leave out is not there, or none remains.
    """

    def __init__(self, folder: Path, questions: int = 1, leave_out: Collection[str] = ()) -> None:
        self._questions = questions
        path = folder / "SENTENCES.tsv"
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file, delimiter="\t"))
        except OSError as error:
            raise DatasetError(f"cannot read {path}: {error}") from error
        named = {row["sequence"] for row in rows}
        rows += [
            {"sequence": name, "a2d_actor": RIDER, "a2d_action": "none", "sentence": sentence}
            for name, sentence in RIDERS.items()
            if name not in named and (folder / "JPEGImages" / name).is_dir()
        ]
        unknown = set(leave_out) - {row["sequence"] for row in rows}
        if unknown:
            raise DatasetError(
                f"{folder} has no sequence {', '.join(sorted(unknown))} with a sentence to leave "
                "out; correct leave_out"
            )
        self.sequences = [_sequence(folder, r) for r in rows if r["sequence"] not in leave_out]
        if not self.sequences:
            raise DatasetError(f"no sequence of {folder} is left to train on; see leave_out")

    def clip(self, rng: np.random.Generator, size: int, frames: int) -> TrainingClip:
        """A random window, zoomed and cropped alike in all frames, its sentence or a false one."""
        sequence = self.sequences[rng.integers(len(self.sequences))]
        end = int(rng.integers(len(sequence.images)))
        # A window before the first frame repeats it, as at the start of a video.
        indices = [max(0, end - back) for back in reversed(range(frames))]
        first = read_image(sequence.images[indices[0]])
        matrix = _crop(rng, first.shape[:2], size)
        rgb = np.stack(
            [warp(read_image(sequence.images[index]), matrix, size) for index in indices]
        )
        mask = cv2.imread(str(sequence.masks[end]), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DatasetError(f"{sequence.masks[end]} is not a readable mask")
        inside = warp(mask.astype(np.uint8, copy=False), matrix, size) > 127
        questions = tuple(self._ask(rng, sequence, inside) for _ in range(self._questions))
        return TrainingClip(rgb, questions, "video")

    def _ask(
        self, rng: np.random.Generator, sequence: Sequence, inside: NDArray[np.bool_]
    ) -> Question:
        draw = rng.random()
        if draw < ABSENT_SHARE:
            own = SAME_ACTOR.get(sequence.actor, {sequence.name})
            options = [name for name in OTHER_ACTORS if name not in own]
            other = options[rng.integers(len(options))]
            return Question(_with_colour(rng, other), np.zeros_like(inside))
        nouns = NOUNS.get(sequence.actor, ())
        if not nouns or draw < 0.7:
            return Question(_shorten(rng, sequence), inside)
        noun = nouns[rng.integers(len(nouns))]
        wrong = NEVER.get(sequence.action, ())
        if wrong and draw > 0.85:
            return Question(f"{noun} {wrong[rng.integers(len(wrong))]}", np.zeros_like(inside))
        verb = sequence.action if sequence.action in NEVER and rng.random() < 0.6 else ""
        return Question(f"{('', 'a ', 'the ')[rng.integers(3)]}{noun} {verb}".strip(), inside)


def _sequence(folder: Path, row: dict[str, str]) -> Sequence:
    name = row["sequence"]
    images = tuple(sorted((folder / "JPEGImages" / name).glob("[!.]*.jpg")))
    masks = tuple(sorted((folder / "Annotations" / name).glob("[!.]*.png")))
    if not images or len(images) != len(masks):
        raise DatasetError(
            f"sequence {name} of {folder} has {len(images)} frames and {len(masks)} masks; "
            "they must be as many, and at least one"
        )
    return Sequence(name, images, masks, row["a2d_actor"], row["a2d_action"], row["sentence"])


def _with_colour(rng: np.random.Generator, noun: str) -> str:
    colour = ("", "", "", "red ", "white ", "black ", "blue ")[rng.integers(7)]
    return f"{('', 'a ', 'the ')[rng.integers(3)]}{colour}{noun}"


def _shorten(rng: np.random.Generator, sequence: Sequence) -> str:
    """The sentence, or at times only its first words up to the noun and verb."""
    words = sequence.sentence.split()
    if rng.random() < 0.3:
        return " ".join(words[: max(3, len(words) // 2)])
    return sequence.sentence


def _crop(rng: np.random.Generator, shape: tuple[int, int], size: int) -> NDArray[np.float64]:
    height, width = shape
    zoom = size / max(height, width) * rng.uniform(0.95, 1.8)
    room = np.maximum(0.0, np.array([width, height]) * zoom - size) / 2
    centre = size / 2 + rng.uniform(-1, 1, 2) * room
    return np.array(
        [
            [zoom, 0, centre[0] - zoom * width / 2],
            [0, zoom, centre[1] - zoom * height / 2],
        ]
    )
