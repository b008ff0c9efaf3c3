"""Blocks of Inception 3-D against slow references and numbers worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from actseg_core.networks.inception import (
    BlockChannels,
    ConvUnit,
    InceptionBlock,
    SameConv3d,
    SameMaxPool3d,
    same_padding,
)

SIDES = st.tuples(*[st.integers(1, 9)] * 3)
STRIDES = st.tuples(*[st.integers(1, 2)] * 3)


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
