"""`actseg evaluate` from its arguments to its files, with a real small network."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from numbered_videos import numbered

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.cli import evaluate as verb
from actseg_core.cli.main import main
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig
from actseg_core.predictor import NetworkPredictor

__all__ = ["numbered"]  # a fixture of test/support


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Six videos in A2D's layout and two in J-HMDB's."""
    folder = tmp_path_factory.mktemp("data")
    scene = SceneConfig(frames=8, height=64, width=80, max_actors=2, degrade=False)
    for layout, videos in (("a2d", 6), ("jhmdb", 2)):
        config = DatasetConfig(
            layout=layout, videos=videos, test_share=0.5, seed=3, scene=scene, flow="none"
        )
        generate_dataset(folder / layout, config)
    return {layout: folder / layout for layout in ("a2d", "jhmdb")}


@pytest.fixture
def status(small_predictor, tmp_path, monkeypatch):
    """Runs the verb with the small network in place of the shipped one; returns the exit code."""
    weights = tmp_path / "small.safetensors"
    save_checkpoint(weights, small_predictor.model)

    def load(name, device, runtime):
        if runtime.runtime == "auto":
            return small_predictor
        return NetworkPredictor(small_predictor.model, small_predictor.reader, device, runtime)

    monkeypatch.setattr(verb.Predictor, "load", load)
    options = ["--model", str(weights), "--output", str(tmp_path / "out")]

    def call(*arguments: str | Path) -> int:
        return main(["evaluate", *(str(item) for item in arguments), *options])

    return call


@pytest.fixture
def run(status, tmp_path):
    """Runs the verb and returns the metrics."""

    def call(*arguments: str | Path) -> dict:
        assert status(*arguments) == 0
        return json.loads((tmp_path / "out" / "metrics.json").read_text())

    return call


