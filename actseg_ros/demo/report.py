"""What the demo tells people: a table of the answers, and where the files are."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from actseg_core.live.frame_checks import NANOSECONDS
from actseg_core.live.states import State

# The table is never narrower, as rich would cut its cells: what is missing in a narrower terminal
# goes on in its next line.
TABLE_WIDTH = 76
NUMBERS = ("confidence", "ms p50/p95", "Hz")


@dataclass
class Row:
    """What one sentence brought.

    Attributes:
        clip: Name of the clip.
        sentence: The sentence.
        states: Of each frame answered.
        confidences: Of each frame answered.
        latencies_ms: Camera stamp to received mask, of each.
        times_s: Steady clock when each came.
    """

    clip: str
    sentence: str
    states: list[State] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)

    def add(self, mask: Any, received_ns: int) -> None:
        """Count one answer."""
        stamp_ns = mask.header.stamp.sec * NANOSECONDS + mask.header.stamp.nanosec
        self.states.append(State(mask.state.value))
        self.confidences.append(float(mask.confidence))
        self.latencies_ms.append((received_ns - stamp_ns) / 1e6)
        self.times_s.append(time.monotonic())

    def cells(self) -> list[str]:
        """Text of the table's cells: sentence, most frequent state, confidence, latency, rate."""
        if not self.states:
            return [self.sentence, "no answer", "-", "-", "-"]
        state = max(set(self.states), key=self.states.count)
        middle, high = np.percentile(self.latencies_ms, (50, 95))
        span_s = self.times_s[-1] - self.times_s[0]
        rate = f"{(len(self.states) - 1) / span_s:.1f}" if span_s > 0 else "-"
        return [
            self.sentence,
            f"{state.name} {self.states.count(state)}/{len(self.states)}",
            f"{np.mean(self.confidences):.2f}",
            f"{middle:.0f} / {high:.0f}",
            rate,
        ]


def wide_enough() -> Console:
    """A console in which the table has room, whatever the terminal says."""
    console = Console(highlight=False)
    console.width = max(console.width, TABLE_WIDTH)
    return console


def table(rows: Sequence[Row]) -> Table:
    """A row per sentence, a section per clip; long sentences go on in the next line."""
    made = Table(box=SIMPLE)
    made.add_column("sentence", overflow="fold")
    made.add_column("answers", no_wrap=True)
    for name in NUMBERS:
        made.add_column(name, justify="right", no_wrap=True)
    clip = ""
    for row in rows:
        if row.clip != clip:
            clip = row.clip
            made.add_section()
            made.add_row(Text(f"{clip}:", style="bold"))
        made.add_row(*map(Text, row.cells()))  # Text: brackets in a sentence are no markup
    return made


def files(out: Path, names: Iterable[str], since_ns: int) -> list[str]:
    """What the recorder wrote since a time, in lines for people: videos, first and last pictures.

    Args:
        out: Folder of the recordings.
        names: Of the clips.
        since_ns: System clock [ns]; older files are those of a demo before.
    """
    lines = []
    for name in names:
        lines += [str(video) for video in (out / f"{name}.mp4",) if _is_new(video, since_ns)]
        pictures = [file for file in out.glob(f"{name}_*.png") if _is_new(file, since_ns)]
        if pictures:
            to_last = f" to {max(pictures).name}" if len(pictures) > 1 else ""
            lines.append(f"{min(pictures)}{to_last}")
    return lines


def _is_new(file: Path, since_ns: int) -> bool:
    return file.is_file() and file.stat().st_mtime_ns >= since_ns
