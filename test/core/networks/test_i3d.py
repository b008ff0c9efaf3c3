"""The whole I3D against a slow one, at every kind of size."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from actseg_core.errors import ConfigError, ShapeError
from actseg_core.networks.i3d import (
    ENDPOINTS,
    BlockChannels,
    ConvUnit,
    I3d,
    InceptionBlock,
    SameConv3d,
    SameMaxPool3d,
    same_padding,
)

SIDES = st.tuples(*[st.integers(1, 9)] * 3)
STRIDES = st.tuples(*[st.integers(1, 2)] * 3)
WIDTH = 1 / 16
CLASSES = 5
PUBLISHED_CHANNELS = {
    "Conv3d_1a_7x7": 64,
    "Conv3d_2c_3x3": 192,
    "Mixed_3b": 256,
    "Mixed_3c": 480,
    "Mixed_4b": 512,
    "Mixed_4c": 512,
    "Mixed_4d": 512,
    "Mixed_4e": 528,
    "Mixed_4f": 832,
    "Mixed_5b": 832,
    "Mixed_5c": 1024,
    "Logits": 400,
}


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"),
    [
        (16, 7, 2, (2, 3)),
        (15, 7, 2, (3, 3)),
        (1, 7, 2, (3, 3)),
        (16, 3, 2, (0, 1)),
        (15, 3, 2, (1, 1)),
        (5, 3, 1, (1, 1)),
        (5, 1, 2, (0, 0)),
        (5, 2, 2, (0, 1)),
        (4, 2, 2, (0, 0)),
    ],
)
def test_padding_is_tensorflows(
    size: int, kernel: int, stride: int, pads: tuple[int, int]
) -> None:
    assert same_padding(size, kernel, stride) == pads


@settings(max_examples=40, deadline=None)
@given(sides=SIDES, kernel=st.tuples(*[st.sampled_from([1, 2, 3, 7])] * 3), stride=STRIDES)
def test_convolution_equals_the_sum_over_kernel_positions(
    slow: SimpleNamespace,
    sides: tuple[int, int, int],
    kernel: tuple[int, int, int],
    stride: tuple[int, int, int],
) -> None:
    rng = np.random.default_rng(0)
    layer = SameConv3d(2, 3, kernel, stride, bias=False).double()
    x = rng.normal(size=(2, *sides))
    with torch.no_grad():
        got = layer(torch.from_numpy(x)[None])[0].numpy()
    assert got.shape == (3, *(-(-side // step) for side, step in zip(sides, stride, strict=True)))
    expected = slow.conv(x, layer.weight.detach().numpy(), stride)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    sides=SIDES,
    kernel_and_stride=st.sampled_from(
        [
            ((1, 3, 3), (1, 2, 2)),
            ((3, 3, 3), (2, 2, 2)),
            ((2, 2, 2), (2, 2, 2)),
            ((3,) * 3, (1,) * 3),
        ]
    ),
)
def test_pooling_takes_the_maximum_of_the_inputs_alone(
    slow: SimpleNamespace,
    sides: tuple[int, int, int],
    kernel_and_stride: tuple[tuple[int, int, int], tuple[int, int, int]],
) -> None:
    x = np.random.default_rng(0).normal(size=(2, *sides)) - 10  # a padding zero would win
    got = SameMaxPool3d(*kernel_and_stride)(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_array_equal(got, slow.pool(x, *kernel_and_stride))


def test_symmetric_padding_copies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the input was copied into a padded one")

    monkeypatch.setattr(functional, "pad", refuse)
    SameConv3d(1, 1, (3, 3, 3))(torch.zeros(1, 1, 4, 5, 6))
    SameConv3d(1, 1, (7, 7, 7), (2, 2, 2))(torch.zeros(1, 1, 5, 7, 9))
    SameMaxPool3d((3, 3, 3), (2, 2, 2))(torch.zeros(1, 1, 4, 5, 6))
    with pytest.raises(AssertionError):
        SameConv3d(1, 1, (7, 7, 7), (2, 2, 2))(torch.zeros(1, 1, 4, 7, 9))


def test_unit_normalises_with_eps_one_thousandth_then_cuts_off_negatives() -> None:
    unit = ConvUnit(1, 2).eval()
    with torch.no_grad():
        unit.conv.weight.fill_(2.0)
        unit.norm.running_mean.copy_(torch.tensor([1.0, 10.0]))
        unit.norm.running_var.copy_(torch.tensor([0.249, 0.0]))  # with eps 0.25 and 0.001
        unit.norm.weight.copy_(torch.tensor([3.0, 1.0]))
        unit.norm.bias.copy_(torch.tensor([-1.0, 300.0]))
        out = unit(torch.full((1, 1, 1, 1, 2), 1.5))
        cut = unit(torch.full((1, 1, 1, 1, 1), -5.0))
    # 2 * 1.5 = 3; (3 - 1) / 0.5 * 3 - 1 = 11; (3 - 10) / sqrt(0.001) + 300 = 78.64
    torch.testing.assert_close(out[0, :, 0, 0, 0], torch.tensor([11.0, 300 - 7 / 0.001**0.5]))
    assert cut.flatten().tolist() == [0.0, 0.0]


def test_block_joins_its_branches_in_order() -> None:
    block = InceptionBlock(1, BlockChannels(1, 1, 2, 1, 3, 4)).eval()
    x = torch.rand(1, 1, 2, 3, 4)
    with torch.no_grad():
        out = block(x)
        assert out.shape == (1, 10, 2, 3, 4)
        for branch, channels in (
            (block.branch_0, slice(0, 1)),
            (block.branch_1, slice(1, 3)),
            (block.branch_2, slice(3, 6)),
            (block.branch_3, slice(6, 10)),
        ):
            torch.testing.assert_close(out[:, channels], branch(x))


def clip(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture(scope="module")
def weights(make_weights: Callable[..., Any]) -> Any:
    return make_weights(in_channels=3, width=WIDTH, classes=CLASSES)


@pytest.fixture(scope="module")
def network(weights: Any, as_own: Callable[[Any], dict[str, torch.Tensor]]) -> I3d:
    network = I3d(3, WIDTH, classes=CLASSES)
    network.load_state_dict(as_own(weights))
    return network.eval()


@pytest.mark.parametrize("frames", [1, 4, 8, 16])
@pytest.mark.parametrize("sides", [(32, 32), (37, 50)], ids=["even", "odd"])
def test_every_layer_equals_the_slow_reference(
    network: I3d,
    weights: Any,
    slow_i3d: Callable[..., dict[str, np.ndarray]],
    frames: int,
    sides: tuple[int, int],
) -> None:
    x = clip(1, 3, frames, *sides)
    expected = slow_i3d(weights, x[0].numpy())
    with torch.inference_mode():
        single = network.endpoints(x, expected)
        double = I3d(3, WIDTH, classes=CLASSES).double().eval()
        double.load_state_dict(network.state_dict())
        exact = double.endpoints(x.double(), expected)
    assert set(expected) == {name for name in ENDPOINTS if "Pool" not in name}
    for name, values in expected.items():
        largest = np.abs(values).max()
        assert np.abs(exact[name][0].numpy() - values).max() < 1e-13 * largest, name
        assert np.abs(single[name][0].numpy() - values).max() < 5e-6 * largest, name


def test_logits_of_a_full_size_clip_equal_the_slow_reference(
    network: I3d, weights: Any, slow_i3d: Callable[..., dict[str, np.ndarray]]
) -> None:
    x = clip(1, 3, 19, 224, 256)  # the head's 2x7x7 window moves in time and in width
    with torch.inference_mode():
        got = network(x)
    expected = slow_i3d(weights, x[0].numpy())["Logits"]
    np.testing.assert_allclose(got[0], expected, rtol=0, atol=2e-5)


def test_flow_reads_two_channels(
    make_weights: Callable[..., Any],
    as_own: Callable[[Any], dict[str, torch.Tensor]],
    slow_i3d: Callable[..., dict[str, np.ndarray]],
) -> None:
    weights = make_weights(in_channels=2, width=WIDTH, classes=1, seed=1)
    network = I3d(2, WIDTH, classes=1).eval()
    network.load_state_dict(as_own(weights))
    x = clip(1, 2, 4, 20, 33)
    with torch.inference_mode():
        got = network(x)
    np.testing.assert_allclose(got[0], slow_i3d(weights, x[0].numpy())["Logits"], atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(
    batch=st.integers(1, 2),
    frames=st.integers(1, 17),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_any_size_is_divided_by_the_strides_and_rounded_up(
    network: I3d, batch: int, frames: int, height: int, width: int
) -> None:
    x = clip(batch, 3, frames, height, width)
    with torch.inference_mode():
        outputs = network.endpoints(x, ["Mixed_3c", "Mixed_4f", "Logits"])
        alone = network(x[-1:])
    assert outputs["Mixed_3c"].shape[2:] == (-(-frames // 2), -(-height // 8), -(-width // 8))
    assert outputs["Mixed_4f"].shape[2:] == (-(-frames // 4), -(-height // 16), -(-width // 16))
    assert outputs["Logits"].shape == (batch, CLASSES)
    torch.testing.assert_close(outputs["Logits"][-1:], alone, atol=1e-5, rtol=1e-5)


@settings(max_examples=10, deadline=None)
@given(frames=st.integers(1, 9), height=st.integers(1, 40), width=st.integers(1, 40))
def test_memory_layout_does_not_matter(network: I3d, frames: int, height: int, width: int) -> None:
    x = clip(1, 3, frames, height, width)
    every_second = torch.zeros(1, 3, frames, height, 2 * width)
    every_second[..., ::2] = x
    video = x.permute(0, 2, 3, 4, 1).contiguous().permute(0, 4, 1, 2, 3)  # as frames come
    with torch.inference_mode():
        expected = network(x)
        for other in (video, every_second[..., ::2], x.to(memory_format=torch.channels_last_3d)):
            torch.testing.assert_close(network(other), expected, atol=1e-5, rtol=1e-5)


def test_bfloat16_stays_within_three_percent_of_the_largest_value(network: I3d) -> None:
    x = clip(1, 3, 8, 40, 33)
    half = I3d(3, WIDTH, classes=CLASSES).eval()
    half.load_state_dict(network.state_dict())
    half.bfloat16()
    with torch.inference_mode():
        expected = network.endpoints(x, ["Mixed_4f", "Logits"])
        got = half.endpoints(x.bfloat16(), ["Mixed_4f", "Logits"])
    for name, value in got.items():
        assert value.dtype == torch.bfloat16
        difference = (value.float() - expected[name]).abs().max() / expected[name].abs().max()
        assert difference < 0.03, f"{name}: {difference:.4f}"


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_weight_gradients_in_bfloat16_are_those_of_float32(frames: int) -> None:
    torch.manual_seed(0)
    inputs, wanted = torch.randn(4, 16, frames, 3, 3), torch.randn(4, 64, frames, 3, 3)
    layer = SameConv3d(16, 64, (3, 3, 3))
    gradients = []
    for mixed in (False, True):
        layer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            output = layer(inputs)
        output.float().backward(wanted)
        assert layer.weight.grad is not None
        gradients.append(layer.weight.grad.clone())
    exact, rounded = gradients
    assert (rounded - exact).norm() < 0.02 * exact.norm()


def test_width_one_is_the_published_network() -> None:
    with torch.device("meta"):
        for final, channels in PUBLISHED_CHANNELS.items():
            assert I3d(3, final=final).out_channels == channels
        outputs = I3d(3).endpoints(torch.zeros(1, 3, 16, 224, 224), ENDPOINTS)
    assert outputs["Mixed_4f"].shape == (1, 832, 4, 14, 14)
    assert outputs["Mixed_5c"].shape == (1, 1024, 2, 7, 7)
    assert outputs["Logits"].shape == (1, 400)
    for name in PUBLISHED_CHANNELS.keys() - {"Logits"}:
        assert outputs[name].shape[1] == PUBLISHED_CHANNELS[name]


def test_width_scales_every_layer() -> None:
    # A quarter of Mixed_4f's 256 + 320 + 128 + 128.
    assert I3d(2, 0.25, "Mixed_4f").out_channels == 64 + 80 + 32 + 32


def test_a_network_to_mixed_4f_gives_what_the_whole_one_gives_there(network: I3d) -> None:
    short = I3d(3, WIDTH, "Mixed_4f").eval()
    kept = {k: v for k, v in network.state_dict().items() if k in short.state_dict()}
    short.load_state_dict(kept)
    x = clip(1, 3, 4, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(short(x), network.endpoints(x, ["Mixed_4f"])["Mixed_4f"])
    assert not any(name.startswith(("Mixed_5", "Logits")) for name in short.state_dict())


def test_dropout_acts_in_training_only() -> None:
    network = I3d(3, WIDTH, classes=CLASSES, dropout=0.5)
    network.set_trainable(["Logits"])
    x = clip(1, 3, 4, 32, 32)
    with torch.no_grad():
        network.train()
        assert not torch.equal(network(x), network(x))
        network.eval()
        assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("shape", [(1, 2, 4, 8, 8), (3, 4, 8, 8), (1, 3, 0, 8, 8)])
def test_rejects_what_is_no_rgb_clip(network: I3d, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"clips \(B, 3, T, H, W\) .* got \("):
        network(torch.zeros(shape))


def test_rejects_endpoints_that_do_not_exist() -> None:
    with pytest.raises(ConfigError, match=r"no endpoint 'Mixed_4g'; choose one of Conv3d_1a_7x7"):
        I3d(3, WIDTH, "Mixed_4g")
    with pytest.raises(ConfigError, match=r"Mixed_5c is not an endpoint of this I3D; it has Conv"):
        I3d(3, WIDTH, "Mixed_4f").endpoints(clip(1, 3, 1, 8, 8), ["Mixed_5c"])


def test_only_named_layers_train_and_update_their_statistics() -> None:
    network = I3d(3, WIDTH, classes=CLASSES)
    network.set_trainable(["Mixed_5c", "Logits"])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    network(clip(2, 3, 8, 64, 64)).sum().backward()
    with_gradient = {
        name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None
    }
    moved = {
        n.split(".")[0] for n, v in network.state_dict().items() if not torch.equal(v, before[n])
    }
    assert with_gradient == {"Mixed_5c", "Logits"}
    assert moved == {"Mixed_5c"}  # its running statistics
    assert all(p.grad is not None for p in network.get_submodule("Mixed_5c").parameters())
