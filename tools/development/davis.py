"""Sentences, words and absent actors asked of DAVIS sequences, streamed frame by frame."""

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from development.run import FRAME_NS, HERE, Figures, Run, Sheet, Table, outlines_of
from numpy.typing import NDArray

from actseg_core.errors import DatasetError
from actseg_core.evaluation.masks import overlap
from actseg_core.evaluation.streamed import (
    StreamedAnswer,
    agreement,
    flicker,
    score,
    stream,
    streamed_scores,
)
from actseg_core.types import Frame
from actseg_core.video.frames import read_image

EVERY = 8
QUICK_EVERY = 16
SHEET_COLUMNS = 4
WORST = 12  # wordings shown by themselves, if fewer than SAME_ENOUGH [%] of their answers agree
SAME_ENOUGH = 95
WAYS = ("article", "synonym", "order", "more", "less")
THERE = ("sentences", "words")
KINDS = (*THERE, "absent", "soft")


@dataclass(frozen=True)
class Sequence:
    """A sequence in DAVIS layout, and what is asked of it."""

    name: str
    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    covers: str
    asked: dict[str, str]  # sentence to kind
    paraphrases: tuple[tuple[str, ...], ...]

    def frames(self) -> Iterator[Frame]:
        """The frames, numbered from 0."""
        for number, path in enumerate(self.images):
            yield Frame(read_image(path), number * FRAME_NS, sequence=number)

    def truth(self, number: int) -> NDArray[np.bool_]:
        """(H, W) mask of the actor."""
        mask = cv2.imread(str(self.masks[number]), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DatasetError(f"{self.masks[number]} is missing or not a readable image")
        return mask > 127


def sequences(folder: Path, questions: Path) -> list[Sequence]:
    """Those sequences of a folder in DAVIS layout that the questions are about.

    Raises:
        DatasetError: If a sequence is missing or has another number of masks than of images.
    """
    content = yaml.safe_load(questions.read_text(encoding="utf-8"))
    written = _written_sentences(folder / "SENTENCES.tsv")
    found = []
    for name, entry in content.items():
        images = tuple(sorted((folder / "JPEGImages" / name).glob("*.jpg")))
        masks = tuple(sorted((folder / "Annotations" / name).glob("*.png")))
        if not images or len(images) != len(masks):
            raise DatasetError(
                f"{folder} has {len(images)} images and {len(masks)} masks of {name}; wanted as "
                "many of each in JPEGImages/ and Annotations/"
            )
        entry["sentences"] = written.get(name, []) + entry.get("sentences", [])
        asked = {text: kind for kind in KINDS for text in entry.get(kind, [])}
        groups = tuple(tuple(group) for group in entry.get("paraphrases", []))
        found.append(Sequence(name, images, masks, entry["covers"], asked, groups))
    return found


def _written_sentences(path: Path) -> dict[str, list[str]]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["sequence"]: [row["sentence"]] for row in csv.DictReader(file, delimiter="\t")}


def measure_davis(run: Run, part: str, found: list[Sequence]) -> Table:
    """Figures of sentences, words and absent actors, riders and plain actors apart."""
    kept = [
        run.kept(f"{part}-{item.name}", item.asked, lambda item=item: _ask(run, part, item))
        for item in found
    ]
    rows = [StreamedAnswer(**row) for content in kept for row in content["rows"]]
    runs = {
        (item.name, text): marks
        for item, content in zip(found, kept, strict=True)
        for text, marks in content["found"].items()
    }
    covers = {item.name: item.covers for item in found}
    kinds = {(item.name, text): kind for item in found for text, kind in item.asked.items()}
    table = {}
    for group, wanted in (("all", None), ("plain actors", "actor"), ("riders", "rider")):
        names = {name for name, cover in covers.items() if wanted in (None, cover)}
        for kind in THERE:
            chosen = [r for r in rows if r.clip in names and r.kind in (kind, "absent")]
            mine = [
                marks
                for key, marks in runs.items()
                if key[0] in names and kinds[key] == kind and len(marks) > 1
            ]
            table[f"{kind}, {group}"] = _figures(chosen) | {"flicker": round(flicker(mine), 2)}
    soft = streamed_scores(row for row in rows if row.kind == "soft").rounded()
    table["wrong colour or verb"] = {"overall IoU": soft["overall_iou"], "found": soft["found"]}
    for item in found:
        mine_rows = [row for row in rows if row.clip == item.name and row.kind != "soft"]
        table[f"  {item.name}"] = _figures(mine_rows)
    return table


