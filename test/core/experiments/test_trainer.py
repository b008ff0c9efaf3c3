"""Settings of each training, and estimates of time."""

from pathlib import Path

import pytest

from actseg_core.errors import ConfigError
from actseg_core.experiments.estimate import training_seconds
from actseg_core.experiments.plan import make_plan
from actseg_core.experiments.scale import AblationScale
from actseg_core.experiments.store import Store
from actseg_core.experiments.trainer import training_settings


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
