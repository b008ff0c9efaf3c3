"""The video encoder: mean over time, normalisation, and what trains."""

from typing import Literal

import pytest
import torch
from torch import Tensor

from actseg_core.config import VideoConfig
from actseg_core.errors import ShapeError
from actseg_core.networks.paper import VideoEncoder

WIDTH = 1 / 16


def make(
    trainable: Literal["last_block", "all", "none"] = "last_block",
    l2_normalise: bool = True,
    batch_statistics: bool = False,
) -> VideoEncoder:
    torch.manual_seed(0)
    config = VideoConfig(
        width=WIDTH,
        trainable=trainable,
        l2_normalise=l2_normalise,
        batch_statistics=batch_statistics,
    )
    return VideoEncoder(config, in_channels=3)


def clip(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def changed(encoder: VideoEncoder, before: dict[str, Tensor]) -> set[str]:
    """Layers whose parameters or statistics changed."""
    state = encoder.i3d.state_dict()
    return {name for name in state if not torch.equal(state[name], before[name])}


def take_steps(encoder: VideoEncoder, count: int) -> set[str]:
    """Names of tensors that change in some optimiser steps in training mode."""
    before = {name: value.clone() for name, value in encoder.i3d.state_dict().items()}
    optimiser = torch.optim.Adam((p for p in encoder.parameters() if p.requires_grad), 1e-2)
    weights = torch.randn(encoder.out_channels, 1, 1)  # no direction is preferred
    encoder.train()
    for _ in range(count):
        optimiser.zero_grad()
        (encoder(clip(2, 3, 8, 48, 48)) * weights).sum().backward()
        optimiser.step()
    return changed(encoder, before)


def test_full_width_gives_832_channels_at_stride_16() -> None:
    with torch.device("meta"):
        encoder = VideoEncoder(VideoConfig(), in_channels=2)
        features = encoder(torch.zeros(3, 2, 16, 512, 512))
    assert encoder.out_channels == 832
    assert features.shape == (3, 832, 32, 32)


@pytest.mark.parametrize("frames", [1, 4, 8, 16])
def test_features_are_the_mean_over_time(frames: int) -> None:
    encoder = make(l2_normalise=False).eval()
    x = clip(2, 3, frames, 32, 50)
    with torch.inference_mode():
        maps = encoder.i3d(x)
        features = encoder(x)
    assert maps.shape[2] == {1: 1, 4: 1, 8: 2, 16: 4}[frames]
    assert features.shape == (2, encoder.out_channels, 2, 4)
    expected = sum(maps[:, :, t] for t in range(maps.shape[2])) / maps.shape[2]
    torch.testing.assert_close(features, expected)


def test_every_location_has_length_one_after_the_mean() -> None:
    x = clip(1, 3, 16, 32, 32)
    with torch.inference_mode():
        plain = make(l2_normalise=False).eval()(x)
        normalised = make().eval()(x)
    lengths = plain.square().sum(dim=1, keepdim=True).sqrt()
    assert lengths.min() > 0.1
    torch.testing.assert_close(normalised, plain / lengths)
    torch.testing.assert_close(normalised.square().sum(dim=1), torch.ones(1, 2, 2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_location_without_any_activation_stays_zero(dtype: torch.dtype) -> None:
    encoder = make().eval().to(dtype)
    with torch.inference_mode():
        for branch in ("branch_0", "branch_1.1", "branch_2.1", "branch_3.1"):
            norm = encoder.i3d.get_submodule(f"Mixed_4f.{branch}.norm")
            norm.weight.zero_()
            norm.bias.fill_(-1.0)
        features = encoder(clip(1, 3, 1, 16, 16).to(dtype))
    assert features.dtype == dtype
    assert torch.equal(features, torch.zeros_like(features))


def test_bfloat16_features_are_within_three_percent() -> None:
    encoder = make().eval()
    x = clip(1, 3, 8, 48, 37)
    with torch.inference_mode():
        expected = encoder(x)
        got = encoder.bfloat16()(x.bfloat16())
    assert (got.float() - expected).abs().max() < 0.03 * expected.abs().max()


def test_gradients_reach_exactly_the_last_block() -> None:
    encoder = make().train()
    encoder(clip(2, 3, 8, 32, 32)).square().sum().backward()
    got = {name for name, p in encoder.i3d.named_parameters() if p.grad is not None}
    assert got == {n for n, _ in encoder.i3d.named_parameters() if n.startswith("Mixed_4f.")}
    assert len(got) == 6 * 3  # weight, scale and shift of six convolutions


def test_ten_steps_change_parameters_of_the_last_block_and_no_statistics() -> None:
    moved = take_steps(make(), 10)
    assert moved == {
        f"Mixed_4f.{branch}.{tensor}"
        for branch in (
            "branch_0",
            *(f"branch_{n}.{i}" for n in (1, 2) for i in (0, 1)),
            "branch_3.1",
        )
        for tensor in ("conv.weight", "norm.weight", "norm.bias")
    }


def test_batch_statistics_are_updated_in_the_last_block_alone() -> None:
    moved = take_steps(make(batch_statistics=True), 1)
    assert "Mixed_4f.branch_0.norm.running_mean" in moved
    assert {name.split(".")[0] for name in moved} == {"Mixed_4f"}


def test_all_layers_train_on_request_with_their_stored_statistics() -> None:
    moved = take_steps(make("all"), 1)
    assert {name.split(".")[0] for name in moved} >= {"Conv3d_1a_7x7", "Mixed_3b", "Mixed_4f"}
    assert not any("running" in name or "batches" in name for name in moved)


def test_nothing_trains_on_request() -> None:
    encoder = make("none").train()
    assert not any(p.requires_grad for p in encoder.parameters())
    assert not encoder(clip(1, 3, 1, 16, 16)).requires_grad


def test_training_and_evaluation_agree_with_frozen_statistics() -> None:
    encoder = make()
    x = clip(1, 3, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(encoder.train()(x), encoder.eval()(x))


def test_a_parent_module_does_not_wake_frozen_batch_norms() -> None:
    parent = torch.nn.Sequential(make()).train()
    norms = [m for m in parent.modules() if isinstance(m, torch.nn.BatchNorm3d)]
    assert norms
    assert not any(norm.training for norm in norms)


def test_rejects_a_flow_clip_where_rgb_is_read() -> None:
    with pytest.raises(ShapeError, match=r"\(B, 3, T, H, W\).*got \(1, 2, 4, 16, 16\)"):
        make()(torch.zeros(1, 2, 4, 16, 16))
