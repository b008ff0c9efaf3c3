from pathlib import Path

import pytest
import torch

from actseg_core.config import DecoderConfig, ModelConfig, TextConfig, load_preset, preset_names
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import (
    ClassifierConfig,
    ExperimentConfig,
    StageConfig,
    load_experiment,
)
from actseg_core.networks.two_stream import build_stream

OURS = {"lite", "paper"}
ROWS = sorted(set(preset_names()) - OURS)
SAME_NETWORK = (
    (
        "table1_rgb",
        "ablation_frames_16",
        "ablation_text_conv",
        "ablation_resolution_multi",
        "ablation_stream_rgb",
    ),
    ("table1_rgb_flow", "ablation_stream_rgb_flow", "table2_rgb_flow", "table3_pairs"),
    ("table1_hu", "table1_hu_tuned", "table2_hu"),
    ("table1_li", "table1_li_tuned", "table2_li"),
)


def write(folder: Path, text: str) -> str:
    path = folder / "row.yaml"
    path.write_text(text)
    return str(path)


def network(name: str) -> ModelConfig:
    return load_preset(name).model_copy(update={"name": "", "row": ""})


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_and_is_named_as_its_file(name: str) -> None:
    model, _ = load_experiment(name)
    assert model == load_preset(name)
    assert model.name == name


def test_every_row_of_the_tables_and_ablations_has_one_preset() -> None:
    rows = [load_preset(name).row for name in ROWS]
    assert all(rows)
    assert len(set(rows)) == len(rows) == 22
    sections = [row.split(",")[0] for row in rows]
    assert sections.count("Table 1") == 6
    assert sections.count("Table 2") == 3
    assert sections.count("Table 3") == 1
    assert sections.count("Section 5.1") == 4 + 3 + 2 + 3


@pytest.mark.parametrize("names", SAME_NETWORK, ids=lambda names: names[0])
def test_rows_of_one_network_agree_in_every_setting(names: tuple[str, ...]) -> None:
    assert len({network(name).model_dump_json() for name in names}) == 1


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("ablation_frames_1", ("frames",), 1),
        ("ablation_frames_4", ("frames",), 4),
        ("ablation_frames_8", ("frames",), 8),
        ("ablation_text_lstm", ("text", "encoder"), "lstm"),
        ("ablation_text_lstm", ("text", "sentence_dim"), 1000),
        ("ablation_text_bilstm", ("text", "encoder"), "bilstm"),
        ("ablation_resolution_single", ("decoder", "multi_resolution"), False),
        ("ablation_stream_flow", ("streams",), ["flow"]),
        ("ablation_stream_flow", ("flow", "estimator"), "tvl1"),
        ("table1_rgb_flow", ("rgb_weight",), 2.0),
        ("table1_rgb_flow", ("flow_weight",), 1.0),
    ],
)
def test_an_ablation_changes_what_its_row_says(
    name: str, setting: tuple[str, ...], value: object
) -> None:
    found = load_preset(name).model_dump(mode="json")
    for key in setting:
        found = found[key]
    assert found == value


def test_the_papers_training_is_the_default() -> None:
    (stage,) = load_experiment("table1_rgb")[1].stages
    assert stage.optimiser == "adam"
    assert stage.weight_decay == 0.0
    assert stage.response_weights == (1.0, 1.0, 1.0)
    rates = [stage.learning_rate_at(step) for step in (0, 4_999, 5_000, 10_000, 14_999)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-5, 1e-5])
    assert stage.iterations == 15_000


def test_hu_trains_at_low_then_at_high_resolution_with_lighter_negatives() -> None:
    _, experiment = load_experiment("table1_hu")
    low, high = experiment.stages
    assert experiment.train_on == "referit"
    assert (low.optimiser, low.iterations, low.response_weights) == ("sgd", 30_000, (1.0, 0.0))
    assert (high.optimiser, high.iterations, high.response_weights) == ("sgd", 18_000, (0.0, 1.0))
    assert (low.negative_weight, high.negative_weight) == (1.0, pytest.approx(1 / 3))
    assert low.learning_rate_at(29_999) == pytest.approx(1e-4)
    assert high.learning_rate_at(6_000) == pytest.approx(1e-3)


def test_lis_weight_decay_is_caffes_for_a_sum_over_pixels() -> None:
    low, high = load_experiment("table1_li")[1].stages
    assert low.weight_decay * 16**2 == pytest.approx(5e-4)
    assert high.weight_decay * 512**2 == pytest.approx(5e-4)
    assert low.learning_rate_at(29_999) == 1e-3
    assert high.learning_rate_at(24_999) == 1e-4


