"""How a row of the paper's tables is trained and tested: the `experiment` section of a preset.

Kept apart from the model's own configuration (config.py), which is all that a checkpoint stores.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from actseg_core.config import (
    EXPERIMENT_KEY,
    Config,
    FlowConfig,
    ModelConfig,
    Stream,
    preset_mapping,
)
from actseg_core.errors import ConfigError

TrainData = Literal["a2d_sentences", "a2d_pairs", "referit", "none"]
TestData = Literal["a2d_sentences", "a2d_pairs", "jhmdb_sentences"]


class StageConfig(Config):
    """One run of an optimiser; the defaults are the paper's training (section 3.4)."""

    name: str = "main"
    """What the stage is called in logs and checkpoints."""
    iterations: int = Field(15_000, ge=1, le=10_000_000)
    """Optimiser steps."""
    batch_size: int = Field(4, ge=1, le=1024)
    """Samples per step. [ours: the paper is silent; 10 in the baselines' public codes]"""
    optimiser: Literal["adam", "sgd"] = "adam"
    """Adam with its default moments, or SGD with the momentum below."""
    learning_rate: float = Field(1e-3, gt=0.0, le=10.0)
    """Step size at the start."""
    decay_every: int = Field(5_000, ge=0, le=10_000_000)
    """Steps after which the learning rate is multiplied by decay_factor; 0: never."""
    decay_factor: float = Field(0.1, gt=0.0, le=1.0)
    """What the learning rate is multiplied by."""
    momentum: float = Field(0.9, ge=0.0, lt=1.0)
    """Momentum of SGD."""
    weight_decay: float = Field(0.0, ge=0.0, le=1.0)
    """L2 penalty on weights, never on biases. It belongs to a loss that is a mean over pixels."""
    bias_rate: float = Field(1.0, ge=0.0, le=10.0)
    """Learning rate of the biases of convolutions and linear layers relative to the weights'."""
    response_weights: tuple[float, ...] = (1.0, 1.0, 1.0)
    """Weight of each response map's loss, coarse to fine: alpha_r of equation 3."""
    negative_weight: float = Field(1.0, gt=0.0, le=100.0)
    """Weight of background pixels in the loss relative to foreground ones."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if min(self.response_weights, default=-1.0) < 0.0 or not any(self.response_weights):
            raise ValueError("response_weights must not be negative, and one must be positive")
        return self

    def learning_rate_at(self, step: int) -> float:
        """Step size of optimiser step `step`, counted from 0."""
        drops = step // self.decay_every if self.decay_every else 0
        return self.learning_rate * self.decay_factor**drops


class ClassifierConfig(Config):
    """The multi-label classifier that proposes actor-action pairs (paper section 5.3)."""

    streams: tuple[Stream, ...] = ("rgb", "flow")
    """Input streams, an I3D each; their scores are averaged."""
    width: float = Field(1.0, gt=0.0, le=1.0)
    """Channel multiplier of I3D; 1 is the paper's network."""
    dropout: float = Field(0.5, ge=0.0, lt=1.0)
    """Probability of dropping a channel before the last layer in training. [ours: I3D's own]"""
    train_frames: int = Field(64, ge=1, le=256)
    """Frames of a random training clip."""
    test_frames: int = Field(32, ge=1, le=256)
    """Frames of each of the clips that cover a test video."""
    short_side_px: int = Field(256, ge=32, le=2048)
    """Videos are resized to this shorter side before cropping, as for Kinetics. [ours]"""
    crop_px: int = Field(224, ge=32, le=2048)
    """Side of the square crop: random in training, central in testing [ours]."""
    threshold: float = Field(0.5, ge=0.0, le=1.0)
    """Pairs with a confidence above this become queries."""
    stage: StageConfig = StageConfig(
        iterations=3_000, decay_every=0, batch_size=8, response_weights=(1.0,)
    )
    """Its training: Adam at a fixed 0.001 for 3,000 steps; batch size [ours]."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.streams or len(set(self.streams)) != len(self.streams):
            raise ValueError("streams must name rgb, flow or both, each once")
        if self.crop_px > self.short_side_px:
            raise ValueError("crop_px must not exceed short_side_px")
        return self


class PretrainConfig(Config):
    """Classification of clips cut out around one actor each, in place of Kinetics. [ours]"""

    name: str = "small"
    """What the weights are called."""
    streams: tuple[Stream, ...] = ("rgb", "flow")
    """Input streams; an I3D each, trained one after the other."""
    width: float = Field(0.25, gt=0.0, le=1.0)
    """Channel multiplier of I3D, as video.width of the network that will load the weights."""
    size: int = Field(96, ge=32, le=2048, multiple_of=16)
    """Side of the square into which videos are resized and padded [px], as of that network."""
    crop_px: int = Field(48, ge=16, le=2048)
    """Side of the square that is cut out around the actor [px]."""
    frames: int = Field(16, ge=1, le=64)
    """Frames per clip."""
    image_classes: int = Field(100, ge=7, le=4096)
    """VGG16 alone: channels of fc8, which is as many classes as it can tell apart. The baseline's
    visual_dim must be the same."""
    classes: Literal["pairs", "actions"] = "pairs"
    """Actor and action (43), or the action alone (9)."""
    flow: FlowConfig = FlowConfig()
    """Estimator of the flow stream's input; the network's must be the same."""
    iterations: int = Field(2_000, ge=1, le=10_000_000)
    """Optimiser steps."""
    batch_size: int = Field(16, ge=2, le=1024)
    """Clips per step; batch norms use the statistics of the batch."""
    learning_rate: float = Field(2e-3, gt=0.0, le=1.0)
    """Adam's highest step size; one cycle with cosine decay."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Probability of dropping a channel before the classifier."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Of initial weights, order, crops and mirroring."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """bf16-mixed computes convolutions in 16 bits, which some processors do twice as fast."""
    keep_clips: bool = False
    """Keep prepared clips in the run folder (1.8 MB each at 128 px), not to decode them again."""
    val_every: int = Field(0, ge=0, le=10_000_000)
    """Steps between two tests on held-out clips; 0: only at the end."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.streams or len(set(self.streams)) != len(self.streams):
            raise ValueError("streams must name rgb, flow or both, each once")
        if self.crop_px > self.size:
            raise ValueError("crop_px must not exceed size")
        return self

    def deciding(self) -> dict[str, Any]:
        """What decides the weights of one network, as plain values."""
        return self.model_dump(mode="json", exclude={"streams", "keep_clips", "val_every"})


class LiteTrainConfig(Config):
    """One phase of the default model's training (docs/lite.md). [ours]"""

    photos: tuple[str, ...] = ()
    """Folders of photographs in COCO format (instances.json, images/)."""
    held_out: str = ""
    """JSON list of the ids of those photographs of which every third is never trained on."""
    detector: str = ""
    """YOLOX-nano's public ONNX file."""
    cache: str = "runs/lite/features"
    """Folder of the features, computed once; empty folders are filled, full ones used again."""
    views: int = Field(2, ge=1, le=100)
    """Random views of each photograph."""
    repeat: int = Field(1, ge=1, le=100)
    """How often a photograph with more than one category's annotations counts."""
    pasted: float = Field(0.0, ge=0.0, le=1.0)
    """Share of views into which objects of another photograph are pasted."""
    permissive_only: bool = False
    """Only photographs whose licence allows commercial use."""
    start: str = ""
    """File of an earlier phase's masks to go on from; empty: random weights."""
    steps: int = Field(3000, ge=1, le=10_000_000)
    """Optimiser steps of the masks."""
    batch: int = Field(8, ge=1, le=1024)
    """Views per step."""
    rate: float = Field(2e-3, gt=0.0, le=1.0)
    """Peak learning rate."""
    shift: float = Field(0.03, ge=0.0, le=1.0)
    """How far boxes are moved in training: deviation, as a share of their sides."""
    resize: float = Field(0.06, ge=0.0, le=1.0)
    """How much their sides are changed: deviation of the logarithm."""
    own_share: float = Field(1.0, gt=0.0, le=1.0)
    """Weight of what this phase trained in the average with what it started from."""
    naming_steps: int = Field(1500, ge=1, le=1_000_000)
    """Optimiser steps of the naming network."""
    distill_steps: int = Field(400, ge=0, le=1_000_000)
    """Steps in which the two public networks are trained further, themselves the teachers."""
    joint_steps: int = Field(0, ge=0, le=1_000_000)
    """Steps at the end in which these and the masks are trained together."""
    threads: int = Field(1, ge=1, le=1024)
    """Threads of PyTorch."""
    seed: int = Field(1, ge=0, le=2**31 - 1)
    """Of views, draws and initial weights."""


