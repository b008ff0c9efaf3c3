"""Photographs held still: category words, and two of a kind put side by side."""

import colorsys
import contextlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from development.run import FRAME_NS, Run, Sheet, Table, outlines_of
from numpy.typing import NDArray
from pycocotools.coco import COCO

from actseg_core.errors import DatasetError
from actseg_core.evaluation.box_truth import marks_the_one
from actseg_core.evaluation.masks import overlap
from actseg_core.evaluation.streamed import StreamedAnswer, score, stream, streamed_scores
from actseg_core.types import Frame, MaskResult
from actseg_core.video.frames import read_image

# COCO's persons, vehicles, animals and ball: what a robot is asked for. The rest are things.
ACTORS = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
    "sports ball",
)
BIG_SHARE = 0.01  # of the picture; smaller actors are counted apart
SMALLEST_SHARE = 0.001  # still smaller ones are not asked for
QUICK_STEP = 4
CHUNK = 32  # photographs whose answers are kept together
SHEET_STEP = 2
ABSENT_WORDS = 4
PAIR_HEIGHT = 320
PAIRS_PER_CATEGORY = 8
COLOUR_PAIRS = 24
PAIR_SHARE = 0.02  # of its own photograph that an actor of a pair covers at least
HELD_OUT = 5  # every tenth photograph is nobody's training material: 0, 10, 20, ...
GARMENTS = ("dress", "coat", "shirt", "t-shirt", "sweater", "blouse", "jacket", "pants", "skirt")


