"""Every setting: its default, range and help text exist once, here.

YAML files, ROS parameters, command-line help and docs are read off these classes. Settings that
the paper leaves open say so with "[ours]" in their help text; docs/architecture.md gives reasons.
"""

import difflib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from actseg_core.errors import ConfigError

Stream = Literal["rgb", "flow"]
Runtime = Literal["auto", "torch", "torch_compile", "onnxruntime", "openvino", "tensorrt"]
CONFIG_FILE_LIMIT_BYTES = 1_000_000
EXPERIMENT_KEY = "experiment"  # beside the model's settings in a preset; see experiment.py


class Config(BaseModel):
    """Base of all settings: frozen, typed, and unknown keys refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Build from plain values.

        Raises:
            ConfigError: If a key is unknown (the nearest right one is named), a value is of the
                wrong type or out of range, or settings contradict each other.
        """
        try:
            return cls.model_validate(dict(mapping))
        except ValidationError as error:
            raise ConfigError(_explain(cls, error)) from None


def _explain(config: type[Config], error: ValidationError) -> str:
    """One line per problem: where, what came, what is allowed."""
    lines = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            known = _known_keys(config, item["loc"][:-1])
            near = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            lines.append(f"unknown setting {place!r}; {hint}")
        else:
            lines.append(f"{place or config.__name__}: {item['msg']}, got {item['input']!r}")
    return "; ".join(lines)


