"""The order of the long experiments, and that they go on: the script with a command that notes."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest
from patience import PATIENCE_S

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "reproduce.sh"


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "my photographs"
    folder.mkdir()
    (folder / "instances.json").write_text("{}")
    return folder


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A stand-in for `actseg` that notes what it is asked; each `ablate` has a failed cell."""
    command = tmp_path / "actseg"
    command.write_text('#!/bin/sh\necho "$@" >> "$(dirname "$0")/notes"\n[ "$1" != ablate ]\n')
    command.chmod(0o755)
    return tmp_path / "notes"


def run(notes: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"ACTSEG": str(notes.with_name("actseg"))} | settings
    return subprocess.run(
        [str(SCRIPT), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def asked(notes: Path) -> list[str]:
    """The verbs, with the stream or the sets and seeds."""
    short = []
    for line in notes.read_text().splitlines():
        verb, *words = line.split()
        if verb == "pretrain":
            what = words[words.index("--stream") + 1] if "--stream" in words else ""
            short.append(f"pretrain {what or words[words.index('--config') + 1]}")
        elif verb == "ablate":
            seeds = words[words.index("--seeds") + 1]
            short.append(f"ablate {' '.join(words[: words.index('--scale')])}, {seeds}")
        else:
            short.append(verb)
    return short


def test_the_most_telling_come_first_and_one_seed_before_the_next(
    notes: Path, photographs: Path, tmp_path: Path
) -> None:
    done = run(notes, str(tmp_path / "run"), str(photographs), SEEDS="2")
    assert done.returncode == 0, done.stderr
    everything = "streams baselines transfer frames resolution text"
    assert asked(notes) == [
        *("generate", "pretrain rgb", "pretrain flow", "ablate streams, 1", "pretrain half_vgg"),
        *("ablate streams baselines transfer, 1", f"ablate {everything}, 1"),
        *("train-classifier", f"ablate {everything} pairs, 1", f"ablate {everything} pairs, 2"),
        *("pretrain half_tvl1", "ablate streams, 1"),
    ]
    assert done.stdout.count("not all cells are done") == 6  # a failed cell stops nothing


def test_every_ablation_in_a_folder_has_the_same_settings(
    notes: Path, photographs: Path, tmp_path: Path
) -> None:
    run(notes, str(tmp_path / "run"), str(photographs))
    settings: dict[str, set[str]] = {}
    for line in notes.read_text().splitlines():
        if line.startswith("ablate"):
            folder = line.partition("--run ")[2].split()[0]
            settings.setdefault(folder, set()).add(
                line.partition("--scale")[2].partition("--seeds")[0]
            )
    assert [Path(folder).name for folder in settings] == ["ablate", "ablate_tvl1"]
    assert {len(given) for given in settings.values()} == {1}
    assert all(f"a2d.scene.cutouts={photographs}" in given.pop() for given in settings.values())


def test_a_step_that_fails_ends_the_run(notes: Path, photographs: Path, tmp_path: Path) -> None:
    command = notes.with_name("actseg")
    command.write_text(command.read_text().replace("ablate", "pretrain"))
    done = run(notes, str(tmp_path / "run"), str(photographs))
    assert done.returncode != 0
    assert asked(notes) == ["generate", "pretrain rgb"]


def test_a_second_run_in_the_same_folder_is_refused(
    notes: Path, photographs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(notes, str(folder), str(photographs))
    assert done.returncode == 2 and "is in use by another" in done.stderr
    assert not notes.exists()


@pytest.mark.parametrize("given", [[], ["run"], ["run", "nowhere"]])
def test_without_photographs_it_says_how_it_is_called(
    notes: Path, tmp_path: Path, given: list[str]
) -> None:
    done = run(notes, *[str(tmp_path / name) for name in given])
    assert done.returncode == 2 and "PHOTOGRAPHS holds instances.json" in done.stderr