def test_a2d_sentences_with_swaps_end_in_a_complete_report(run, roots, tmp_path, capsys) -> None:
    metrics = run("a2d-sentences", roots["a2d"], "--following")
    there = metrics["provenance"]
    assert (there["origin"], there["split"], there["left_out"]) == ("generated", "test", 0)
    assert there["asked"] == there["available"] == metrics["scores"]["masks"]["samples"]
    assert there["weights"].startswith("small.safetensors, sha256 ")
    assert metrics["scores"]["presence"]["absent"]["samples"] > 0
    assert {"report.md", "contact_sheet.png", "pairs.png", "samples.jsonl"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    assert "generated, layout of A2D" in " ".join(capsys.readouterr().out.split())


def test_without_swaps_only_true_sentences_are_asked(run, roots) -> None:
    metrics = run("a2d-sentences", roots["a2d"], "--no-swaps", "--limit", "2", "--split", "train")
    assert metrics["scores"]["presence"]["absent"]["samples"] == 0
    assert metrics["measured_on"].startswith("generated, layout of A2D Sentences, train; 2 of ")


def test_frozen_clips_are_noted(run, roots) -> None:
    metrics = run("a2d-sentences", roots["a2d"], "--no-swaps", "--limit", "1", "--frozen")
    assert metrics["provenance"]["notes"] == ["frozen clips"]


def test_another_runtime_gives_the_same_answers_and_is_noted(run, roots, tmp_path) -> None:
    confidences = []
    for runtime in ("torch", "onnxruntime"):
        metrics = run("a2d-sentences", roots["a2d"], "--limit", "2", "--runtime", runtime)
        assert metrics["provenance"]["notes"] == [f"runtime {runtime}"]
        rows = (tmp_path / "out" / "samples.jsonl").read_text().splitlines()
        confidences.append([json.loads(row)["confidence"] for row in rows])
    assert confidences[0] == pytest.approx(confidences[1], abs=1e-4)
    assert len(set(confidences[0])) > 1


def test_jhmdb_sentences_are_asked_on_three_frames_each(run, roots) -> None:
    metrics = run("jhmdb-sentences", roots["jhmdb"])
    assert metrics["provenance"]["asked"] == 6
    assert metrics["scores"]["by_pair"] == {}


@pytest.mark.parametrize(("queries", "note"), [("given", "pairs given"), ("all", "all 43 pairs")])
def test_pairs_are_labelled_and_say_that_no_classifier_chose_them(
    run, roots, queries, note
) -> None:
    metrics = run("a2d-pairs", roots["a2d"], "--limit", "3", "--queries", queries)
    assert metrics["provenance"]["notes"][0].startswith(note)
    assert metrics["scores"]["semantic"]["frames"] == 3
    assert metrics["scores"]["classification"] is None


def test_damaged_data_ends_the_run_or_is_counted(status, run, roots, tmp_path, capsys) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(roots["a2d"], copy)
    victim = next(iter(sorted((copy / "Release" / "clips320H").glob("*1.mp4"))))
    victim.write_bytes(b"no video")
    assert status("a2d-sentences", copy) == 2
    assert victim.name in capsys.readouterr().err
    metrics = run("a2d-sentences", copy, "--skip-bad")
    assert metrics["provenance"]["left_out"] > 0
    assert victim.name in metrics["provenance"]["problems"][0]
    assert "damaged items left out" in metrics["measured_on"]


@pytest.fixture
def mixed(tmp_path, numbered) -> Path:
    """A data set of three videos: a good one, one that changes its size, one with a damage."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    first = numbered.write(folder / "a.ts", 12).read_bytes()
    damaged = bytearray(numbered.write(folder / "c.mp4", 30, noise=90).read_bytes())
    place = damaged.index(b"mdat") + 200
    damaged[place : place + 4000] = bytes(4000)
    (folder / "c.mp4").write_bytes(damaged)
    numbered.height = 48
    second = numbered.write(folder / "b.ts", 12).read_bytes()
    (folder / "b.ts").write_bytes(first + second)
    rows = "a.ts,5,dog running,\na.ts,6,dog running,\nb.ts,14,dog running,\nc.mp4,3,dog running,\n"
    (folder / "sentences.csv").write_text(f"video,frame,sentence,mask\n{rows}")
    return folder


def part_rows(tmp_path: Path) -> list[str]:
    lines = (tmp_path / "out" / "samples.part.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["sample_id"] for line in lines]


def test_with_skip_bad_no_damage_ends_the_run(run, mixed, tmp_path) -> None:
    metrics = run("custom", mixed, "--skip-bad")
    problems = metrics["provenance"]["problems"]
    assert metrics["provenance"]["left_out"] == 2
    assert "frame 12 of" in problems[0] and "is 64x48, the frames before are 64x32" in problems[0]
    assert "c.mp4 is damaged" in problems[1]
    assert len((tmp_path / "out" / "samples.jsonl").read_text().splitlines()) == 2
    assert not (tmp_path / "out" / "samples.part.jsonl").exists()


def test_what_was_answered_before_the_damage_is_kept(status, mixed, tmp_path, capsys) -> None:
    assert status("custom", mixed) == 2
    assert len(part_rows(tmp_path)) == 2
    shown = capsys.readouterr().err
    assert "is 64x48, the frames before are 64x32" in shown
    assert "--skip-bad leaves damaged items out; the 2 samples answered before are in" in shown


def test_where_all_is_damaged_the_first_reason_is_told(status, mixed, capsys) -> None:
    for name in ("a.ts", "b.ts", "c.mp4"):
        (mixed / name).write_bytes(b"no video")
    assert status("custom", mixed, "--skip-bad") == 2
    shown = capsys.readouterr().err
    assert "4 damaged items were left out, the first: cannot open the video" in shown


def test_ctrl_c_keeps_what_was_answered(status, roots, tmp_path, monkeypatch, capsys) -> None:
    write = verb.AnsweredRows.add

    def add(self, row) -> None:
        write(self, row)
        if self.count == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(verb.AnsweredRows, "add", add)
    assert status("jhmdb-sentences", roots["jhmdb"]) == 130
    assert len(part_rows(tmp_path)) == 3
    assert "ended by Ctrl-C; the 3 samples answered before are in" in capsys.readouterr().err
    assert not (tmp_path / "out" / "metrics.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a2d",), "there is no kind of data 'a2d'"),
        (("a2d-pairs", "--frozen"), "--frozen, --following and --frame-list are for sentences"),
        (("a2d-pairs", "--queries", "some"), "--queries must be given or all"),
        (("a2d-sentences", "--split", "val"), "no split 'val'"),
        (("a2d-sentences", "--row", "table1_rgb"), "row table1_rgb wants streams"),
        (("a2d-sentences", "--row", "table7"), "no row of the paper's tables"),
        (("jhmdb-sentences",), "cannot read"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(
    arguments, message, status, roots, capsys
) -> None:
    assert status(arguments[0], roots["a2d"], *arguments[1:]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("actseg: ")
    assert message in shown
    assert shown.count("\n") == 1


def test_a_preset_without_weights_is_refused(roots, capsys) -> None:
    assert main(["evaluate", "a2d-sentences", str(roots["a2d"]), "--model", "table1_rgb"]) == 2
    assert "ships without weights" in capsys.readouterr().err
