"""What is trained and what is measured, derived from the presets of the paper's rows.

Every row is measured by networks of one stream each: the two streams of a row share no weight and
each is trained on its own responses (section 5.1 averages them afterwards), so a fused row needs
no training of its own. Rows that train the same network on the same data share one training.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from actseg_core.config import (
    EXPERIMENT_KEY,
    ModelConfig,
    Stream,
    load_preset,
    preset_mapping,
)
from actseg_core.errors import ConfigError
from actseg_core.evaluation.datasets import TEST_DATA
from actseg_core.evaluation.paper_tables import Kind
from actseg_core.experiment_config import ExperimentConfig, merged
from actseg_core.experiments.scale import AblationScale

Queries = Literal["", "given", "all", "picks"]
KEY_DIGITS = 10
NOT_TRAINED = (
    "name",
    "row",
    "rgb_weight",
    "flow_weight",
    "threshold",
    "threshold_mode",
    "presence",
)


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        preset: That stands for it.
        label: Its first cell.
        queries: Which of the 43 pairs are asked: those of the annotation, all of them, or the
            classifier's picks; empty for sentences.
    """

    preset: str
    label: str
    queries: Queries = ""


SETS: dict[str, tuple[Row, ...]] = {
    "frames": tuple(Row(f"ablation_frames_{count}", f"N = {count}") for count in (1, 4, 8, 16)),
    "text": (
        Row("ablation_text_conv", "1D convolution"),
        Row("ablation_text_lstm", "LSTM"),
        Row("ablation_text_bilstm", "bidirectional LSTM"),
    ),
    "resolution": (
        Row("ablation_resolution_multi", "multi-resolution loss"),
        Row("ablation_resolution_single", "single resolution"),
    ),
    "streams": (
        Row("ablation_stream_rgb", "RGB"),
        Row("ablation_stream_flow", "Flow"),
        Row("ablation_stream_rgb_flow", "RGB and Flow, 2:1"),
    ),
    "baselines": (
        Row("table1_hu_tuned", "Hu et al."),
        Row("table1_li_tuned", "Li et al."),
        Row("table1_rgb", "This paper: RGB"),
        Row("table1_rgb_flow", "This paper: RGB + Flow"),
    ),
    "transfer": (
        Row("table2_hu", "Hu et al."),
        Row("table2_li", "Li et al."),
        Row("table2_rgb_flow", "This paper"),
    ),
    "pairs": (
        Row("table3_pairs", "the classifier's picks", "picks"),
        Row("table3_pairs", "all 43 pairs asked", "all"),
        Row("table3_pairs", "pairs of the annotation", "given"),
    ),
}


@dataclass(frozen=True)
class Training:
    """A network of one stream and how it is trained, for one seed.

    Attributes:
        model: Complete configuration.
        experiment: Data and stages.
        seed: Of data order and initial weights.
    """

    model: ModelConfig
    experiment: ExperimentConfig
    seed: int

    @property
    def name(self) -> str:
        """Folder of the training: its network in short and a digest of everything in it."""
        return f"{self.title}-{self.digest}/seed_{self.seed}"

    @property
    def title(self) -> str:
        """The network in short."""
        if self.model.is_baseline:
            return self.model.kind
        loss = "" if self.model.decoder.multi_resolution else "_single"
        asked = "_pairs" if self.experiment.train_on == "a2d_pairs" else ""
        return f"{self.model.streams[0]}{self.model.frames}_{self.model.text.encoder}{loss}{asked}"

    @property
    def digest(self) -> str:
        """Of all settings but those that do not change what is trained."""
        content = self.mapping()
        unread = ["video", "decoder"] if self.model.is_baseline else ["baseline"]
        unread += ["flow"] if self.model.streams == ("rgb",) else []
        for name in (*NOT_TRAINED, *unread):
            del content[name]
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]

    def mapping(self) -> dict[str, Any]:
        """Plain content of a preset file that trains it."""
        content = self.model.model_dump(mode="json")
        return content | {EXPERIMENT_KEY: self.experiment.model_dump(mode="json")}


