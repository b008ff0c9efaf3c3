"""A sheet of answers on real videos, as the node would give them: one row per video and sentence.

python tools/video_sheet.py lite sheet.png FOLDER

FOLDER holds vtest.avi, woman_and_dog.mp4 and man_juggling_ball.mp4.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.types import Frame
from actseg_core.video import probe, read_video
from actseg_core.visualize import overlay, save_png

SENTENCES = {
    "vtest.avi": (
        "person walking on the left",
        "person walking on the right",
        "man in blue shirt",
        "dog running",
    ),
    "woman_and_dog.mp4": ("woman standing", "dog running", "dog", "car"),
    "man_juggling_ball.mp4": ("man in blue shirt", "white ball", "person", "cat"),
}
COLUMNS = 4
TILE = (400, 300)
NANOSECONDS = 1_000_000_000


def answers(predictor: Predictor, path: Path) -> dict[str, list[NDArray[np.uint8]]]:
    """Overlays at evenly spaced frames, by sentence."""
    frames = probe(path).frames
    window = predictor.config.frames
    ends = set(np.linspace(window, frames - 2, COLUMNS).astype(int).tolist())
    engine = StreamingEngine(predictor)
    sentences = SENTENCES[path.name]
    engine.set_queries([(text, predictor.read(text)) for text in sentences])
    tiles: dict[str, list[NDArray[np.uint8]]] = {text: [] for text in sentences}
    for item in read_video(path):
        if not any(end - window <= item.index <= end for end in ends):
            continue
        engine.push(Frame(item.image, round(item.time_s * NANOSECONDS), "camera"))
        if item.index in ends:
            for text, result in engine.answer().items():
                tiles[text].append(cv2.resize(overlay(item.image, [(text, result)]), TILE))
    return tiles


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="preset or .safetensors file")
    parser.add_argument("sheet", type=Path, help="PNG to write")
    parser.add_argument("videos", type=Path, help="folder of the videos")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    rows = []
    for name in SENTENCES:
        for tiles in answers(predictor, options.videos / name).values():
            empty = np.zeros((TILE[1], TILE[0], 3), np.uint8)
            rows.append(np.hstack([*tiles, *[empty] * (COLUMNS - len(tiles))]))
    save_png(options.sheet, np.vstack(rows))


if __name__ == "__main__":
    main()
