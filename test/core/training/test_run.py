import json
import logging
from collections.abc import Callable
from pathlib import Path

import lightning
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.errors import (
    ConfigError,
    DatasetError,
    TrainingError,
    VocabularyError,
)
from actseg_core.training import trainer
from actseg_core.training.logs import read_rows
from actseg_core.training.run import plan
from actseg_core.training.sentence_training import SentenceTraining
from actseg_core.training.settings import TrainRunConfig

Run = Callable[..., Path]


class Killed(Exception):
    """Stands for a kill: nothing of ours runs after it."""


def same(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return all(torch.equal(first[name], second[name]) for name in first)


def rows_of(weights: Path, stage: str = "1_main") -> list[dict[str, float]]:
    return read_rows(weights.parent / stage / "metrics.csv")


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], None]:
    """kill_at(step, hook): the next training ends there; a negative step: none does."""
    place = {"step": -1, "hook": ""}

    def end(hook: str, trainer: lightning.Trainer) -> None:
        if place == {"step": trainer.global_step, "hook": hook}:
            raise Killed

    class End(lightning.Callback):
        def on_train_batch_end(self, trainer, *_) -> None:
            end("batch", trainer)

        def on_validation_batch_end(self, trainer, *_) -> None:
            end("validation", trainer)

    made = trainer.make_trainer

    def make(*args, **options) -> lightning.Trainer:
        found = made(*args, **options)
        found.callbacks.append(End())
        return found

    monkeypatch.setattr(trainer, "make_trainer", make)
    return lambda step, hook: place.update(step=step, hook=hook)


@pytest.mark.parametrize("accumulate", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_resumed_run_ends_with_the_weights_and_the_logs_of_an_uninterrupted_one(
    run: Run, kill_at: Callable[[int, str], None], accumulate: int
) -> None:
    """States are saved after steps 2, 4, 6 and, with the validation, 3."""
    whole = run("whole", accumulate=accumulate)
    places = [(1, "batch"), (3, "validation"), (4, "batch"), (6, "validation")]
    for step, hook in places:
        kill_at(step, hook)
        with pytest.raises(Killed):
            run(f"part{step}{hook}", accumulate=accumulate)
        kill_at(-1, "")
        resumed = run(f"part{step}{hook}", accumulate=accumulate)
        assert same(whole, resumed), (step, hook)
        assert rows_of(resumed) == rows_of(whole), (step, hook)


def test_the_run_folder_holds_what_the_page_says(run: Run) -> None:
    weights = run("out", pictures=2)
    folder = weights.parent / "1_main"
    names = {path.relative_to(weights.parent).as_posix() for path in weights.parent.rglob("*.*")}
    events = {name for name in names if "tfevents" in name}
    assert len(events) == 1
    assert names - events - {"1_main/hparams.yaml"} == {
        *("tiny.safetensors", "config.json", "1_main/metrics.csv", "1_main/throughput.json"),
        *("1_main/weights.safetensors", "1_main/pictures/0000003.png"),
        "1_main/pictures/0000006.png",
    }
    rows = rows_of(weights)
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in rows if "val_mean_iou" in row] == [3, 6]
    rates = [row["rate"] for row in rows if "rate" in row]  # logged after the schedule's step
    assert rates == pytest.approx([1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-4])
    facts = json.loads((folder / "throughput.json").read_text())
    assert facts["steps_measured"] == 5 and 0 < facts["loader_share"] < 1
    assert facts["steps_per_second"] > 0 and facts["step_over_forward"] > 0
    assert facts["peak_memory_bytes"] > 50_000_000
    stored = load_checkpoint(weights).metrics
    assert stored["seed"] == 0 and stored["stages"][0]["iterations"] == 6
    assert stored["stages"][0]["mean_iou"] == pytest.approx(rows[-1]["val_mean_iou"])


def test_a_finished_run_is_not_trained_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("out")
    monkeypatch.setattr("actseg_core.training.run.initial_model", lambda *_: 1 / 0)
    assert run("out") == first


def test_the_same_seed_gives_the_same_weights_and_another_one_others(run: Run) -> None:
    first = run("a", iterations=2)
    assert same(first, run("b", iterations=2))
    assert not same(first, run("c", iterations=2, seed=1))


def test_parts_of_a_batch_add_up_to_the_batch(run: Run) -> None:
    whole, parts = load_file(run("a")), load_file(run("b", accumulate=4))
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-4, atol=2e-5)


def test_kept_features_train_as_clips_do(run: Run, preset: Callable[..., str]) -> None:
    config = preset(video={"width": 1 / 32})
    seen = load_file(run("a", config, random_encoder=True))
    kept = load_file(run("b", config, random_encoder=True, cache_features=True))
    changed = {name for name, value in seen.items() if not torch.equal(value, kept[name])}
    assert not any("Mixed_3b" in name for name in changed)
    for name, value in seen.items():  # features are float16
        torch.testing.assert_close(kept[name], value, rtol=1e-2, atol=1e-3)


STAGES = [
    {"name": "low", "iterations": 2, "batch_size": 2, "response_weights": [1.0, 0.0]},
    {"name": "high", "iterations": 2, "batch_size": 2, "response_weights": [0.0, 1.0]},
]
HU = {
    "kind": "hu",
    "frames": 1,
    "text": {"encoder": "lstm", "vectors": "glove", "word_dim": 50, "sentence_dim": 4},
    "baseline": {"width": 1 / 64, "visual_dim": 4, "embed_dim": 4, "hidden_dim": 4},
}