@dataclass(frozen=True)
class Cell:
    """One measurement of a row.

    Attributes:
        row: Of the table.
        model: The whole network, fused where it has two streams.
        trainings: One per stream of the network.
        kind: Data that it is measured on.
        seed: Of its trainings.
    """

    row: Row
    model: ModelConfig
    trainings: tuple[Training, ...]
    kind: Kind
    seed: int

    @property
    def name(self) -> str:
        """Folder of the measurement; rows that measure the same thing have the same."""
        network = self.trainings[0].name
        if len(self.trainings) > 1:
            network = f"fused-{'-'.join(it.digest for it in self.trainings)}/seed_{self.seed}"
        return "/".join(part for part in (network, self.kind, self.row.queries) if part)


@dataclass(frozen=True)
class Plan:
    """Everything to do, in the order in which it is best done.

    Attributes:
        cells: By seed, then by set.
        trainings: Without repeats, in the order in which the cells need them.
    """

    cells: tuple[Cell, ...]
    trainings: tuple[Training, ...] = field(init=False)

    def __post_init__(self) -> None:
        unique: dict[str, Training] = {}
        for cell in self.cells:
            for training in cell.trainings:
                unique.setdefault(training.name, training)
        object.__setattr__(self, "trainings", tuple(unique.values()))


def make_plan(scale: AblationScale, sets: Iterable[str], seeds: int) -> Plan:
    """All cells of some sets; the first seed of everything comes before the second.

    Raises:
        ConfigError: If a set is unknown, or the scale does not fit a preset.
    """
    chosen = list(sets) or list(SETS)
    for name in chosen:
        if name not in SETS:
            raise ConfigError(f"there is no set {name!r}; give some of {', '.join(SETS)}")
    return Plan(
        tuple(
            make_cell(scale, row, seed)
            for seed in range(seeds)
            for name in chosen
            for row in SETS[name]
            if row.queries != "picks" or scale.classifier
        )
    )


def make_cell(scale: AblationScale, row: Row, seed: int) -> Cell:
    """A row at a scale.

    Raises:
        ConfigError: If the scale does not fit the preset.
    """
    model, experiment = derive(scale, row.preset)
    kind = TEST_DATA[experiment.test_on]
    while experiment.train_on == "none":  # Table 2 tests the checkpoints of Table 1
        experiment = derive(scale, experiment.start_from)[1]
    trainings = tuple(_training(model, experiment, stream, seed) for stream in model.streams)
    return Cell(row, model, trainings, kind, seed)


def _training(
    model: ModelConfig, experiment: ExperimentConfig, stream: Stream, seed: int
) -> Training:
    """One stream of a row, with everything left out that its training does not depend on."""
    own = model.model_copy(update={"name": "", "row": "", "streams": (stream,)})
    test_on = "a2d_pairs" if experiment.train_on == "a2d_pairs" else "a2d_sentences"
    plain = experiment.model_copy(update={"classifier": None, "test_on": test_on})
    training = Training(own, plain, seed)
    named = own.model_copy(update={"name": training.title})
    return Training(named, plain, seed)


def derive(scale: AblationScale, preset: str) -> tuple[ModelConfig, ExperimentConfig]:
    """Model and experiment of a preset at a scale.

    Raises:
        ConfigError: If the scale does not fit the preset.
    """
    mapping = preset_mapping(preset)
    experiment = ExperimentConfig.from_mapping(mapping.pop(EXPERIMENT_KEY, {}))
    mapping = merged(mapping, scale.model)
    if load_preset(preset).is_baseline:
        mapping = merged(mapping, scale.baseline_model)
        if scale.baseline_stages and experiment.stages:
            changes = {"stages": scale.baseline_stages, "start_from": ""}
            experiment = experiment.model_copy(update=changes)
    else:
        stages = [merged(item.model_dump(), scale.stage) for item in experiment.stages]
        experiment = ExperimentConfig.from_mapping(experiment.model_dump() | {"stages": stages})
    model = ModelConfig.from_mapping(mapping)
    for stage in experiment.stages:
        if len(stage.response_weights) != model.response_count:
            raise ConfigError(
                f"scale {scale.name!r} weighs {len(stage.response_weights)} response maps in "
                f"stage {stage.name!r} of {preset}, but it gives {model.response_count}; leave "
                "response_weights out of the scale's stage"
            )
    return model, experiment