def _known_keys(config: type[Config], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        if isinstance(part, int):  # an item of a tuple, whose type was taken one step before
            continue
        annotation = config.model_fields[part].annotation
        for kind in (annotation, *get_args(annotation)):
            if isinstance(kind, type) and issubclass(kind, Config):
                config = kind
    return list(config.model_fields)


class TextConfig(Config):
    """From a sentence to one vector (paper section 3.1)."""

    encoder: Literal["conv", "lstm", "bilstm"] = "conv"
    """Sentence encoder; conv is the paper's choice, the others its ablation (section 5.1)."""
    vectors: str = "glove+spacy"
    """Word vectors: glove (50-d), spacy (300-d), glove+spacy (350-d), or a file (.bin/.txt)."""
    word_dim: int = Field(350, ge=1, le=4096)
    """Width of a word vector; 300 for GoogleNews word2vec as in the paper."""
    sentence_dim: int = Field(300, ge=1, le=4096)
    """Width of the sentence vector; 300 in the paper, 1000 for its LSTM ablation."""
    max_words: int = Field(20, ge=2, le=64)
    """Longest sentence in words; A2D Sentences' longest has exactly 20."""
    kernel: int = Field(2, ge=1, le=5)
    """Temporal filter size of the conv encoder (paper: 2)."""
    lowercase: bool = True
    """Look words up in lower case. [ours]"""


class VideoConfig(Config):
    """From a clip to the visual representation (paper section 3.2)."""

    width: float = Field(1.0, gt=0.0, le=1.0)
    """Channel multiplier of I3D; 1 is the paper's network."""
    endpoint: Literal["Mixed_4f"] = "Mixed_4f"
    """Last layer of the encoder: the one before I3D's last max-pooling."""
    l2_normalise: bool = True
    """L2-normalise over channels at every location of the encoder's output."""
    coordinates: bool = True
    """Append the 8 spatial coordinate channels of Hu et al. at every resolution."""
    trainable: Literal["last_block", "all", "none"] = "last_block"
    """Which encoder layers train; the paper finetunes only the last inception block."""
    batch_statistics: bool = False
    """Use batch statistics in trainable batch norms while training. [ours: off]"""


class DecoderConfig(Config):
    """From features and sentence to response maps (paper section 3.3)."""

    channels: tuple[int, int] = (256, 128)
    """Channels after the first and second deconvolution block. [ours]"""
    activation: Literal["none", "relu"] = "none"
    """Activation inside a deconvolution block. [ours: none]"""
    filter_activation: Literal["tanh", "sigmoid"] = "tanh"
    """Activation of the dynamic filter; tanh is equation 1."""
    l2_upsampled: bool = False
    """L2-normalise the upsampled features, too. [ours: off]"""
    multi_resolution: bool = True
    """Answer and train at all three resolutions (section 5.1), not at the highest alone."""


class BaselineConfig(Config):
    """The image models that the paper compares with: Hu et al. [6] and Li et al. [15]."""

    width: float = Field(1.0, gt=0.0, le=1.0)
    """Channel multiplier of VGG16; 1 is the published network."""
    visual_dim: int = Field(1000, ge=1, le=4096)
    """Channels of fc8, the last layer of VGG16."""
    embed_dim: int = Field(1000, ge=1, le=4096)
    """Width of the trained word embedding that the LSTM reads."""
    hidden_dim: int = Field(500, ge=1, le=4096)
    """Channels between the two 1x1 convolutions of Hu et al."""
    trainable: Literal["fc", "all", "none"] = "fc"
    """Which VGG16 layers train; both public codes freeze conv1 to conv5 and train fc6 to fc8."""


class FlowConfig(Config):
    """Optical flow (the flow stream's input, and what moves masks between windows)."""

    estimator: Literal["dis", "tvl1", "farneback"] = "dis"
    """TV-L1 is what I3D's Kinetics flow weights saw; DIS is the fast choice."""
    clip_px: float = Field(20.0, gt=0.0, le=1000.0)
    """Larger displacements [px] are clipped, then the field is scaled to [-1, 1]."""
    ego_motion: bool = False
    """Subtract the dominant homography (camera motion) from the field. [ours]"""
    quantise: bool = False
    """Clip and round the field to the 256 levels that Kinetics' stored flow had."""


class RuntimeConfig(Config):
    """What runs the network. [ours]"""

    runtime: Runtime = "auto"
    """auto: the fastest that is installed and answers as PyTorch does; see docs/runtimes.md."""
    threads: int = Field(0, ge=0, le=1024)
    """Threads of the network on a CPU; 0: the cores, or OMP_NUM_THREADS where that is set."""
    half: bool = False
    """Compute in 16 bits (openvino, tensorrt, torch on cuda): faster there, but not exact."""


class PresenceConfig(Config):
    """From a response map to the probability that the described actor is there. [ours]"""

    temperature: float = Field(1.0, gt=0.0, le=1000.0)
    """Divides the presence score."""
    bias: float = Field(0.0, ge=-1000.0, le=1000.0)
    """Subtracted from the presence score before the temperature."""
    threshold: float = Field(0.5, ge=0.0, le=1.0)
    """Below this confidence the answer is NOT_FOUND with an empty mask."""


GONE_KINDS = ("lite",)
GONE_SETTINGS = ("lite",)
"""The two-stream streaming network's; older files store the settings of networks of every kind."""


def without_gone(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored model's settings without those of networks that this version does not have."""
    return {name: value for name, value in stored.items() if name not in GONE_SETTINGS}


class ModelConfig(Config):
    """One network, complete; stored in its checkpoint."""

    name: str = "paper"
    """Name of the preset or table row."""
    row: str = ""
    """The row of the paper's tables that it stands for; empty for ours."""
    kind: Literal["actor_action", "hu", "li", "objects"] = "actor_action"
    """actor_action is the paper's model, hu and li its baselines, objects our default."""
    streams: tuple[Stream, ...] = ("rgb", "flow")
    """Input streams; with two, their response maps are averaged with the weights below."""
    frames: int = Field(16, ge=1, le=64)
    """Frames per clip, the paper's N."""
    label_frame: Literal["centre", "newest"] = "centre"
    """The frame that the mask belongs to: the paper's middle frame N//2, or the newest."""
    size: int = Field(512, ge=32, le=2048, multiple_of=16)
    """Side S of the square network input [px]; responses are at S/16, S/4 and S."""
    text: TextConfig = TextConfig()
    video: VideoConfig = VideoConfig()
    decoder: DecoderConfig = DecoderConfig()
    baseline: BaselineConfig = BaselineConfig()
    flow: FlowConfig = FlowConfig()
    rgb_weight: float = Field(2.0, ge=0.0, le=100.0)
    """Weight of the RGB response map in the fusion (paper: twice the flow's)."""
    flow_weight: float = Field(1.0, ge=0.0, le=100.0)
    """Weight of the flow response map in the fusion."""
    threshold: float = Field(0.0, ge=-100.0, le=100.0)
    """A pixel belongs to the mask where the fused response (a logit) exceeds this. [ours]"""
    threshold_mode: Literal["absolute", "relative_max"] = "absolute"
    """relative_max: sigmoid above half of its maximum, never empty (later papers' rule)."""
    presence: PresenceConfig = PresenceConfig()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.streams or len(set(self.streams)) != len(self.streams):
            raise ValueError("streams must name rgb, flow or both, each once")
        if self.is_baseline and (self.streams != ("rgb",) or self.frames != 1):
            raise ValueError(f"{self.kind} reads one RGB frame: set streams: [rgb], frames: 1")
        if self.is_baseline and self.size % 32:
            raise ValueError(f"{self.kind} answers at stride 32: set size to a multiple of 32")
        if self.kind == "objects" and (
            self.streams != ("rgb",) or self.size % 32 or self.label_frame != "newest"
        ):
            raise ValueError(
                "objects reads RGB and labels the newest frame: set streams: [rgb], "
                "label_frame: newest, size to a multiple of 32"
            )
        if self.is_baseline and self.text.encoder != "lstm":
            raise ValueError(f"{self.kind} reads sentences with an LSTM: set text.encoder: lstm")
        return self

    @classmethod
    def from_stored(cls, mapping: Mapping[str, Any]) -> Self:
        """The configuration that a weight file or an exported folder holds, of any age.

        Raises:
            ConfigError: As `from_mapping`, and if the file is of a network that is gone.
        """
        stored = dict(mapping)
        if stored.get("kind") in GONE_KINDS:
            raise ConfigError(
                f"kind {stored['kind']!r} is the two-stream streaming network, which this version "
                "no longer has; take preset lite, whose weights ship with the package, or train "
                "another network (docs/training.md)"
            )
        return cls.from_mapping(without_gone(stored))

    @property
    def is_baseline(self) -> bool:
        """Whether it is one of the image models that the paper compares with."""
        return self.kind in ("hu", "li")

    @property
    def has_response_maps(self) -> bool:
        """Whether it answers by response maps, as the paper's network; else from objects."""
        return self.kind != "objects"

    @property
    def response_count(self) -> int:
        """Number of response maps that it answers and trains with."""
        if self.kind == "actor_action":
            return 3 if self.decoder.multi_resolution else 1
        return 2 if self.is_baseline else 0

    @property
    def trainable(self) -> str:
        """Which layers of its encoder train: of video or baseline, whichever it reads."""
        return self.baseline.trainable if self.is_baseline else self.video.trainable

    @property
    def label_index(self) -> int:
        """Index of the labelled frame in the clip; 8 of 16 in the paper's setting."""
        return self.frames // 2 if self.label_frame == "centre" else self.frames - 1


class StreamConfig(Config):
    """How a camera becomes windows of frames, and how often they are answered."""

    stride_frames: int = Field(1, ge=1, le=64)
    """New frames between two answers of the network."""
    mask_threshold: float = Field(-1.0, ge=-1.0, lt=1.0)
    """Probability above which a pixel belongs to the mask; negative: as the model says."""
    min_confidence: float = Field(-1.0, ge=-1.0, le=1.0)
    """Below this confidence the answer is NOT_FOUND; negative: as the model says."""
    mask_frame: Literal["labelled", "newest"] = "labelled"
    """Frame that masks are given for: the one that the network labels, or every newest one, to
    which the last answer is moved along the flow."""
    background: bool = False
    """With mask_frame newest: encode windows in a thread of their own while frames go on."""
    max_moved_s: float = Field(2.0, gt=0.0, le=600.0)
    """Masks are moved along the flow until this long [s] after the end of their window."""
    max_gap_s: float = Field(0.5, gt=0.0, le=1e7)
    """A longer time between two frames [s] empties the window."""
    max_age_s: float = Field(1.0, gt=0.0, le=600.0)
    """A mask older than this [s] at publication is withheld and OVERLOADED reported."""
    stale_after_s: float = Field(0.5, gt=0.0, le=60.0)
    """After this silence of the camera [s] the state is STALE_INPUT."""
    slow_camera_intervals: float = Field(2.5, ge=0.0, le=100.0)
    """max_gap_s and stale_after_s are at least so many intervals of the camera, so that a slow one
    is served; 0: never more than they say."""
    max_queries: int = Field(16, ge=1, le=256)
    """Sentences that may be active at once."""
    max_sentence_chars: int = Field(512, ge=1, le=10_000)
    """Longer commands are refused and the old query kept."""
    max_pixels: int = Field(40_000_000, ge=1, le=1_000_000_000)
    """Larger images are refused before anything is allocated."""
    queue_frames: int = Field(2, ge=1, le=64)
    """Frames that wait for the worker; when full the oldest is dropped and counted."""


class OverlayConfig(Config):
    """How masks and sentences are drawn over the camera image."""

    opacity: float = Field(0.45, ge=0.0, le=1.0)
    """Of the tint over a mask; 0: the outline alone."""
    outline_px: int = Field(0, ge=0, le=100)
    """Width of a mask's outline [px]; 0: a 240th of the image's height, 1 at least."""
    captions: bool = True
    """Write each sentence and its confidence into the upper left corner."""
    evidence: bool = False
    """Write behind each caption what each part of the sentence speaks for the actor, in log-odds,
    the words that played no part, and those that nobody knows."""
    jpeg_quality: int = Field(90, ge=1, le=100)
    """Of the compressed overlay."""


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping from a YAML file.

    Raises:
        ConfigError: If the file is missing, too large, not YAML, or not a mapping.
    """
    try:
        if path.stat().st_size > CONFIG_FILE_LIMIT_BYTES:
            raise ConfigError(f"{path} is larger than {CONFIG_FILE_LIMIT_BYTES} bytes")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"cannot read the configuration {path}: {reason}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold `setting: value` lines, got {type(content).__name__}")
    return content


def preset_names() -> list[str]:
    """Names of the model configurations that ship with the package."""
    folder = resources.files("actseg_core") / "configs"
    return sorted(
        item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")
    )


def load_preset(name: str) -> ModelConfig:
    """A model configuration by preset name or by the path of a YAML file.

    Raises:
        ConfigError: If there is no such preset or file, or its content is wrong.
    """
    mapping = preset_mapping(name)
    mapping.pop(EXPERIMENT_KEY, None)
    return ModelConfig.from_mapping(mapping)


def preset_mapping(name: str) -> dict[str, Any]:
    """The plain content of a preset: the model's settings and, optionally, `experiment`.

    Raises:
        ConfigError: If there is no such preset or file, or it cannot be read.
    """
    if name.endswith((".yaml", ".yml")):
        return load_yaml(Path(name))
    if name not in preset_names():
        raise ConfigError(
            f"there is no preset {name!r}; choose one of {', '.join(preset_names())}, "
            "or give the path of a .yaml file"
        )
    return load_yaml(Path(str(resources.files("actseg_core") / "configs" / f"{name}.yaml")))
