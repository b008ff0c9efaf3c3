"""Weights of encoders that were trained here, of a reduced width."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from actseg_core.checkpoints.public_weights import (
    load_i3d,
    load_vgg16,
    read_weights,
    save_weights,
    trained_vgg_weights,
    trained_weights,
)
from actseg_core.config import BaselineConfig, VideoConfig
from actseg_core.errors import CheckpointError
from actseg_core.networks.i3d import I3d
from actseg_core.networks.paper import VideoEncoder
from actseg_core.networks.vgg import FullyConvolutionalVgg16


def test_weights_of_our_own_keep_their_width(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trained = I3d(2, width=0.13, classes=9)
    save_weights(trained_weights(trained, 0.13), tmp_path / "small.safetensors")
    found = read_weights(tmp_path / "small.safetensors")
    assert (found.width, found.stream, found.classes) == (0.13, "flow", 9)
    encoder = VideoEncoder(VideoConfig(width=0.13), in_channels=2)
    load_i3d(tmp_path / "small.safetensors", encoder.i3d)
    assert torch.equal(
        encoder.i3d.get_submodule("Mixed_4f.branch_0.conv").weight,
        trained.get_submodule("Mixed_4f.branch_0.conv").weight,
    )
    with pytest.raises(CheckpointError, match=r"\(width 0.13, 9 classes\) does not fit this net"):
        load_i3d(tmp_path / "small.safetensors", I3d(2, width=0.25), head=False)


def test_a_vgg_of_our_own_keeps_its_width(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = BaselineConfig(width=1 / 64, visual_dim=9)
    trained, path = FullyConvolutionalVgg16(config), tmp_path / "vgg.safetensors"
    save_weights(trained_vgg_weights(trained, 1 / 64), path)
    found = read_weights(path)
    assert (found.network, found.width, found.classes) == ("vgg16", 1 / 64, 9)
    fresh = FullyConvolutionalVgg16(config)
    load_vgg16(path, fresh)
    frames = torch.rand(1, 3, 32, 32)
    assert torch.equal(fresh(frames), trained(frames))
    other = FullyConvolutionalVgg16(BaselineConfig(width=1 / 32, visual_dim=9))
    with pytest.raises(CheckpointError, match=r"\(width 0.015625, 9 classes\) does not fit"):
        load_vgg16(path, other)


@pytest.mark.parametrize("stated", ["0", "-1", "nan", "2", "wide"])
def test_an_impossible_width_is_refused(stated: str, tmp_path: Path) -> None:
    tensors = trained_weights(I3d(3, width=1 / 64, classes=2), 1 / 64).tensors
    save_file(tensors, tmp_path / "w.safetensors", {"width": stated})
    with pytest.raises(CheckpointError, match=f"states a network of width '{stated}'"):
        read_weights(tmp_path / "w.safetensors")
