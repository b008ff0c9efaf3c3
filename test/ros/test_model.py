"""Loading and trying out a model before the first camera frame."""

from pathlib import Path
from typing import Any

import pytest

from actseg_core.config import StreamConfig
from actseg_core.errors import ActSegError, CheckpointError
from actseg_ros.model import load_model, warm_up
from actseg_ros.settings import SegmentationConfig


def test_a_checkpoint_is_loaded_tried_out_and_left_empty(checkpoint: Path) -> None:
    config = SegmentationConfig(checkpoint=str(checkpoint))
    model = load_model(config, StreamConfig())
    assert model.name == "small"
    assert model.engines[0].filled == 0
    assert not model.engines[0].answer()
    assert model.read("the red square").is_known


def test_a_preset_that_does_not_exist_is_named() -> None:
    with pytest.raises(CheckpointError, match="there is no preset or checkpoint 'nope'"):
        load_model(SegmentationConfig(preset="nope"), StreamConfig())


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(CheckpointError, match="text.safetensors is not a readable"):
        load_model(SegmentationConfig(checkpoint=str(path)), StreamConfig())


def test_a_device_that_does_not_exist_is_named(checkpoint: Path) -> None:
    config = SegmentationConfig(checkpoint=str(checkpoint), device="toaster")
    with pytest.raises(ActSegError, match="on device 'toaster': .*; try device: cpu") as error:
        load_model(config, StreamConfig())
    assert "\n" not in str(error.value)


def test_the_warm_up_answers_once_and_forgets(engine: Any, read: Any) -> None:
    warm_up(engine, read, engine.frames)
    assert (engine.filled, engine.queries, engine.last_reset) == (0, [], "")


def test_a_model_without_numbers_is_refused(engine: Any, read: Any) -> None:
    with pytest.raises(ActSegError, match="does not answer a blank clip .* take another one"):
        warm_up(engine, lambda text: read(f"nan {text}"), engine.frames)


def test_a_model_that_needs_more_frames_than_it_says_is_refused(engine: Any, read: Any) -> None:
    with pytest.raises(ActSegError, match="blank clip of 2 frames"):
        warm_up(engine, read, 2)


def test_the_warm_up_waits_for_a_window_that_is_encoded_in_the_background(
    checkpoint: Path,
) -> None:
    stream = StreamConfig(mask_frame="newest", background=True)
    model = load_model(SegmentationConfig(checkpoint=str(checkpoint)), stream)
    assert model.engines[0].answers_every_frame
    assert model.engines[0].filled == 0
    model.engines[0].close()


def test_each_camera_has_an_engine_and_all_have_the_same_weights(checkpoint: Path) -> None:
    config = SegmentationConfig(checkpoint=str(checkpoint), cameras=("front", "rear"))
    front, rear = load_model(config, StreamConfig()).engines
    assert front is not rear
    assert front.predictor is rear.predictor