def test_stages_follow_each_other_and_finished_ones_are_not_repeated(
    run: Run, preset: Callable[..., str], kill_at: Callable[[int, str], None]
) -> None:
    config = preset(**HU, experiment={"stages": STAGES})
    options = {"random_encoder": True, "val_samples": 0}
    whole = run("whole", config, **options)
    stored = load_checkpoint(whole).metrics["stages"]
    assert [stage["stage"] for stage in stored] == ["low", "high"]
    low = load_file(whole.parent / "1_low" / "weights.safetensors")
    high = load_file(whole)
    assert not torch.equal(
        low["streams.rgb.upsample.deconvolution.weight"],
        high["streams.rgb.upsample.deconvolution.weight"],
    )
    run("part", config, **options)
    (whole.parents[1] / "part" / "tiny.safetensors").unlink()
    (whole.parents[1] / "part" / "2_high" / "weights.safetensors").unlink()
    kill_at(1, "batch")
    with pytest.raises(Killed):
        run("part", config, **options)
    kill_at(-1, "")
    logs = (whole.parents[1] / "part" / "1_low" / "metrics.csv").stat().st_mtime_ns
    assert same(run("part", config, **options), whole)
    assert (whole.parents[1] / "part" / "1_low" / "metrics.csv").stat().st_mtime_ns == logs


def test_a_folder_with_another_run_is_refused_with_what_differs(run: Run) -> None:
    run("out", iterations=1)
    with pytest.raises(ConfigError, match=r"other settings \(model\.frames, run\.seed differ\)"):
        run("out", iterations=1, seed=4, change={"frames": 3})
    run("out", iterations=1, log_every=7, workers=0)


def test_a_loss_that_is_no_number_stops_with_its_batch_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = SentenceTraining.training_step

    def step(self: SentenceTraining, batch: object, index: int) -> torch.Tensor:
        loss = healthy(self, batch, index)  # type: ignore[arg-type]
        return loss * float("nan") if self.trainer.global_step == 3 else loss

    monkeypatch.setattr(SentenceTraining, "training_step", step)
    with pytest.raises(TrainingError, match="the loss of step 3 is nan; its batch is kept in"):
        run("out", val_samples=0)
    with safe_open(tmp_path / "out" / "1_main" / "bad_batch.safetensors", "pt") as file:
        facts = file.metadata()
        assert file.get_tensor("frames").shape == (4, 2, 32, 32, 3)
        assert file.get_tensor("masks").shape == (4, 32, 32)
        assert file.get_tensor("words").shape == (4, 20, 50)
    assert facts["step"] == "3" and facts["loss"] == "nan"
    assert len(json.loads(facts["samples"])) == 4
    monkeypatch.undo()
    resumed = run("out", val_samples=0)
    assert same(resumed, run("whole", val_samples=0))


def test_a_damaged_state_is_passed_over(
    run: Run,
    tmp_path: Path,
    kill_at: Callable[[int, str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    kill_at(5, "batch")
    with pytest.raises(Killed):
        run("out")
    last = tmp_path / "out" / "1_main" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:-100])
    kill_at(-1, "")
    with caplog.at_level(logging.WARNING):
        resumed = run("out")
    assert "last.ckpt is damaged and passed over" in caplog.text
    assert same(resumed, run("whole"))


def test_missing_data_is_said_before_anything_is_loaded(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the setting data is missing; give the folder"):
        run("out", data="")
    with pytest.raises(ConfigError, match="there is no folder .*nowhere; `actseg generate"):
        run("out", data=str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="empty"):
        run("out", data=str(tmp_path / "empty"))
    assert not (tmp_path / "out").exists()


def test_word_vectors_of_another_width_are_said(run: Run, preset: Callable[..., str]) -> None:
    config = preset(text={"vectors": "glove", "word_dim": 300})
    with pytest.raises(VocabularyError, match="word_dim is 300, but glove has vectors of 50"):
        run("out", config)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lite", "has a recipe of its own: `actseg train-lite`"),
        ("table2_rgb_flow", "is not trained: it tests table1_rgb_flow as it is"),
        ("table9", "there is no preset 'table9'"),
    ],
)
def test_what_is_not_trained_here_is_said(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(name, TrainRunConfig())


def test_a_batch_must_split_evenly() -> None:
    with pytest.raises(ConfigError, match="batches of 4 samples, which 3 processes .* of 3"):
        plan("table1_rgb", TrainRunConfig(devices=3))


def test_the_papers_schedule_is_the_default_and_shrinks_as_a_whole() -> None:
    stage = plan("table1_rgb", TrainRunConfig())[1].stages[0]
    assert (stage.iterations, stage.decay_every, stage.learning_rate) == (15_000, 5_000, 1e-3)
    short = plan("table1_rgb", TrainRunConfig(iterations=300, batch_size=8))[1].stages[0]
    assert (short.iterations, short.decay_every, short.batch_size) == (300, 100, 8)


def test_a_change_reaches_nested_settings_and_a_wrong_key_is_named() -> None:
    config, _ = plan("table1_rgb", TrainRunConfig(change={"video": {"width": 0.5}, "size": 64}))
    assert (config.video.width, config.size, config.video.trainable) == (0.5, 64, "last_block")
    with pytest.raises(ConfigError, match="'video.widht'; did you mean 'width'"):
        plan("table1_rgb", TrainRunConfig(change={"video": {"widht": 0.5}}))


def test_every_row_that_is_trained_can_be_planned() -> None:
    for name in ("table1_hu", "table1_li_tuned", "table3_pairs", "ablation_text_lstm", "paper"):
        assert plan(name, TrainRunConfig())[1].stages
