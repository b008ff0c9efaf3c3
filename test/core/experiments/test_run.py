"""The loop over the cells: order, resumption, failures."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from actseg_core.errors import ConfigError
from actseg_core.experiments.estimate import training_seconds
from actseg_core.experiments.plan import make_plan
from actseg_core.experiments.run import Runner, make_data, training_settings
from actseg_core.experiments.scale import AblationScale
from actseg_core.experiments.store import Store

pytestmark = pytest.mark.usefixtures("instantly")


def runner(
    tiny: AblationScale, data: Path, run: Path, train: Any, *sets: str, seeds: int = 1
) -> Runner:
    return Runner(make_plan(tiny, sets, seeds), tiny, data, run, train)


def test_shared_networks_are_trained_and_measured_once(
    tiny: AblationScale, data: Path, tmp_path: Path, untrained: Any
) -> None:
    assert runner(tiny, data, tmp_path, untrained, "streams", "baselines", "transfer").run() == 0
    titles = [name.split("-")[0] for name in untrained.asked]
    assert titles == ["rgb16_conv", "flow16_conv", "hu", "li"]
    assert len(list(tmp_path.rglob("metrics.json"))) == 8


def test_a_second_run_finds_everything_done(
    tiny: AblationScale, data: Path, tmp_path: Path, untrained: Any
) -> None:
    runner(tiny, data, tmp_path, untrained, "resolution").run()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert runner(tiny, data, tmp_path, untrained, "resolution").run() == 0
    assert len(untrained.asked) == 2
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_a_stopped_run_goes_on_where_it_was(
    tiny: AblationScale, data: Path, tmp_path: Path, untrained: Any
) -> None:
    def stop_at_the_second(*arguments: Any) -> Path:
        if len(untrained.asked) == 1:
            raise KeyboardInterrupt
        return Path(untrained(*arguments))

    with pytest.raises(KeyboardInterrupt):
        runner(tiny, data, tmp_path, stop_at_the_second, "resolution").run()
    assert len(list(tmp_path.rglob("metrics.json"))) == 1
    assert runner(tiny, data, tmp_path, untrained, "resolution").run() == 0
    assert [name.split("-")[0] for name in untrained.asked] == ["rgb16_conv", "rgb16_conv_single"]


def test_a_measurement_that_was_cut_off_is_made_again_without_training(
    tiny: AblationScale, data: Path, tmp_path: Path, untrained: Any
) -> None:
    runner(tiny, data, tmp_path, untrained, "resolution").run()
    store, cell = Store(tmp_path), make_plan(tiny, ["resolution"], 1).cells[0]
    wanted = store.metrics(cell).read_text()
    store.metrics(cell).unlink()  # it is written last
    runner(tiny, data, tmp_path, untrained, "resolution").run()
    assert store.metrics(cell).read_text() == wanted
    assert len(untrained.asked) == 2


def test_a_failure_is_noted_and_the_others_go_on(
    tiny: AblationScale, data: Path, tmp_path: Path, untrained: Any
) -> None:
    untrained.broken = {"flow16_conv"}
    assert runner(tiny, data, tmp_path, untrained, "streams", "transfer").run() == 3
    store, plan = Store(tmp_path), make_plan(tiny, ["streams", "transfer"], 1)
    failures = {cell.row.preset: store.failure(cell) for cell in plan.cells}
    assert [name for name, why in failures.items() if not why] == [
        *("ablation_stream_rgb", "table2_hu", "table2_li"),
    ]
    flow = failures["ablation_stream_flow"]
    assert flow.startswith("training flow16_conv-") and flow.endswith("the loss is not finite")
    tried = [name.split("-")[0] for name in untrained.asked]
    assert tried.count("flow16_conv") == 1

    untrained.broken = set()
    assert runner(tiny, data, tmp_path, untrained, "streams", "transfer").run() == 0
    assert not any(store.failure(cell) for cell in plan.cells)


def test_a_folder_of_another_scale_is_refused(
    tiny: AblationScale, data: Path, tmp_path: Path, untrained: Any
) -> None:
    runner(tiny, data, tmp_path, untrained, "resolution").run()
    other = tiny.model_copy(update={"limit": 1})
    with pytest.raises(ConfigError, match="other settings"):
        runner(other, data, tmp_path, untrained, "resolution").run()


def test_data_of_ones_own_is_left_as_it_is(tiny: AblationScale, tmp_path: Path) -> None:
    (tmp_path / "a2d" / "Release").mkdir(parents=True)
    said: list[str] = []
    make_data(tmp_path, tiny, said.append)
    assert [path.name for path in (tmp_path / "a2d").iterdir()] == ["Release"]
    assert (tmp_path / "jhmdb" / "jhmdb_annotation.txt").is_file()
    assert len(said) == 1


def test_half_generated_data_is_finished(tiny: AblationScale, data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    record = tmp_path / "data" / "a2d" / "records" / "gen00000004.json"
    wanted = record.read_text()
    record.unlink()
    said: list[str] = []
    for _ in range(2):
        make_data(tmp_path / "data", tiny, said.append)
    assert record.read_text() == wanted
    assert said == [f"generating 1 videos in {tmp_path / 'data' / 'a2d'}"]


def test_every_stream_gets_its_own_weights_and_the_shared_cache(tiny: AblationScale) -> None:
    files = {"rgb": "rgb.safetensors", "flow": "flow.safetensors"}
    scale = tiny.model_copy(update={"weights": files})
    rgb, flow = make_plan(scale, ["streams"], 1).trainings
    places = (Path("data"), Path("run"), Path("run/trainings/x"))
    for training, own, other in ((rgb, "rgb", "flow"), (flow, "flow", "rgb")):
        settings = training_settings(training, scale, *places).model_dump()
        assert settings[f"{own}_weights"] == files[own]
        assert settings[f"{other}_weights"] == ""
        assert settings["cache_features"] and settings["cache"] == "run/features"


def test_a_baseline_that_trains_all_layers_keeps_no_features(tiny: AblationScale) -> None:
    training = make_plan(tiny, ["baselines"], 1).trainings[0]
    scale = tiny.model_copy(update={"weights": {"rgb": "i3d.safetensors"}})
    settings = training_settings(training, scale, Path("d"), Path("r"), Path("f"))
    assert not settings.cache_features
    assert settings.rgb_weights == "" and settings.seed == 0


def test_a_wrong_setting_of_the_training_is_named(tiny: AblationScale) -> None:
    scale = tiny.model_copy(update={"train": {"worker": 2}})
    training = make_plan(scale, ["frames"], 1).trainings[0]
    with pytest.raises(ConfigError, match="did you mean 'workers'"):
        training_settings(training, scale, Path("d"), Path("r"), Path("f"))


def test_the_estimate_takes_what_another_seed_took(tiny: AblationScale, tmp_path: Path) -> None:
    plan = make_plan(tiny, ["resolution"], 2)
    done, store = plan.trainings[0], Store(tmp_path)
    weights = store.training(done) / "w.safetensors"
    weights.parent.mkdir(parents=True)
    weights.touch()
    store.keep_trained(done, weights, 1234.0)
    left = training_seconds(plan.trainings, tmp_path)
    assert list(left) == [item.name for item in plan.trainings[1:]]
    assert left[plan.trainings[2].name] == 1234.0
    assert left[plan.trainings[1].name] == left[plan.trainings[3].name] > 0
