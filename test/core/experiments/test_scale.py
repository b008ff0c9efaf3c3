"""Scales by name and by file."""

from pathlib import Path

import pytest

from actseg_core.errors import ConfigError
from actseg_core.experiments.plan import make_plan
from actseg_core.experiments.scale import AblationScale, load_scale, scale_markdown


@pytest.mark.parametrize("name", ["cpu", "long", "paper"])
def test_every_scale_that_ships_fits_every_row(name: str) -> None:
    assert len(make_plan(load_scale(name), [], 1).cells) == 21


def test_the_paper_scale_changes_nothing() -> None:
    paper = load_scale("paper")
    assert not (paper.model or paper.baseline_model or paper.stage or paper.baseline_stages)


def test_a_scale_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nstage: {iterations: 7}\n")
    assert load_scale(str(path)).stage == {"iterations": 7}


def test_an_unknown_scale_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"give one of cpu, long, paper or the path"):
        load_scale("gpu")


def test_an_unknown_setting_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'stages'.*did you mean"):
        AblationScale.from_mapping({"stages": {}})


def test_data_sets_keep_their_layouts() -> None:
    with pytest.raises(ConfigError, match="a2d must have the layout a2d"):
        AblationScale.from_mapping({"a2d": {"layout": "jhmdb"}})


def test_a_page_shows_what_was_changed_without_folders(tiny: AblationScale) -> None:
    scale = tiny.model_copy(update={"weights": {"rgb": "/elsewhere/small_rgb.safetensors"}})
    text = scale_markdown(scale)
    assert "/elsewhere" not in text and "weights: {rgb: small_rgb.safetensors}" in text
    assert "stage: {iterations: 2, batch_size: 2, decay_every: 0}" in text
    assert "classifier" not in text


def test_the_page_names_files_without_their_folders() -> None:
    scale = AblationScale.from_mapping(
        {"vgg_weights": "/mine/vgg.safetensors", "a2d": {"scene": {"cutouts": "/mine/photos"}}}
    )
    text = scale_markdown(scale)
    assert "vgg_weights: vgg.safetensors" in text and "cutouts: photos" in text
    assert "/mine" not in text
