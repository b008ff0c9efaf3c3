"""What the parts of the measuring share: the options, kept results, tables and contact sheets."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.config import OverlayConfig
from actseg_core.predictor import Predictor
from actseg_core.types import MaskResult
from actseg_core.visualize import overlay, save_png

TILE_WIDTH = 320
MAX_ROWS = 40
COLUMNS = 5
CAPTION_HEIGHT = 32
FONT = cv2.FONT_HERSHEY_SIMPLEX
FRAME_NS = 33_333_333
HERE = Path(__file__).parent

Figures = dict[str, float]
Table = dict[str, Figures]  # figures by the name of their row


@dataclass
class Run:
    """One measuring of one model.

    Attributes:
        predictor: The model, loaded.
        model: As named on the command line.
        out: Folder for results and pictures.
        quick: Whether to ask less.
        resume: Whether to take over what an earlier run with the same model and questions wrote.
        tables: Figures by part.
    """

    predictor: Predictor
    model: str
    out: Path
    quick: bool = False
    resume: bool = False
    tables: dict[str, Table] = field(default_factory=dict)

    def kept(self, name: str, asked: object, measure: Callable[[], Any]) -> Any:
        """What `measure` returns (JSON), or what it returned last time if that may be resumed.

        Args:
            name: Of the file below `out`.
            asked: All that the result depends on besides model and code.
            measure: Called if there is nothing to resume.
        """
        path = self.out / "kept" / f"{name}.json"
        key = hashlib.sha256(repr((self._weights(), self.quick, asked)).encode()).hexdigest()
        if self.resume and path.is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["key"] == key:
                return content["result"]
        result = measure()
        write_json(path, {"key": key, "result": result})
        return result

    def _weights(self) -> tuple[str, ...]:
        path = Path(self.model)
        if not path.is_file():
            return (self.model,)
        return (self.model, str(path.stat().st_size), str(path.stat().st_mtime_ns))


class Sheet:
    """A contact sheet: a row per sentence and a column per frame, or a grid of single answers.

    Args:
        path: PNG to write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, list[NDArray[np.uint8]]] = {}

    def add(
        self,
        image: NDArray[np.uint8],
        sentence: str,
        result: MaskResult,
        outlines: Sequence[NDArray[np.int32]] = (),
        remark: str = "",
    ) -> None:
        """Draw an answer, and the truth as white outlines [px]."""
        if sentence not in self._rows and len(self._rows) >= MAX_ROWS:
            return
        drawn = overlay(image, [(sentence, result)], OverlayConfig(captions=False))
        cv2.polylines(drawn, list(outlines), True, (255, 255, 255), max(2, image.shape[0] // 200))
        height = round(image.shape[0] * TILE_WIDTH / image.shape[1])
        tile = np.zeros((height + CAPTION_HEIGHT, TILE_WIDTH, 3), np.uint8)
        size = (TILE_WIDTH, height)
        tile[CAPTION_HEIGHT:] = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
        verdict = "found" if result.found else "not there"
        lines = (sentence, f"{verdict} {result.confidence:.2f}  {remark}")
        for place, line in enumerate(lines, start=1):
            cv2.putText(tile, line, (3, 14 * place), FONT, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
        self._rows.setdefault(sentence, []).append(tile)

    def write(self) -> None:
        """Write the sheet; nothing if nothing was added."""
        if not self._rows:
            return
        rows = list(self._rows.values())
        if all(len(row) == 1 for row in rows):  # one answer to each: side by side, then
            tiles = [row[0] for row in rows]
            rows = [tiles[at : at + COLUMNS] for at in range(0, len(tiles), COLUMNS)]
        heights = [max(tile.shape[0] for tile in row) for row in rows]
        canvas = np.zeros((sum(heights), max(map(len, rows)) * TILE_WIDTH, 3), np.uint8)
        top = 0
        for height, row in zip(heights, rows, strict=True):
            for place, tile in enumerate(row):
                left = place * TILE_WIDTH
                canvas[top : top + tile.shape[0], left : left + TILE_WIDTH] = tile
            top += height
        self._path.parent.mkdir(parents=True, exist_ok=True)
        save_png(self._path, canvas)


def outlines_of(mask: NDArray[np.bool_]) -> Sequence[NDArray[np.int32]]:
    """Outlines [px] of a mask."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [np.asarray(item, np.int32) for item in found]


def write_json(path: Path, content: object) -> None:
    """Write beside its place and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def show(part: str, table: Table, before: Table) -> str:
    """A table as text; figures that changed against `before` carry the difference."""
    columns = list(dict.fromkeys(name for row in table.values() for name in row))
    width = max(len(name) for name in [*table, part])
    cells = {
        name: [_cell(row.get(column), before.get(name, {}).get(column)) for column in columns]
        for name, row in table.items()
    }
    widths = [
        max(len(column), *(len(row[place]) for row in cells.values()))
        for place, column in enumerate(columns)
    ]
    head = "  ".join(column.rjust(size) for column, size in zip(columns, widths, strict=True))
    lines = [f"{part.ljust(width)}  {head}"]
    for name, row in cells.items():
        text = "  ".join(cell.rjust(size) for cell, size in zip(row, widths, strict=True))
        lines.append(f"{name.ljust(width)}  {text}")
    return "\n".join(lines)


def _cell(value: float | None, before: float | None) -> str:
    if value is None or value != value:
        return "-"
    text = f"{value:g}"
    if before is None or before != before or abs(value - before) < 0.05:
        return text
    return f"{text} ({value - before:+.3g})"
