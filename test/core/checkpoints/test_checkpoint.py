"""Weight files: strict, complete, never half-written, nothing unpickled."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from actseg_core.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from actseg_core.errors import CheckpointError
from actseg_core.predictor import Predictor

CONVOLUTION = "streams.rgb.sentence_encoder.convolution"


@pytest.fixture
def saved(small_predictor: Predictor, tmp_path: Path) -> Path:
    path = tmp_path / "sub" / "model.safetensors"
    save_checkpoint(path, small_predictor.model, {"iou": 0.5})
    return path


def rewrite(
    path: Path, config: dict[str, object] | None = None, **changes: torch.Tensor | None
) -> None:
    """Save the file again, some settings added, some tensors replaced or (None) left out."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    metadata["config"] = json.dumps(json.loads(metadata["config"]) | (config or {}))
    tensors = load_file(path)
    for name, value in changes.items():
        tensors.pop(name)
        if value is not None:
            tensors[name] = value
    save_file(tensors, path, metadata)


def test_what_is_saved_comes_back(saved: Path, small_predictor: Predictor) -> None:
    loaded = load_checkpoint(saved)
    assert loaded.config == small_predictor.model.config
    assert loaded.metrics == {"iou": 0.5}
    for name, value in small_predictor.model.state_dict().items():
        torch.testing.assert_close(loaded.model.state_dict()[name], value)
    assert [item.name for item in saved.parent.iterdir()] == ["model.safetensors"]


def test_half_precision_halves_the_file_and_loads_as_float32(
    small_predictor: Predictor, saved: Path, tmp_path: Path
) -> None:
    half = tmp_path / "half.safetensors"
    save_checkpoint(half, small_predictor.model, dtype=torch.float16)
    assert half.stat().st_size < 0.6 * saved.stat().st_size
    weights = load_checkpoint(half).model.state_dict().values()
    assert {w.dtype for w in weights if w.is_floating_point()} == {torch.float32}


def test_a_file_that_still_stores_the_gone_networks_settings_loads(
    saved: Path, small_predictor: Predictor
) -> None:
    rewrite(saved, {"lite": {"rgb_taps": 4, "flow_taps": 15, "filters": 8}})
    assert load_checkpoint(saved).config == small_predictor.model.config


def test_a_file_of_the_gone_network_is_refused_and_says_what_to_take(saved: Path) -> None:
    rewrite(saved, {"kind": "lite"})
    with pytest.raises(
        CheckpointError,
        match=r"sub/model.safetensors holds .*kind 'lite' is the two-stream streaming network, "
        "which this version no longer has; take preset lite, whose weights ship",
    ):
        load_checkpoint(saved)


def test_a_stored_setting_that_nobody_knows_is_named(saved: Path) -> None:
    rewrite(saved, {"colour": "red"})
    with pytest.raises(CheckpointError, match="unknown setting 'colour'"):
        load_checkpoint(saved)


def test_a_missing_tensor_is_named(saved: Path) -> None:
    rewrite(saved, **{f"{CONVOLUTION}.weight": None})
    with pytest.raises(CheckpointError, match=rf"{CONVOLUTION}.weight is missing"):
        load_checkpoint(saved)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(saved: Path) -> None:
    rewrite(saved, **{f"{CONVOLUTION}.bias": torch.zeros(3)})
    with pytest.raises(CheckpointError, match=r"convolution.bias must be \(16,\), is \(3,\)"):
        load_checkpoint(saved)


def test_weights_that_are_not_numbers_are_refused(saved: Path) -> None:
    rewrite(saved, **{f"{CONVOLUTION}.bias": torch.full((16,), torch.nan)})
    with pytest.raises(CheckpointError, match=r"convolution.bias is not finite"):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is not a readable safetensors checkpoint"):
        load_checkpoint(path)


def test_a_truncated_file_is_refused(saved: Path) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="is the download complete"):
        load_checkpoint(saved)


def test_a_foreign_safetensors_file_points_to_the_converter(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="actseg convert-weights"):
        load_checkpoint(path)


def test_infinite_weights_are_not_written(small_predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = small_predictor.model
    bias = model.stream("rgb").sentence_encoder.convolution.bias
    kept = bias.detach().clone()
    try:
        with torch.no_grad():
            bias.fill_(1e30)  # finite in float32, infinite in float16
        with pytest.raises(CheckpointError, match="not finite as torch.float16"):
            save_checkpoint(path, model, dtype=torch.float16)
    finally:
        with torch.no_grad():
            bias.copy_(kept)
    assert not path.exists()
