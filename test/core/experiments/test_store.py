"""What the run folder says is done."""

from pathlib import Path

import pytest
import yaml

from actseg_core.errors import ConfigError, DatasetError
from actseg_core.experiment_config import load_experiment
from actseg_core.experiments.plan import make_plan
from actseg_core.experiments.scale import AblationScale
from actseg_core.experiments.store import Store


def test_a_run_folder_belongs_to_one_scale(tiny: AblationScale, tmp_path: Path) -> None:
    store = Store(tmp_path / "run")
    store.claim(tiny)
    store.claim(tiny)
    with pytest.raises(ConfigError, match="holds a run with other settings"):
        store.claim(tiny.model_copy(update={"limit": 3}))


def test_a_classifier_may_come_later_but_not_change(tiny: AblationScale, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.claim(tiny)
    store.claim(tiny.model_copy(update={"classifier": "one.safetensors"}))
    for other in ("", "two.safetensors"):
        with pytest.raises(ConfigError, match="other settings"):
            store.claim(tiny.model_copy(update={"classifier": other}))


def test_the_configuration_is_a_preset_that_can_be_trained(
    tiny: AblationScale, tmp_path: Path
) -> None:
    training = make_plan(tiny, ["resolution"], 1).trainings[1]
    path = Store(tmp_path).config(training)
    assert load_experiment(str(path)) == (training.model, training.experiment)
    assert yaml.safe_load(path.read_text())["decoder"]["multi_resolution"] is False


def test_a_training_is_finished_when_its_weights_are_there(
    tiny: AblationScale, tmp_path: Path
) -> None:
    first, second = make_plan(tiny, ["frames"], 2).trainings[0::4]
    store = Store(tmp_path)
    weights = store.training(first) / "deep" / "weights.safetensors"
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert not store.is_trained(first)
    store.keep_trained(first, weights, 12.5)
    assert store.is_trained(first) and store.weights(first) == weights
    assert not store.is_trained(second)
    assert store.seconds_of(second.digest) == 12.5
    assert store.seconds_of("0123456789") is None
    weights.unlink()
    assert not store.is_trained(first)


def test_a_run_folder_can_be_moved(tiny: AblationScale, tmp_path: Path) -> None:
    training = make_plan(tiny, ["frames"], 1).trainings[0]
    store = Store(tmp_path / "here")
    weights = store.training(training) / "w.safetensors"
    weights.parent.mkdir(parents=True)
    weights.touch()
    store.keep_trained(training, weights, 1.0)
    (tmp_path / "here").rename(tmp_path / "there")
    assert Store(tmp_path / "there").is_trained(training)


def test_a_damaged_note_is_named(tiny: AblationScale, tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "scale.json").write_text("{")
    with pytest.raises(DatasetError, match=r"scale.json is damaged"):
        store.claim(tiny)
