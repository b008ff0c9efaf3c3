import pytest
import torch
from torch import Tensor
from torch.nn import functional

from actseg_core.networks.detector import CLASSES, Detector, load_public_weights


def convolutions(detector: Detector) -> list[torch.nn.Conv2d]:
    """In the order in which a frame meets them."""
    order: list[torch.nn.Conv2d] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: order.append(module))
        for module in detector.modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    with torch.inference_mode():
        detector(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    return order


def test_shapes_of_a_frame() -> None:
    with torch.inference_mode():
        found = Detector().eval()(torch.zeros(1, 3, 96, 64))

    assert [tuple(level.shape) for level in found.neck] == [
        (1, 64, 12, 8),
        (1, 128, 6, 4),
        (1, 256, 3, 2),
    ]
    anchors = 12 * 8 + 6 * 4 + 3 * 2
    assert found.boxes.shape == (1, anchors, 4)
    assert found.objectness.shape == (1, anchors)
    assert found.classes.shape == (1, anchors, CLASSES)


def test_boxes_are_decoded_as_published() -> None:
    """Centre = (cell + offset) * stride, size = exp(size) * stride: zeros give the cell itself."""
    detector = Detector().eval()
    for head in detector.heads:
        torch.nn.init.zeros_(head.box.weight)
        with torch.no_grad():
            head.box.bias.copy_(torch.tensor([0.25, 0.5, 0.0, 0.6931472]))
    with torch.inference_mode():
        boxes = detector(torch.zeros(1, 3, 64, 64)).boxes[0]

    assert torch.allclose(boxes[0], torch.tensor([2.0, 4.0, 8.0, 16.0]))
    assert torch.allclose(boxes[9], torch.tensor([10.0, 12.0, 8.0, 16.0]))  # second row, column
    assert torch.allclose(boxes[-1], torch.tensor([40.0, 48.0, 32.0, 64.0]), atol=1e-4)


def test_public_weights_read_bgr_in_bytes_as_ours_read_rgb_between_minus_one_and_one() -> None:
    """The first convolution absorbs order, scale and offset; the rest is taken as it is."""
    torch.manual_seed(0)
    tensors: list[tuple[Tensor, Tensor]] = []
    for convolution in convolutions(Detector()):
        assert convolution.bias is not None
        weight = torch.randn_like(convolution.weight) * 0.1
        tensors.append((weight, torch.randn_like(convolution.bias) * 0.1))
    detector = Detector().eval()
    load_public_weights(detector, tensors)
    picture = torch.randint(0, 256, (1, 3, 64, 64)).float()  # RGB

    bgr = picture.flip(1)
    blocks = [bgr[..., y::2, x::2] for x in (0, 1) for y in (0, 1)]
    weight, bias = tensors[0]
    wanted = functional.silu(functional.conv2d(torch.cat(blocks, 1), weight, bias, padding=1))
    with torch.inference_mode():
        got = detector.stem(picture / 127.5 - 1)

    assert torch.allclose(got, wanted, rtol=1e-3, atol=1e-2)


def test_another_networks_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="not the convolutions of YOLOX-nano"):
        load_public_weights(Detector(), [(torch.zeros(16, 12, 3, 3), torch.zeros(16))])
