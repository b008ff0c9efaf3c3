"""Settings: ranges, unknown keys, presets."""

from pathlib import Path

import pytest

from actseg_core.config import ModelConfig, StreamConfig, load_preset, load_yaml, preset_names
from actseg_core.errors import ConfigError


def test_unknown_key_is_named_with_the_nearest_right_one() -> None:
    with pytest.raises(
        ConfigError, match=r"unknown setting 'text.vectrs'; did you mean 'vectors'"
    ):
        ModelConfig.from_mapping({"text": {"vectrs": "glove"}})


def test_value_out_of_range_names_setting_and_limit() -> None:
    with pytest.raises(ConfigError, match=r"stride_frames: .*greater than or equal to 1, got 0"):
        StreamConfig.from_mapping({"stride_frames": 0})


def test_baselines_refuse_more_than_one_frame() -> None:
    with pytest.raises(ConfigError, match=r"hu reads one RGB frame"):
        ModelConfig.from_mapping({"kind": "hu", "streams": ["rgb"], "frames": 16})


def test_label_frame_of_the_paper_is_index_8_of_16() -> None:
    assert ModelConfig(frames=16).label_index == 8
    assert ModelConfig(frames=16, label_frame="newest").label_index == 15
    assert ModelConfig(frames=1).label_index == 0


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_and_bears_its_file_name(name: str) -> None:
    assert load_preset(name).name == name


def test_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=r"there is no preset 'tiny'; choose one of .*lite.*paper"
    ):
        load_preset("tiny")


@pytest.mark.parametrize(
    ("content", "reason"),
    [("[1, 2]", "must hold `setting: value` lines"), ("a: [", "cannot read the configuration")],
)
def test_bad_yaml_is_refused_with_the_file_name(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=reason) as caught:
        load_yaml(path)
    assert str(path) in str(caught.value)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        StreamConfig().max_queries = 3  # type: ignore[misc]
