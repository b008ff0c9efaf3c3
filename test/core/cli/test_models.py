import json

import pytest
import typer
from typer.testing import CliRunner

from actseg_core.cli import models as listing
from actseg_core.cli.models import describe, models
from actseg_core.errors import ConfigError

APP = typer.Typer()
APP.command()(models)
SHOWN = ["ablation_resolution_single", "table1_li", "table3_pairs"]
VGG16 = (  # channels in and out, side of the output at 512 px
    *((3, 64, 512), (64, 64, 512), (64, 128, 256), (128, 128, 256)),
    *((128, 256, 128), (256, 256, 128), (256, 256, 128)),
    *((256, 512, 64), (512, 512, 64), (512, 512, 64)),
    *((512, 512, 32), (512, 512, 32), (512, 512, 32)),
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "preset_names", lambda: SHOWN)


def test_the_cost_of_li_et_al_counted_by_hand() -> None:
    cost = describe("table1_li").cost
    multiplications = sum(i * o * 9 * side**2 for i, o, side in VGG16)
    multiplications += (512 * 4096 * 49 + 4096 * 4096 + 4096 * 1000) * 16**2
    assert cost.clip_gflop == pytest.approx(2 * multiplications / 1e9, rel=1e-9)

    embedding, lstm = 20 * 300 * 1000, 20 * 4 * 1000 * (1000 + 1000)
    sentence = embedding + lstm + 1000 * 1008 + 1008 * 16**2 + 64**2 * 16**2
    assert cost.sentence_gflop == pytest.approx(2 * sentence / 1e9, rel=1e-9)

    vgg, lstm_biases = 138_357_544, 2 * 4000
    others = 300 * 1000 + 4 * 1000 * 2000 + lstm_biases + 1001 * 1008 + 64 * 64
    assert cost.parameters == vgg + others
    convolutions = sum(i * o * 9 + o for i, o, _ in VGG16)
    assert cost.trainable == cost.parameters - convolutions


def test_the_papers_stream_costs_what_was_measured_in_the_design() -> None:
    cost = describe("table1_rgb").cost
    # 285 GFLOP to Mixed_4f and 47 + 146 of decoder, rounded to whole numbers each.
    # The last decoder stage, 146 GFLOP as written, is folded with the sentence's filter.
    assert cost.clip_gflop == pytest.approx(285 + 47, abs=5)
    assert cost.sentence_gflop < 2


def test_the_list_as_json(few: None) -> None:
    result = CliRunner().invoke(APP, ["--json"])
    assert result.exit_code == 0, result.output
    items = json.loads(result.output)
    assert [item["name"] for item in items] == SHOWN
    pairs = items[2]
    assert pairs["row"] == "Table 3, This paper"
    assert pairs["streams"] == ["rgb", "flow"]
    assert pairs["frames"] == 16
    assert pairs["size"] == 512
    assert pairs["classifier"]["parameters"] > pairs["classifier"]["trainable"] > 0
    assert pairs["classifier"]["sentence_gflop"] == 0.0
    assert items[1]["classifier"] is None


def test_the_list_as_a_table(few: None) -> None:
    result = CliRunner().invoke(APP, [], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "Table 1, Li et al. [15], trained on ReferIt only" in result.output
    assert "147.7" in result.output
    assert "and its pair classifier" in result.output


def test_one_network_under_two_names_is_measured_once() -> None:
    listing.network_cost.cache_clear()
    describe("table1_li")
    describe("table2_li")
    assert listing.network_cost.cache_info().misses == 1


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no preset 'table9'"):
        describe("table9")