@dataclass(frozen=True)
class Photo:
    """A photograph and its annotated instances."""

    image_id: int
    path: Path
    annotations: tuple[dict[str, Any], ...]
    masks: tuple[NDArray[np.bool_], ...]
    categories: tuple[str, ...]

    def read(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB."""
        return read_image(self.path)

    def of(self, category: str) -> NDArray[np.bool_]:
        """(H, W) mask of all instances of a category."""
        both = zip(self.masks, self.categories, strict=True)
        found = [mask for mask, name in both if name == category]
        return np.logical_or.reduce(found) if found else np.zeros_like(self.masks[0])


def read_photos(folder: Path, wanted: set[int] | None, annotated: str) -> list[Photo]:
    """Photographs of a folder in COCO format, by id; those without an instance are left out.

    Args:
        folder: Holds instances.json and images/.
        wanted: Ids; None: all.
        annotated: What is complete there: "full" or "one person".

    Raises:
        DatasetError: If there is no such photograph.
    """
    path = folder / "instances.json"
    if not path.is_file():
        raise DatasetError(f"{path} is missing; wanted a folder in COCO format with images/")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        coco = COCO(str(path))
    photos = []
    for image_id, item in sorted(coco.imgs.items()):
        rows = coco.imgToAnns[image_id]
        if not rows or item.get("annotated", "full") != annotated:
            continue
        if wanted is not None and item.get("coco_id", image_id) not in wanted:
            continue
        masks = tuple(coco.annToMask(row).astype(bool) for row in rows)
        names = tuple(coco.cats[row["category_id"]]["name"] for row in rows)
        place = folder / "images" / item["file_name"]
        photos.append(Photo(image_id, place, tuple(rows), masks, names))
    if not photos:
        raise DatasetError(
            f"{folder} has no photograph of the wanted ids, annotated {annotated!r}"
        )
    return photos


def still(run: Run, image: NDArray[np.uint8], sentences: list[str]) -> dict[str, MaskResult]:
    """Answers about a photograph that the camera looks at for a window's length."""
    frames = (Frame(image, n * FRAME_NS) for n in range(run.predictor.config.frames))
    answers: dict[str, MaskResult] = {}
    for _, engine in stream(run.predictor, frames, sentences):
        if engine.ready:
            answers = engine.answer()
    return answers


def measure_photos(run: Run, part: str, folder: Path, ids: Path) -> Table:
    """Category words about held-out, fully annotated photographs, actors only."""
    wanted = set(json.loads(ids.read_text(encoding="utf-8")))
    photos = read_photos(folder, wanted, "full")[:: QUICK_STEP if run.quick else 1]
    rows = []
    for start in range(0, len(photos), CHUNK):
        some = {number: photos[number] for number in range(len(photos))[start : start + CHUNK]}
        asked = [photo.image_id for photo in some.values()]
        title = f"{part}-{start:03d}"
        kept = run.kept(title, asked, lambda s=some, t=title: _ask_words(run, t, s))
        rows += [StreamedAnswer(**row) for row in kept]
    table = {}
    groups = {
        "actors": (ACTORS, "big"),
        "  person": (("person",), "big"),
        "  others": (ACTORS[1:], "big"),
        "smaller than 1 %": (ACTORS, "small"),
    }
    for name, (words, size) in groups.items():
        chosen = [row for row in rows if row.sentence in words and row.kind in (size, "absent")]
        scores = streamed_scores(chosen).rounded()
        table[name] = {
            "asked": scores["present"],
            "overall IoU": scores["overall_iou"],
            "mean IoU": scores["mean_iou"],
            "P@0.5": scores["precision_half"],
            "found": scores["found"],
            "absent": scores["absent"],
            "NOT_FOUND": scores["not_found"],
            "area": scores["false_area"],
        }
    return table


def _ask_words(run: Run, title: str, photos: dict[int, Photo]) -> list[dict[str, Any]]:
    rows = []
    sheet = Sheet(run.out / f"{title}.png")
    for number, photo in photos.items():
        there = [
            word
            for word in ACTORS
            if word in photo.categories and photo.of(word).mean() >= SMALLEST_SHARE
        ]
        absent = [word for word in ACTORS if word not in photo.categories]
        start = number * ABSENT_WORDS
        asked = [absent[(start + k) % len(absent)] for k in range(ABSENT_WORDS)]
        image = photo.read()
        for word, result in still(run, image, [*there, *asked]).items():
            truth = photo.of(word)
            name = str(photo.image_id)
            big = truth.mean() >= BIG_SHARE
            kind = ("big" if big else "small") if word in there else "absent"
            rows.append(asdict(score(name, (word, kind), 0, result, truth)))
            if kind == "big" and number % SHEET_STEP == 0:
                sheet.add(image, f"{word} {name}", result, outlines_of(truth))
    sheet.write()
    return rows


@dataclass(frozen=True)
class Pair:
    """Two of a kind side by side, and questions that only one of them answers.

    Attributes:
        image: (H, W, 3) uint8.
        left: (H, W) mask of the left one; `right` likewise.
        asked: Sentence to side.
    """

    name: str
    image: NDArray[np.uint8]
    left: NDArray[np.bool_]
    right: NDArray[np.bool_]
    asked: dict[str, str]


def side_pairs(folder: Path, ids: Path, quick: bool) -> Iterator[Pair]:
    """Two photographs with one actor of a category each, side by side."""
    wanted = set(json.loads(ids.read_text(encoding="utf-8")))
    by_category: dict[str, list[Photo]] = defaultdict(list)
    for photo in read_photos(folder, wanted, "full"):
        for word in ACTORS:
            if photo.categories.count(word) == 1 and photo.of(word).mean() >= PAIR_SHARE:
                by_category[word].append(photo)
    for word, photos in by_category.items():
        most = PAIRS_PER_CATEGORY // (QUICK_STEP if quick else 1)
        for first, second in list(pairwise(photos))[:most]:
            asked = {
                f"the left {word}": "left",
                f"the right {word}": "right",
                f"{word} on the left": "left",
                f"the {word} on the right": "right",
            }
            name = f"{word} {first.image_id} {second.image_id}"
            yield _beside(name, (first, second), (first.of(word), second.of(word)), asked)


def colour_pairs(folder: Path, quick: bool) -> Iterator[Pair]:
    """Two held-out photographs of people with the same garment in two clear colours."""
    dressed: dict[str, list[tuple[str, Photo]]] = defaultdict(list)
    for photo in read_photos(folder, None, "one person"):
        if photo.image_id % (2 * HELD_OUT) or "garments" not in photo.annotations[0]:
            continue
        for garment in photo.annotations[0]["garments"]:
            colour = clear_colour(garment["median_rgb"])
            if garment["label"] in GARMENTS and garment["share"] >= PAIR_SHARE and colour:
                dressed[garment["label"]].append((colour, photo))
    count = 0
    for garment, people in dressed.items():
        for (one, first), (other, second) in pairwise(people):
            if one == other or count >= COLOUR_PAIRS // (QUICK_STEP if quick else 1):
                continue
            count += 1
            article = "" if garment == "pants" else "a "
            asked = {
                f"the woman in {article}{one} {garment}": "left",
                f"person wearing {article}{other} {garment}": "right",
            }
            masks = (first.of("person"), second.of("person"))
            yield _beside(f"{one} {other} {garment}", (first, second), masks, asked)


def clear_colour(rgb: list[int]) -> str:
    """The name of a colour that nobody would call otherwise; empty for all the others."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in rgb))
    if value < 0.2:
        return "black"
    if saturation < 0.12:
        return "white" if value > 0.85 else "grey" if 0.35 < value < 0.65 else ""
    if saturation < 0.45 or value < 0.3:
        return ""
    for name, low, high in (("yellow", 48, 65), ("green", 90, 150), ("blue", 205, 245)):
        if low <= 360 * hue <= high:
            return name
    return "red" if (360 * hue <= 10 or 360 * hue >= 345) and saturation > 0.6 else ""


def _beside(
    name: str,
    photos: tuple[Photo, Photo],
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    asked: dict[str, str],
) -> Pair:
    images, truths = [], []
    for photo, mask in zip(photos, masks, strict=True):
        width = round(mask.shape[1] * PAIR_HEIGHT / mask.shape[0])
        images.append(cv2.resize(photo.read(), (width, PAIR_HEIGHT), interpolation=cv2.INTER_AREA))
        small = cv2.resize(mask.astype(np.uint8) * 255, (width, PAIR_HEIGHT))
        truths.append(small > 127)
    left = np.hstack([truths[0], np.zeros_like(truths[1])])
    right = np.hstack([np.zeros_like(truths[0]), truths[1]])
    return Pair(name, np.hstack(images).astype(np.uint8, copy=False), left, right, asked)


def measure_pairs(run: Run, part: str, folder: Path, ids: Path, more: Path | None) -> Table:
    """Sentences that only one of two answers: which one is marked, and how well."""
    table = {}
    sources = {"side": lambda: side_pairs(folder, ids, run.quick)}
    if more is not None:
        sources["colour"] = lambda: colour_pairs(more, run.quick)
    for name, pairs in sources.items():
        title = f"{part}-{name}"
        rows = run.kept(title, name, lambda p=pairs, t=title: _ask_pairs(run, t, p()))
        if rows:
            values = {
                column: round(100 * float(np.mean([row[column] for row in rows])), 1)
                for column in ("right one", "found", "mean IoU")
            }
            table[name] = {"asked": len(rows)} | values
    return table


def _ask_pairs(run: Run, title: str, pairs: Iterator[Pair]) -> list[dict[str, Any]]:
    rows = []
    sheet = Sheet(run.out / f"{title}.png")
    for number, pair in enumerate(pairs):
        for text, result in still(run, pair.image, list(pair.asked)).items():
            meant, other = pair.left, pair.right
            if pair.asked[text] == "right":
                meant, other = other, meant
            mask = result.mask > 0
            both, either = overlap(mask, meant)
            rows.append(
                {
                    "pair": pair.name,
                    "sentence": text,
                    "right one": marks_the_one(mask, meant, other),
                    "found": result.found,
                    "mean IoU": both / max(1, either),
                }
            )
            if number % 3 == 0:
                sheet.add(pair.image, f"{text} {number}", result, outlines_of(meant))
    sheet.write()
    return rows