class ExperimentConfig(Config):
    """What is needed beside the model to produce a row of a table."""

    train_on: TrainData = "a2d_sentences"
    """Training data; a2d_pairs: the 43 pair names take the place of sentences."""
    test_on: TestData = "a2d_sentences"
    """Data and metrics of the row."""
    start_from: str = ""
    """Preset whose trained checkpoint this row starts from; empty: pretrained encoders only."""
    stages: tuple[StageConfig, ...] = (StageConfig(),)
    """Training, one optimiser run after the other; empty where start_from is tested as it is."""
    classifier: ClassifierConfig | None = None
    """Proposer of pairs; only where the queries are the 43 pairs (Table 3)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.train_on == "none") != (not self.stages):
            raise ValueError("a row without training has train_on: none and stages: []")
        if not self.stages and not self.start_from:
            raise ValueError("a row without training must name the checkpoint in start_from")
        return self


def load_experiment(
    name: str, change: Mapping[str, Any] | None = None
) -> tuple[ModelConfig, ExperimentConfig]:
    """Model and experiment of a preset, by name or by the path of a YAML file.

    Args:
        name: Of the preset.
        change: Settings in place of the preset's, nested as in its YAML; a list replaces a list.

    Raises:
        ConfigError: If there is no such preset or file, its content is wrong, or a stage weighs
            another number of response maps than the model gives.
    """
    mapping = merged(preset_mapping(name), change or {})
    section = mapping.pop(EXPERIMENT_KEY, {})
    if not isinstance(section, dict):
        raise ConfigError(f"{EXPERIMENT_KEY} must hold `setting: value` lines, got {section!r}")
    model = ModelConfig.from_mapping(mapping)
    experiment = ExperimentConfig.from_mapping(section)
    for stage in experiment.stages if model.has_response_maps else ():
        if len(stage.response_weights) != (wanted := model.response_count):
            raise ConfigError(
                f"stage {stage.name!r} of {name} weighs {len(stage.response_weights)} response "
                f"maps, but {model.kind} gives {wanted}; set response_weights accordingly"
            )
    return model, experiment


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings, with the values of the second in place of the first's."""
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            value = merged(old, value)
        result[key] = value
    return result
