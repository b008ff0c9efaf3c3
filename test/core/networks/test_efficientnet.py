"""EfficientNet-Lite0: shapes, padding, published weights."""

import pytest
import torch
from torch.nn import functional

from actseg_core.networks.efficientnet import ConvNorm, EfficientNetLite0


def test_pyramid_has_strides_4_8_16_32() -> None:
    pyramid = EfficientNetLite0().eval()(torch.zeros(1, 3, 64, 96))
    assert [tuple(item.shape[1:]) for item in pyramid] == [
        (24, 16, 24),
        (40, 8, 12),
        (112, 4, 6),
        (320, 2, 3),
    ]


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
    trunk = EfficientNetLite0()
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
        EfficientNetLite0().load_imagenet({"a": torch.zeros(3)})
