import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import BaselineConfig
from actseg_core.errors import ShapeError
from actseg_core.networks.vgg import KEYS, FullyConvolutionalVgg16

SMALL = BaselineConfig(width=1 / 32, visual_dim=9)
TORCHVISION_PARAMETERS = 138_357_544  # stated in torchvision's table of models for VGG16


def random_images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.manual_seed(3)) * 2 - 1


def build(config: BaselineConfig = SMALL) -> FullyConvolutionalVgg16:
    torch.manual_seed(5)
    return FullyConvolutionalVgg16(config).eval()


def slow_convolution(image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """3x3 or 7x7 convolution as a sum over shifted copies of the zero-padded image."""
    size, (height, width) = weight.shape[-1], image.shape[-2:]
    padded = functional.pad(image, (size // 2,) * 4)
    total = bias.view(1, -1, 1, 1).expand(image.shape[0], -1, height, width).clone()
    for row in range(size):
        for column in range(size):
            window = padded[:, :, row : row + height, column : column + width]
            total += torch.einsum("oc,bchw->bohw", weight[:, :, row, column], window)
    return total


def reference(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """VGG16 from a torchvision-named state dict, written without nn modules."""
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    x = ((images + 1) / 2 - mean) / deviation
    names = [key.removesuffix(".weight") for key in state if key.endswith(".weight")]
    for number, name in enumerate(names, start=1):
        x = slow_convolution(x, state[f"{name}.weight"], state[f"{name}.bias"])
        if number < 16:  # no ReLU after fc8
            x = x.clamp(min=0)
        if number in (2, 4, 7, 10, 13):
            rows, columns = x.shape[-2] // 2, x.shape[-1] // 2
            x = x.reshape(*x.shape[:2], rows, 2, columns, 2).amax(dim=(3, 5))
    return x


def test_equals_a_reference_of_shifted_sums() -> None:
    network = build()
    images = random_images(2, 3, 64, 96)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.normal_()
        expected = reference(network.state_dict(), images)
        actual = network(images)
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)


def test_the_full_network_has_torchvisions_names_size_and_a_16x16_map_at_512() -> None:
    with torch.device("meta"):
        network = FullyConvolutionalVgg16(BaselineConfig())
        scores = network(torch.zeros(1, 3, 512, 512))
    state = network.state_dict()
    assert tuple(state) == KEYS
    assert sum(value.numel() for value in state.values()) == TORCHVISION_PARAMETERS
    assert state["classifier.0.weight"].shape == (4096, 512, 7, 7)
    assert scores.shape == (1, 1000, 16, 16)


def test_its_centre_cell_is_the_ordinary_vgg16_with_fully_connected_layers() -> None:
    network = build()
    images = random_images(1, 3, 224, 224)  # 7x7 after pool5: the 7x7 window sees no padding
    with torch.no_grad():
        flat = network.features((images - network.mean) / network.deviation).flatten(1)
        for layer in network.classifier:
            if isinstance(layer, nn.Conv2d):
                flat = functional.linear(flat, layer.weight.flatten(1), layer.bias)
            elif isinstance(layer, nn.ReLU):
                flat = functional.relu(flat)
        scores = network(images)
    assert scores.shape[-2:] == (7, 7)
    torch.testing.assert_close(scores[:, :, 3, 3], flat, atol=1e-4, rtol=1e-4)


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(1, 4), columns=st.integers(1, 4), batch=st.integers(1, 3))
def test_the_map_has_stride_32_for_any_size(rows: int, columns: int, batch: int) -> None:
    scores = build()(torch.zeros(batch, 3, 32 * rows, 32 * columns))
    assert scores.shape == (batch, SMALL.visual_dim, rows, columns)


def test_memory_layout_does_not_matter() -> None:
    network = build()
    images = random_images(2, 3, 64, 64)
    expected = network(images)
    mirrored_twice = images.flip(-1).contiguous().flip(-1)
    torch.testing.assert_close(network(mirrored_twice), expected)
    last = network(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("trainable", "features", "fc"),
    [("fc", False, True), ("all", True, True), ("none", False, False)],
)
def test_what_trains_follows_the_configuration(trainable: str, features: bool, fc: bool) -> None:
    network = FullyConvolutionalVgg16(SMALL.model_copy(update={"trainable": trainable}))
    assert all(item.requires_grad is features for item in network.features.parameters())
    assert all(item.requires_grad is fc for item in network.classifier.parameters())


@pytest.mark.parametrize("shape", [(1, 2, 64, 64), (1, 3, 64, 65), (3, 64, 64)])
def test_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="multiples of 32, got .*; resize and pad"):
        build()(torch.zeros(shape))


def test_gradients_of_fc6_in_bfloat16_are_those_of_float32() -> None:
    torch.manual_seed(0)
    network = FullyConvolutionalVgg16(BaselineConfig(width=1 / 4, visual_dim=9, trainable="fc"))
    pooled = torch.rand(4, 128, 2, 2)
    gradients = []
    for mixed in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            scores = network.from_frozen(pooled)
        scores.float().square().mean().backward()
        first = network.classifier[0]
        assert isinstance(first, torch.nn.Conv2d) and first.weight.grad is not None
        gradients.append(first.weight.grad.clone())
    exact, rounded = gradients
    assert (rounded - exact).norm() < 0.05 * exact.norm()
