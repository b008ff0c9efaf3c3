"""What a benchmark measures: settings, networks, and pictures of a camera."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.checkpoints.stored import checkpoint_path
from actseg_core.config import Config, FlowConfig, ModelConfig, RuntimeConfig, load_preset
from actseg_core.errors import ConfigError, VideoError
from actseg_core.generator import SceneConfig, render_clip
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.predictor import Predictor
from actseg_core.predictor.in_torch import make_predictor
from actseg_core.text.sentence import SentenceReader, load_reader
from actseg_core.types import Frame
from actseg_core.video import read_video

SENTENCES = (
    *("person walking", "dog running", "person in red", "car driving on the left"),
    *("cat jumping", "bird flying", "ball rolling", "baby crawling"),
    *("man on the right", "woman in blue", "person on the left", "small dog"),
    *("person running", "white cat", "the tall man standing", "big brown dog eating"),
)
PERIOD_NS = 33_333_333
PICTURES = 48
HEIGHT, WIDTH = 480, 640


class BenchConfig(Config):
    """What a run measures, and how long; `quick` has a shorter set."""

    model: str = "lite"
    """Preset with weights, or a .safetensors file, of the default model's kind."""
    sentences: tuple[int, ...] = (1, 4, 16)
    """Numbers of active sentences."""
    frames: int = Field(200, ge=10, le=1_000_000)
    """Measured frames per case."""
    calls: int = Field(40, ge=3, le=100_000)
    """Calls per measured stage."""
    naive_frames: int = Field(5, ge=1, le=10_000)
    """Frames for which the naive version is timed."""
    paper: bool = True
    """Also measure the paper's network, with random weights: they do not change its speed."""
    paper_size: int = Field(160, ge=64, le=1024, multiple_of=16)
    """Side of its input [px]."""
    paper_windows: int = Field(8, ge=2, le=10_000)
    """Windows per runtime."""
    paper_seconds: float = Field(10.0, ge=1.0, le=3600.0)
    """Time for which its masks are moved along the flow."""
    camera_hz: float = Field(30.0, ge=1.0, le=1000.0)
    """Rate of the camera for that."""
    soak_frames: int = Field(0, ge=0, le=100_000_000)
    """Frames of the test of memory; 0: none."""

    def quick(self) -> "BenchConfig":
        """A run of about a minute: fewer sentences and calls, the same parts."""
        return self.model_copy(
            update={
                "sentences": (1, 4),
                "frames": 40,
                "calls": 10,
                "naive_frames": 2,
                "paper_windows": 2,
                "paper_seconds": 4.0,
            }
        )


def streamed(name: str, runtime: RuntimeConfig) -> Predictor:
    """An objects model as the node runs it.

    Raises:
        BackendError: If the named runtime cannot be used.
        CheckpointError: If there is no such preset or file, or it does not fit.
        ConfigError: If it is another network.
    """
    found = Predictor.load(name, runtime=runtime)
    if found.config.has_response_maps:
        raise ConfigError(
            f"{name} is a network of kind {found.config.kind}; the benchmark streams the "
            "default model and measures the paper's beside it, without weights"
        )
    return found


def layer_by_layer(name: str) -> Predictor:
    """The same weights run by PyTorch, layer by layer."""
    checkpoint = load_checkpoint(checkpoint_path(name))
    reader = load_reader(checkpoint.config.text, checkpoint.words)
    return make_predictor(checkpoint.model, reader)


@dataclass(frozen=True)
class PaperNetwork:
    """The paper's network with random weights, from which predictors are made.

    Attributes:
        config: Its size is the benchmark's.
        weights: Of this network.
        reader: Of its vocabulary.
    """

    config: ModelConfig
    weights: Network
    reader: SentenceReader

    def predictor(self, runtime: RuntimeConfig | None) -> Predictor:
        """Without a runtime by PyTorch, layer by layer."""
        return make_predictor(self.weights, self.reader, runtime=runtime)


def paper(size: int) -> PaperNetwork:
    """At a size [px], on the flow that is fast enough for a camera."""
    changes = {"flow": FlowConfig(estimator="dis"), "size": size}
    config = load_preset("paper").model_copy(update=changes)
    return PaperNetwork(config, build_model(config).eval(), load_reader(config.text))


def pictures(video: Path | None, count: int = PICTURES) -> list[NDArray[np.uint8]]:
    """The first pictures of a video, or of a generated clip of 640x480.

    Raises:
        VideoError: If the video cannot be read or has fewer than two pictures.
    """
    if video is None:
        scene = SceneConfig(frames=count, height=HEIGHT, width=WIDTH, camera="moving")
        return list(render_clip(0, scene).frames)
    found = [item.image for item in itertools.islice(read_video(video), count)]
    if len(found) < 2:
        raise VideoError(f"{video} has {len(found)} pictures; a clip of two or more is wanted")
    return found


def play(
    images: Sequence[NDArray[np.uint8]], count: int, rate_hz: float = 0.0, first: int = 0
) -> Iterator[Frame]:
    """So many frames of an endless camera at 30 Hz by its stamps.

    Args:
        images: Shown forwards, then backwards, so that motion never jumps.
        count: Frames.
        rate_hz: Rate in real time; 0: as fast as they are taken. A late taker misses none.
        first: Number of the first frame.
    """
    order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
    start_s = time.perf_counter()
    for index in range(count):
        if rate_hz:
            time.sleep(max(0.0, start_s + index / rate_hz - time.perf_counter()))
        number = first + index
        yield Frame(images[order[number % len(order)]], (number + 1) * PERIOD_NS, "bench", number)