def _figures(rows: list[StreamedAnswer]) -> Figures:
    scores = streamed_scores(rows).rounded()
    return {
        "overall IoU": scores["overall_iou"],
        "mean IoU": scores["mean_iou"],
        "P@0.5": scores["precision_half"],
        "found": scores["found"],
        "NOT_FOUND": scores["not_found"],
        "area": scores["false_area"],
    }


def _ask(run: Run, part: str, item: Sequence) -> dict[str, Any]:
    """Rows of every EVERY-th frame, and per sentence whether each frame was answered FOUND."""
    every = QUICK_EVERY if run.quick else EVERY
    ends = set(range(0, len(item.images), every))
    shown = set(np.array(sorted(ends))[_spread(len(ends), SHEET_COLUMNS)].tolist())
    sheet = Sheet(run.out / part / f"{item.name}.png")
    rows: list[dict[str, Any]] = []
    found: dict[str, list[bool]] = {t: [] for t, kind in item.asked.items() if kind in THERE}
    for frame, engine in stream(run.predictor, item.frames(), list(item.asked)):
        if run.quick and frame.sequence not in ends:
            continue
        for text, result in engine.answer().items():
            number = result.stamp_ns // FRAME_NS
            if text in found:
                found[text].append(result.found)
            if frame.sequence not in ends:
                continue
            truth = item.truth(number)
            if not truth.any():
                continue  # nobody says whether the actor is hidden or gone
            kind = item.asked[text]
            judged = np.zeros_like(truth) if kind == "absent" else truth
            rows.append(asdict(score(item.name, (text, kind), number, result, judged)))
            if frame.sequence in shown:
                sheet.add(_image(item, number), text, result, outlines_of(judged), kind)
    sheet.write()
    return {"rows": rows, "found": {} if run.quick else found}


def measure_paraphrases(run: Run, part: str, found: list[Sequence]) -> Table:
    """How often another wording gets the same answer, by what was changed."""
    kept = [
        run.kept(f"{part}-{item.name}", item.paraphrases, lambda item=item: _compare(run, item))
        for item in found
        if item.paraphrases
    ]
    rows = [tuple(row) for content in kept for row in content]
    table = {"all": _agreement(rows)}
    for way in WAYS:
        table[f"  {way}"] = _agreement([row for row in rows if row[0] == way])
    by_text = {text: _agreement([r for r in rows if r[1] == text]) for _, text, *_ in rows}
    unlike = [item for item in by_text.items() if item[1]["agree"] < SAME_ENOUGH]
    unlike.sort(key=lambda item: item[1]["agree"])
    table |= {f"    {text}": row for text, row in unlike[:WORST]}
    return table


def _agreement(rows: list[tuple[str, str, int, int]]) -> Figures:
    scores = agreement((both, either) for *_, both, either in rows)
    return {
        "pairs": scores.pairs,
        "agree": scores.rounded()["same"],
        "mean IoU": scores.rounded()["mean_iou"],
        "neither found": scores.both_empty,
    }


def _compare(run: Run, item: Sequence) -> list[tuple[str, str, int, int]]:
    """Way, variant, intersection and union [px] of each variant's mask and its base's."""
    every = QUICK_EVERY if run.quick else EVERY
    texts = list(dict.fromkeys(text for group in item.paraphrases for text in group))
    rows = []
    for frame, engine in stream(run.predictor, item.frames(), texts):
        if frame.sequence % every:
            continue
        answers = engine.answer()
        for base, *variants in item.paraphrases if answers else ():
            for way, text in zip(WAYS, variants, strict=True):
                masks = (answers[base].mask > 0, answers[text].mask > 0)
                rows.append((way, text, *overlap(*masks)))
    return rows


def _image(item: Sequence, number: int) -> NDArray[np.uint8]:
    return read_image(item.images[number])


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    """Places of about `wanted` of `count` things, evenly spaced, the first left out."""
    return np.unique(np.linspace(min(2, count - 1), count - 1, wanted).astype(np.int64))


QUESTIONS = HERE / "davis.yaml"
TRAIN_QUESTIONS = HERE / "davis_train.yaml"
