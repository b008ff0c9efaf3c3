"""How well colour words find their objects: photographs with masks, and what a person called them.

python tools/measure_looks.py FOLDER [--use judge] [--tint 1.2 1.0 0.8]

FOLDER holds coco_small/ and photos_more/, each with images/ and instances.json (COCO format). The
words are in test/core/objects/looks_truth.tsv: alternatives by "/", two colours at once by "+".
"""

import argparse
import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.image import resize_and_pad
from actseg_core.objects.colour_names import ColourNamer
from actseg_core.objects.looks import looks_log_odds, object_colours
from actseg_core.text.colours import BASIC_COLOURS, COLOUR_WORDS, ColourMention, Region, tinged

TRUTH = Path(__file__).parent.parent / "test" / "core" / "objects" / "looks_truth.tsv"
ASKED: tuple[Region, ...] = ("whole", "upper", "lower", "head")
SIZE = 416
MEANT = 0.2  # a word means the basic colours that have at least this share of it
BINS = (-3.5, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 3.5)


@dataclass(frozen=True)
class Item:
    """One region of one object, and the words that a person would use for it, the best first."""

    person: bool
    region: Region
    words: tuple[str, ...]
    shares: NDArray[np.float32]

    @property
    def meant(self) -> set[int]:
        return set().union(*(basic(word) for word in self.words))


def basic(word: str) -> set[int]:
    """Indices of the basic colours that a word, or "a+b", means."""
    parts = [np.flatnonzero(COLOUR_WORDS[part] >= MEANT) for part in word.split("+")]
    return set(np.concatenate(parts).tolist())


def log_odds(word: str, region: Region, shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) log-odds of a word, or of "a+b"."""
    rows = np.stack([tinged(part) for part in word.split("+")])
    return looks_log_odds(ColourMention(rows, region), shares)


def load(folder: Path, use: str, tint: tuple[float, ...]) -> list[Item]:
    """Objects of one half of the list, their frames lit by a tint (linear factors)."""
    annotations, files = {}, {}
    for name in ("coco_small", "photos_more"):
        content = json.loads((folder / name / "instances.json").read_text())
        files |= {(name, item["id"]): item["file_name"] for item in content["images"]}
        annotations |= {(name, str(item["id"])): item for item in content["annotations"]}
    table = np.clip((np.arange(256)[:, None] / 255) ** 2.2 * tint, 0, 1) ** (1 / 2.2)
    namer, items = ColourNamer(), []
    for row in csv.DictReader(TRUTH.read_text().splitlines(), delimiter="\t"):
        if row["use"] != use:
            continue
        found = annotations[row["folder"], row["annotation"]]
        path = folder / row["folder"] / "images" / files[row["folder"], found["image_id"]]
        image = cv2.imread(str(path))
        assert image is not None, path
        image = cv2.LUT(image[:, :, ::-1], np.rint(255 * table).astype(np.uint8)[None])
        mask = np.zeros(image.shape[:2], np.uint8)
        for points in found["segmentation"]:
            cv2.fillPoly(mask, [np.array(points).reshape(-1, 2).round().astype(np.int32)], 255)
        small = cv2.resize(resize_and_pad(mask, SIZE)[0], (SIZE // 4,) * 2, interpolation=3)
        masks = small[None].astype(np.float32) / 255
        kind = "person" if row["name"] == "person" else "thing"
        shares = object_colours(resize_and_pad(image, SIZE)[0], masks, [kind], namer)
        for region in ASKED:
            if row[region]:
                words = tuple(row[region].split("/"))
                items.append(Item(kind == "person", region, words, shares))
    return items


def pairs(items: list[Item]) -> dict[str, list[float]]:
    """Word -> 1 for each pair of objects where the one that is called so gets higher odds."""
    right = defaultdict(list)
    for item in items:
        word = item.words[0]
        others = [
            other.shares
            for other in items
            if (other.person, other.region) == (item.person, item.region)
            and not basic(word) & other.meant
        ]
        if others:
            own, *rest = log_odds(word, item.region, np.concatenate([item.shares, *others]))
            right[word] += [float(own > value) for value in rest]
    return right


def main() -> None:
    """Print the share of pairs that are right, per word, and how well the odds are calibrated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--use", default="judge", choices=("judge", "fit"))
    parser.add_argument("--tint", type=float, nargs=3, default=(1.0, 1.0, 1.0))
    options = parser.parse_args()
    items = load(options.folder, options.use, tuple(options.tint))
    right = pairs(items)
    every = [value for values in right.values() for value in values]
    print(f"{len(items)} regions; {len(every)} pairs, {np.mean(every):.1%} right")
    for word, values in sorted(right.items(), key=lambda pair: -len(pair[1])):
        print(f"  {word:14s} {np.mean(values):6.1%} of {len(values)}")

    odds = np.array(
        [[log_odds(name, i.region, i.shares)[0] for name in BASIC_COLOURS] for i in items]
    )
    best = [int(row.argmax()) in item.meant for row, item in zip(odds, items, strict=True)]
    print(f"the best of the eleven terms is one that the person used: {np.mean(best):.1%}")
    said = np.array([[name == i.words[0] for name in BASIC_COLOURS] for i in items])
    unsaid = np.array([[at not in i.meant for at in range(len(BASIC_COLOURS))] for i in items])
    print("log-odds given -> found, said and unsaid equally likely beforehand")
    for low, high in zip(BINS, BINS[1:], strict=False):
        inside = (odds >= low) & (odds < high)
        yes, no = (inside & said).sum() / said.sum(), (inside & unsaid).sum() / unsaid.sum()
        found = np.log((yes + 1e-4) / (no + 1e-4))
        print(f"  {odds[inside].mean():5.2f} -> {found:5.2f}  ({inside.sum()} words)")


if __name__ == "__main__":
    main()
