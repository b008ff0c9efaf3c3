"""Which networks are trained for which rows."""

import pytest

from actseg_core.config import ModelConfig
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import ExperimentConfig
from actseg_core.experiments.plan import SETS, Cell, Plan, Row, derive, make_cell, make_plan
from actseg_core.experiments.scale import AblationScale, load_scale


def cell(plan: Plan, preset: str, seed: int = 0) -> Cell:
    return next(it for it in plan.cells if it.row.preset == preset and it.seed == seed)


def test_the_whole_set_needs_twelve_trainings_per_seed(tiny: AblationScale) -> None:
    plan = make_plan(tiny, [], 3)
    assert len(plan.trainings) == 3 * 12
    assert [training.title for training in plan.trainings[:12]] == [
        *("rgb1_conv", "rgb4_conv", "rgb8_conv", "rgb16_conv"),
        *("rgb16_lstm", "rgb16_bilstm", "rgb16_conv_single", "flow16_conv", "hu", "li"),
        *("rgb16_conv_pairs", "flow16_conv_pairs"),
    ]


def test_rows_of_the_same_network_share_one_training_and_one_measurement(
    tiny: AblationScale,
) -> None:
    plan = make_plan(tiny, [], 1)
    same = ("ablation_frames_16", "ablation_text_conv", "ablation_resolution_multi", "table1_rgb")
    assert len({cell(plan, preset).name for preset in same}) == 1
    assert cell(plan, "ablation_stream_rgb_flow").name == cell(plan, "table1_rgb_flow").name


def test_a_fused_row_is_made_of_the_networks_of_its_streams(tiny: AblationScale) -> None:
    plan = make_plan(tiny, [], 1)
    fused = cell(plan, "ablation_stream_rgb_flow")
    assert fused.model.streams == ("rgb", "flow")
    assert fused.trainings == (
        *cell(plan, "ablation_stream_rgb").trainings,
        *cell(plan, "ablation_stream_flow").trainings,
    )


def test_the_second_data_set_is_answered_by_the_networks_of_the_first(tiny: AblationScale) -> None:
    plan = make_plan(tiny, ["baselines", "transfer"], 1)
    for second, first in (
        ("table2_rgb_flow", "table1_rgb_flow"),
        ("table2_hu", "table1_hu_tuned"),
    ):
        assert cell(plan, second).trainings == cell(plan, first).trainings
        assert cell(plan, second).kind == "jhmdb-sentences"
        assert cell(plan, second).name != cell(plan, first).name


def test_the_first_seed_of_everything_comes_first(tiny: AblationScale) -> None:
    seeds = [it.seed for it in make_plan(tiny, ["frames", "text"], 2).cells]
    assert seeds == [0] * 7 + [1] * 7


def test_picks_need_a_classifier(tiny: AblationScale) -> None:
    asked = [it.row.queries for it in make_plan(tiny, ["pairs"], 1).cells]
    assert asked == ["all", "given"]
    able = tiny.model_copy(update={"classifier": "classifier.safetensors"})
    assert [it.row.queries for it in make_plan(able, ["pairs"], 1).cells][0] == "picks"


def test_baselines_without_referit_are_trained_on_the_sentences(tiny: AblationScale) -> None:
    _, experiment = derive(tiny, "table1_li_tuned")
    assert experiment.start_from == ""
    assert [stage.name for stage in experiment.stages] == ["low", "high"]
    assert derive(load_scale("paper"), "table1_li_tuned")[1].start_from == "table1_li"


def test_a_stage_of_the_scale_keeps_what_the_preset_weighs(tiny: AblationScale) -> None:
    model, experiment = derive(tiny, "ablation_resolution_single")
    assert not model.decoder.multi_resolution
    assert experiment.stages[0].response_weights == (1.0,)
    assert experiment.stages[0].iterations == 2


def test_flow_settings_do_not_make_another_rgb_network(tiny: AblationScale) -> None:
    other = tiny.model_copy(update={"model": tiny.model | {"flow": {"estimator": "dis"}}})
    for scale in (tiny, other):
        plan = make_plan(scale, ["streams"], 1)
        assert len({it.name for it in plan.trainings}) == 2
    names = [make_plan(scale, ["streams"], 1).trainings for scale in (tiny, other)]
    assert names[0][0].name == names[1][0].name
    assert names[0][1].name != names[1][1].name


def test_how_masks_are_made_does_not_change_the_training(tiny: AblationScale) -> None:
    other = tiny.model_copy(update={"model": tiny.model | {"threshold_mode": "relative_max"}})
    names = [[it.name for it in make_plan(scale, [], 1).trainings] for scale in (tiny, other)]
    assert names[0] == names[1]


def test_settings_of_another_kind_do_not_make_another_network(tiny: AblationScale) -> None:
    decoder = {"decoder": {"channels": [8, 8]}}
    other = tiny.model_copy(update={"model": tiny.model | decoder})
    old, new = (make_plan(scale, ["baselines"], 1).trainings for scale in (tiny, other))
    same = [one.name == another.name for one, another in zip(old, new, strict=True)]
    assert [training.title for training in old] == ["hu", "li", "rgb16_conv", "flow16_conv"]
    assert same == [True, True, False, False]


def test_another_setting_is_another_training(tiny: AblationScale) -> None:
    longer = tiny.model_copy(update={"stage": tiny.stage | {"iterations": 3}})
    row = SETS["frames"][0]
    names = {make_cell(scale, row, 0).trainings[0].name for scale in (tiny, longer)}
    assert len(names) == 2


def test_a_training_can_be_read_back_from_its_mapping(tiny: AblationScale) -> None:
    training = make_plan(tiny, ["text"], 1).trainings[1]
    mapping = training.mapping()
    experiment = ExperimentConfig.from_mapping(mapping.pop("experiment"))
    assert (ModelConfig.from_mapping(mapping), experiment) == (training.model, training.experiment)
    assert training.model.name == "rgb16_lstm"


def test_an_unknown_set_is_answered_with_the_known_ones(tiny: AblationScale) -> None:
    with pytest.raises(ConfigError, match="no set 'frame'; give some of frames, text"):
        make_plan(tiny, ["frame"], 1)


def test_a_scale_that_weighs_too_many_maps_is_refused(tiny: AblationScale) -> None:
    stage = tiny.stage | {"response_weights": [1.0, 1.0, 1.0]}
    wrong = tiny.model_copy(update={"stage": stage})
    with pytest.raises(ConfigError, match="weighs 3 response maps.*gives 1; leave"):
        make_cell(wrong, Row("ablation_resolution_single", "single"), 0)
