"""How well true masks fit when they are moved along the flow: DAVIS layout, mean IoU.

python tools/measure_moving.py FOLDER [--size 160] [--every 3]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.flow.estimators import DisFlow
from actseg_core.flow.moving import backward_flow, compose, warp
from actseg_core.image import resize_and_pad
from actseg_core.video import read_video

DISTANCES = (1, 7, 15)
STARTS_EVERY = 24


def iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Intersection over union, 1 for two empty masks."""
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else 1.0


def sequence(folder: Path, name: str, size: int) -> tuple[list[NDArray[np.uint8]], ...]:
    """Frames and masks (0, 255) of one sequence at the network's size."""
    frames = [
        resize_and_pad(item.image, size)[0] for item in read_video(folder / "JPEGImages" / name)
    ]
    masks = []
    for path in sorted((folder / "Annotations" / name).iterdir()):
        labels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert labels is not None, path
        masks.append(resize_and_pad(np.where(labels > 0, 255, 0).astype(np.uint8), size)[0])
    return frames, masks


def measure(
    frames: list[NDArray[np.uint8]], masks: list[NDArray[np.uint8]]
) -> NDArray[np.float64]:
    """(starts, distances, 2) IoU of the moved mask and of the one left in place."""
    estimator, found = DisFlow(), []
    for start in range(0, len(frames) - max(DISTANCES), STARTS_EVERY):
        response = masks[start].astype(np.float32) - 127.5
        back, row = None, []
        for distance in range(1, max(DISTANCES) + 1):
            now = start + distance
            step = backward_flow(estimator.estimate(frames[now - 1], frames[now]))
            back = step if back is None else compose(back, step)
            if distance in DISTANCES:
                true = masks[now] > 127
                row.append((iou(warp(response, back) > 0, true), iou(masks[start] > 127, true)))
        found.append(row)
    return np.array(found).reshape(-1, len(DISTANCES), 2)


def main() -> None:
    """Measure every `every`-th sequence and print the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--every", type=int, default=3)
    arguments = parser.parse_args()
    names = sorted(path.name for path in (arguments.folder / "JPEGImages").iterdir())
    parts = [
        measure(*sequence(arguments.folder, name, arguments.size))
        for name in names[:: arguments.every]
    ]
    mean = np.concatenate(parts).mean(axis=0)
    print(f"{arguments.size} px, {len(parts)} sequences, {sum(map(len, parts))} starts")
    for distance, (moved, still) in zip(DISTANCES, mean, strict=True):
        print(f"{distance:2d} frames: moved {100 * moved:.1f} %, in place {100 * still:.1f} %")


if __name__ == "__main__":
    main()
