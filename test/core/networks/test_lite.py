"""The lite network: trunk, stepping, filters."""

import pytest
import torch
from torch.nn import functional

from actseg_core.config import ModelConfig
from actseg_core.errors import ShapeError
from actseg_core.networks.lite import FilterBank, LiteSegmenter, tap_indices
from actseg_core.networks.lite_trunk import ConvNorm, FlowTrunk, RgbTrunk, grid


@pytest.mark.parametrize(
    ("frames", "taps", "wanted"),
    [(16, 4, (0, 5, 10, 15)), (15, 15, tuple(range(15))), (16, 1, (15,)), (8, 4, (0, 2, 5, 7))],
)
def test_taps_are_evenly_spaced_and_end_with_the_newest(
    frames: int, taps: int, wanted: tuple[int, ...]
) -> None:
    assert tap_indices(frames, taps) == wanted


@pytest.mark.parametrize(("trunk", "channels"), [(RgbTrunk(), 3), (FlowTrunk(), 2)])
def test_pyramid_has_strides_4_8_16_32(trunk: RgbTrunk | FlowTrunk, channels: int) -> None:
    pyramid = trunk.eval()(torch.zeros(1, channels, 64, 64))
    assert [item.shape[-1] for item in pyramid] == [16, 8, 4, 2]
    assert tuple(item.shape[1] for item in pyramid) == trunk.channels


def test_strided_convolution_pads_like_tensorflow() -> None:
    layer = ConvNorm(1, 1, kernel=3, stride=2, activate=False).eval()
    torch.nn.init.ones_(layer[1].weight)
    picture = torch.arange(16.0).view(1, 1, 4, 4)
    # TF "SAME" with k = 3, s = 2 on an even side pads one row and column, both at the end.
    wanted = functional.conv2d(
        functional.pad(picture, (0, 1, 0, 1)), torch.ones(1, 1, 3, 3), stride=2
    )
    torch.testing.assert_close(layer(picture), wanted / (1 + 1e-3) ** 0.5)


def test_imagenet_weights_fit_in_order_and_shape() -> None:
    trunk = RgbTrunk()
    state = {}
    for index, (name, value) in enumerate(trunk.state_dict().items()):
        if not name.endswith("num_batches_tracked"):
            state[f"_blocks.{index}"] = torch.full_like(value, float(index))
    state["_conv_head.weight"] = torch.zeros(1280, 320, 1, 1)

    trunk.load_imagenet(state)

    for index, (name, value) in enumerate(trunk.state_dict().items()):
        if not name.endswith("num_batches_tracked"):
            assert (value == index).all(), name


def test_imagenet_weights_of_another_network_are_refused() -> None:
    with pytest.raises((RuntimeError, ValueError)):
        RgbTrunk().load_imagenet({"a": torch.zeros(3)})


@pytest.mark.parametrize("stream", ["rgb", "flow"])
def test_stepping_through_a_clip_equals_encoding_it(lite_config: ModelConfig, stream: str) -> None:
    torch.manual_seed(0)
    segmenter = LiteSegmenter(lite_config, stream).eval()
    clip = torch.rand(2, segmenter.in_channels, 8, 64, 64) * 2 - 1
    with torch.inference_mode():
        steps = [segmenter.step(clip[:, :, index]) for index in range(segmenter.entries)]
        stepped = segmenter.join(steps[-1][0], [entry for _, entry in steps])
        whole = segmenter.encode(clip)
    for ours, theirs in zip(stepped, whole, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_response_maps_start_with_presence_and_end_at_stride_4(lite_config: ModelConfig) -> None:
    segmenter = LiteSegmenter(lite_config, "rgb").eval()
    maps = segmenter(torch.zeros(3, 3, 8, 64, 64), torch.ones(3, 20, 8))
    assert [tuple(item.shape) for item in maps] == [(3, 1, 1), (3, 4, 4), (3, 8, 8), (3, 16, 16)]


def test_one_clip_for_many_sentences_equals_one_clip_each(lite_config: ModelConfig) -> None:
    torch.manual_seed(0)
    segmenter = LiteSegmenter(lite_config, "rgb").eval()
    features = segmenter.encode(torch.rand(1, 3, 8, 64, 64))
    sentences = segmenter.encode_sentences(torch.randn(4, 20, 8))
    shared = segmenter.respond(features, sentences)
    paired = segmenter.respond([item.expand(4, -1, -1, -1) for item in features], sentences)
    for ours, theirs in zip(shared, paired, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_filter_bank_is_tanh_filters_dotted_with_each_cell_plus_bias() -> None:
    bank = FilterBank(sentence_dim=1, channels=2, filters=2)
    with torch.no_grad():
        bank.to_filters.weight.zero_()
        bank.to_filters.bias.copy_(torch.tensor([0.0, 10.0, -10.0, 10.0]))  # tanh: 0 1 -1 1
        bank.to_bias.weight.zero_()
        bank.to_bias.bias.copy_(torch.tensor([0.5, 0.0]))
    cell = torch.tensor([3.0, 7.0]).view(1, 2, 1, 1)
    responses = bank(torch.zeros(1, 1), cell).flatten()
    torch.testing.assert_close(responses, torch.tensor([7.5, 4.0]))


def test_grid_holds_cell_centres() -> None:
    x, y = grid(torch.zeros(1, 1, 2, 4))[0]
    assert x[0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert y[:, 0].tolist() == [-0.5, 0.5]


def test_only_the_newest_frame_sends_gradients_into_the_rgb_trunk(
    lite_config: ModelConfig,
) -> None:
    segmenter = LiteSegmenter(lite_config, "rgb").train()
    clip = torch.rand(1, 3, 8, 64, 64, requires_grad=True)
    segmenter(clip, torch.ones(1, 20, 8))[-1].sum().backward()
    reached = clip.grad.abs().sum(dim=(0, 1, 3, 4)) > 0
    assert reached.tolist() == [False] * 7 + [True]
    assert all(p.grad is not None for p in segmenter.trunk.parameters())


def test_a_clip_of_the_wrong_length_or_channels_is_refused(lite_config: ModelConfig) -> None:
    segmenter = LiteSegmenter(lite_config, "rgb")
    with pytest.raises(
        ShapeError, match=r"clip must be \(B, 3, 8, S, S\), got \(1, 2, 8, 64, 64\)"
    ):
        segmenter.encode(torch.zeros(1, 2, 8, 64, 64))
    with pytest.raises(ShapeError, match="the ring must hold 8 entries, got 0"):
        segmenter.join(segmenter.trunk(torch.zeros(1, 3, 64, 64)), [])
