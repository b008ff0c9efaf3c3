import pytest
import torch

from actseg_core.config import ModelConfig
from actseg_core.networks.object_net import (
    HIDDEN,
    MASK_CHANNELS,
    PLACE_CHANNELS,
    Joined,
    MaskHead,
    box_places,
    box_weights,
)
from actseg_core.networks.objects_model import ObjectsModel

SIZE = 64


@pytest.fixture(scope="module")
def model() -> ObjectsModel:
    torch.manual_seed(0)
    config = ModelConfig(kind="objects", streams=("rgb",), label_frame="newest", size=SIZE)
    return ObjectsModel(config).eval()


def test_places_in_a_boxs_own_coordinates() -> None:
    places = box_places(torch.tensor([[10.0, 6.0, 16.0, 8.0]]), (4, 6)).view(3, 4, 6)

    # Columns' centres at 2, 6, 10, ...: (2 - 10) / 8 = -1; rows' at 2, 6, ...: (2 - 6) / 4 = -1.
    assert places[0, 0].tolist() == pytest.approx([-1, -0.5, 0, 0.5, 1, 1.5])
    assert places[1, :, 0].tolist() == pytest.approx([-1, 0, 1, 2])
    assert places[2, 3, 5].item() == 2.0


def test_weights_of_a_box_are_shares_of_its_cells() -> None:
    weights = box_weights(torch.tensor([[8.0, 8.0, 8.0, 8.0]]), (4, 4), 4).view(2, 4, 4)

    assert weights.sum(dim=(1, 2)).tolist() == pytest.approx([1.0, 1.0])
    # The box covers the four cells in the middle of 16x16 px wholly, and no other.
    assert weights[0, 1:3, 1:3].flatten().tolist() == pytest.approx([0.25] * 4)
    assert weights[1, 1, 1] > weights[1, 0, 0] > 0


def test_the_mask_is_three_dynamic_filters() -> None:
    """Equation 1 and 2 three times over, against the same by plain matrix products."""
    torch.manual_seed(1)
    head = MaskHead(5)
    joined = Joined(
        torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), torch.randn(1, MASK_CHANNELS, 8, 8)
    )
    boxes, known = torch.tensor([[12.0, 16.0, 10.0, 20.0]]), torch.randn(1, 5)
    with torch.no_grad():
        got = head(joined, boxes, known, side=32)[0]
        shape = torch.tensor([[10.0, 20.0, 12.0, 16.0]]) / 32
        (made,) = head.to_filters(torch.cat((known, shape), dim=1))
    inputs = torch.cat((joined.masks[0].flatten(1), box_places(boxes, (8, 8))[0]))
    first, rest = made[: (MASK_CHANNELS + PLACE_CHANNELS) * HIDDEN].view(HIDDEN, -1), made[152:]
    hidden = torch.relu(first @ inputs + rest[:HIDDEN, None])
    second, rest = rest[HIDDEN : HIDDEN + 64].view(HIDDEN, HIDDEN), rest[HIDDEN + 64 :]
    hidden = torch.relu(second @ hidden + rest[:HIDDEN, None])
    wanted = rest[HIDDEN : 2 * HIDDEN] @ hidden + rest[2 * HIDDEN]

    assert torch.allclose(got.flatten(), wanted, atol=1e-5)


def test_a_box_is_answered_alike_alone_and_among_others(model: ObjectsModel) -> None:
    picture = torch.randint(0, 256, (1, SIZE, SIZE, 3), dtype=torch.uint8)
    boxes = torch.tensor([[20.0, 20.0, 16.0, 24.0], [40.0, 30.0, 30.0, 30.0]])
    with torch.inference_mode():
        stride16, stride8, masks, names, *_ = model.see(picture)
        both = model.look(stride16, stride8, masks, names, boxes)
        alone = model.look(stride16, stride8, masks, names, boxes[1:])

    for together, single in zip(both, alone, strict=True):
        assert torch.allclose(together[1:], single, atol=1e-5)


def test_shapes_and_ranges(model: ObjectsModel) -> None:
    picture = torch.randint(0, 256, (1, SIZE, SIZE, 3), dtype=torch.uint8)
    with torch.inference_mode():
        stride16, stride8, masks, names, boxes, objectness, classes = model.see(picture)
        found, named, embeddings, quality = model.look(
            stride16, stride8, masks, names, boxes[0, :3]
        )

    anchors = 8 * 8 + 4 * 4 + 2 * 2
    assert (boxes.shape, objectness.shape) == ((1, anchors, 4), (1, anchors))
    assert classes.shape == (1, anchors, 80)
    assert (found.shape, named.shape, quality.shape) == ((3, 16, 16), (3, 1000), (3,))
    assert len(embeddings) == 3
    assert named.sum(dim=1).tolist() == pytest.approx([1, 1, 1], abs=1e-4)
    for probabilities in (objectness, classes, found, quality):
        assert 0 <= probabilities.min() <= probabilities.max() <= 1