@pytest.mark.parametrize("name", ROWS)
def test_a_row_starts_from_a_preset_of_the_same_network(name: str) -> None:
    start = load_experiment(name)[1].start_from
    if start:
        assert network(start) == network(name)
        assert load_experiment(start)[1].stages


def test_table_2_tests_the_finetuned_models_without_training() -> None:
    for name, start in (("hu", "hu_tuned"), ("li", "li_tuned"), ("rgb_flow", "rgb_flow")):
        _, experiment = load_experiment(f"table2_{name}")
        assert experiment.start_from == f"table1_{start}"
        assert experiment.test_on == "jhmdb_sentences"
        assert experiment.stages == ()


def test_table_3_proposes_pairs_as_section_5_3_says() -> None:
    _, experiment = load_experiment("table3_pairs")
    classifier = experiment.classifier
    assert classifier is not None
    assert (classifier.train_frames, classifier.test_frames) == (64, 32)
    assert (classifier.crop_px, classifier.threshold) == (224, 0.5)
    assert classifier.stage.iterations == 3_000
    assert classifier.stage.learning_rate_at(2_999) == 1e-3


SMALL_TEXT = TextConfig(encoder="lstm", word_dim=4, sentence_dim=6)


@pytest.mark.parametrize(
    "model",
    [
        ModelConfig(kind="hu", streams=("rgb",), frames=1, size=32, text=SMALL_TEXT),
        ModelConfig(kind="li", streams=("rgb",), frames=1, size=32, text=SMALL_TEXT),
        ModelConfig(streams=("rgb",), frames=1, size=32),
        ModelConfig(
            streams=("rgb",), frames=1, size=32, decoder=DecoderConfig(multi_resolution=False)
        ),
    ],
)
def test_response_count_is_what_the_network_gives(model: ModelConfig) -> None:
    with torch.device("meta"), torch.no_grad():
        stream = build_stream(model, "rgb").eval()
        features = stream.encode(torch.zeros(1, 3, 1, 32, 32))
        responses = stream.respond(features, torch.zeros(1, model.text.sentence_dim))
    assert model.response_count == len(responses)


def test_a_preset_without_the_section_trains_as_the_paper_does(tmp_path: Path) -> None:
    model, experiment = load_experiment(write(tmp_path, "name: mine\n"))
    assert model.name == "mine"
    assert experiment == ExperimentConfig()


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("3", "experiment must hold `setting: value` lines, got 3"),
        ("{stage: []}", "unknown setting 'stage'; did you mean 'stages'"),
        ("{stages: [{iteration: 1}]}", "'stages.0.iteration'; did you mean 'iterations'"),
        ("{classifier: {crop: 1}}", "'classifier.crop'; did you mean 'crop_px'"),
        ("{train_on: none}", "train_on: none and stages: \\[\\]"),
        ("{train_on: none, stages: []}", "must name the checkpoint in start_from"),
        ("{stages: [{response_weights: [1.0]}]}", "weighs 1 response maps, .* gives 3; set"),
        ("{stages: [{response_weights: [0.0, 0.0, 0.0]}]}", "one must be positive"),
        ("{stages: [{response_weights: [1.0, -1.0, 0.0]}]}", "must not be negative"),
    ],
)
def test_wrong_sections_are_refused_with_the_way_out(
    tmp_path: Path, section: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_experiment(write(tmp_path, f"name: mine\nexperiment: {section}\n"))


def test_the_model_alone_can_be_read_from_a_preset_with_a_section(tmp_path: Path) -> None:
    assert load_preset(write(tmp_path, "name: mine\nexperiment: {test_on: x}\n")).name == "mine"


def test_a_constant_learning_rate() -> None:
    assert StageConfig(decay_every=0).learning_rate_at(10**6) == 1e-3


def test_a_crop_larger_than_the_resized_video_is_refused() -> None:
    with pytest.raises(ConfigError, match="crop_px must not exceed short_side_px"):
        ClassifierConfig.from_mapping({"crop_px": 300})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 48}, "answers at stride 32: set size to a multiple of 32"),
        ({"text": {"encoder": "conv"}}, "set text.encoder: lstm"),
        ({"frames": 16}, "reads one RGB frame"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    base = {"kind": "hu", "streams": ["rgb"], "frames": 1, "text": {"encoder": "lstm"}}
    with pytest.raises(ConfigError, match=message):
        ModelConfig.from_mapping(base | change)
