from pathlib import Path

import pytest

from actseg_core.config import ModelConfig
from actseg_core.errors import ConfigError
from actseg_core.training.settings import TrainRunConfig, split_settings


def test_settings_of_the_run_and_of_the_preset_come_from_one_mapping() -> None:
    found = split_settings({"seed": 3, "size": 64, "experiment": {"train_on": "a2d_pairs"}})
    assert found.seed == 3
    assert found.change == {"size": 64, "experiment": {"train_on": "a2d_pairs"}}


def test_no_setting_of_a_run_has_the_name_of_one_of_the_network() -> None:
    assert not TrainRunConfig.model_fields.keys() & ModelConfig.model_fields.keys()


@pytest.mark.parametrize(
    ("key", "nearest"), [("presision", "precision"), ("frame", "frames"), ("expriment", "experim")]
)
def test_an_unknown_key_is_named_with_the_nearest_right_one(key: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown setting '{key}'; did you mean '{nearest}"):
        split_settings({key: 1})


def test_a_key_like_no_other_is_answered_with_all_there_are() -> None:
    with pytest.raises(ConfigError, match="unknown setting 'qqqq'; known: data, .*experiment"):
        split_settings({"qqqq": 1})


def test_half_precision_with_a_scaled_loss_is_refused_on_a_cpu() -> None:
    with pytest.raises(ConfigError, match="16-mixed needs a GPU; set precision: bf16-mixed"):
        TrainRunConfig.from_mapping({"precision": "16-mixed", "accelerator": "cpu"})


def test_folders_follow_the_name() -> None:
    assert TrainRunConfig().run_folder("paper") == Path("runs/paper")
    assert TrainRunConfig().cache_folder("paper") == Path("runs/features")
    given = TrainRunConfig(run="a/b", cache="c")
    assert (given.run_folder("paper"), given.cache_folder("paper")) == (Path("a/b"), Path("c"))
    assert TrainRunConfig(devices=2, nodes=3).processes == 6
