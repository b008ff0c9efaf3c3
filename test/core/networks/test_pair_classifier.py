import numpy as np
import pytest
import torch
from torch import Tensor

from actseg_core.config import FlowConfig
from actseg_core.datasets.pair_clips import covering_tensors
from actseg_core.errors import DatasetError, ShapeError
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.labels import PAIRS, pair_from_label
from actseg_core.networks.pair_classifier import (
    PairClassifier,
    pair_loss,
    pair_targets,
)
from actseg_core.types import Clip

SMALL = ClassifierConfig(width=1 / 32, test_frames=8, short_side_px=40, crop_px=32)


@pytest.fixture
def classifier() -> PairClassifier:
    torch.manual_seed(0)
    return PairClassifier(SMALL).eval()


@pytest.fixture
def clips() -> dict[str, Tensor]:
    generator = torch.manual_seed(1)
    return {
        "rgb": torch.rand((2, 3, 8, 32, 32), generator=generator) * 2 - 1,
        "flow": torch.rand((2, 2, 8, 32, 32), generator=generator) * 2 - 1,
    }


def test_every_stream_answers_for_all_pairs(
    classifier: PairClassifier, clips: dict[str, Tensor]
) -> None:
    logits = classifier(clips)
    assert {name: value.shape for name, value in logits.items()} == {
        "rgb": (2, 43),
        "flow": (2, 43),
    }


def test_confidence_is_the_mean_sigmoid_over_clips_and_streams(
    classifier: PairClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"rgb": [0.0, float(np.log(3))], "flow": [float(np.log(3)), float(np.log(3))]}

    def forward(item: dict[str, int]) -> dict[str, Tensor]:
        return {name: torch.full((1, 43), values[item["rgb"]]) for name, values in answers.items()}

    monkeypatch.setattr(classifier, "forward", forward)
    scores = classifier.confidences([{"rgb": 0}, {"rgb": 1}])
    # sigmoid(0) = 0.5 once and sigmoid(log 3) = 0.75 three times
    np.testing.assert_allclose(scores, np.full(43, (0.5 + 3 * 0.75) / 4), rtol=1e-6)
    assert scores.dtype == np.float32


def test_a_batch_of_clips_counts_as_its_members(
    classifier: PairClassifier, clips: dict[str, Tensor]
) -> None:
    together = classifier.confidences([clips])
    alone = [{name: value[i : i + 1] for name, value in clips.items()} for i in range(2)]
    np.testing.assert_allclose(classifier.confidences(alone), together, atol=1e-6)


def test_a_video_without_clips_is_refused(classifier: PairClassifier) -> None:
    with pytest.raises(ShapeError, match="at least one clip"):
        classifier.confidences([])


def test_a_missing_stream_is_named(classifier: PairClassifier, clips: dict[str, Tensor]) -> None:
    with pytest.raises(ShapeError, match="reads rgb and flow, but there is no flow clip"):
        classifier({"rgb": clips["rgb"]})


def test_ten_steps_change_only_the_last_block_and_the_head_of_both_streams(
    clips: dict[str, Tensor],
) -> None:
    torch.manual_seed(0)
    # Wide enough that no branch is all zero after its ReLU.
    classifier = PairClassifier(SMALL.model_copy(update={"width": 1 / 8})).train()
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    trained = [item for item in classifier.parameters() if item.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=1e-3)
    targets = torch.stack([pair_targets([11]), pair_targets([76, 63])])
    for _ in range(10):
        optimiser.zero_grad()
        pair_loss(classifier(clips), targets).backward()
        optimiser.step()
    changed = {n for n, value in classifier.state_dict().items() if (value != before[n]).any()}
    parameters = dict(classifier.named_parameters())
    wanted = {name for name in parameters if name.split(".")[2] in ("Mixed_5c", "Logits")}
    assert changed == wanted  # and so no statistics of any batch norm
    assert {name.split(".")[1] for name in changed} == {"rgb", "flow"}
    assert set(before) - set(parameters) != set()


BLOCKS = (  # I3D's table: b0, b1a, b1b, b2a, b2b, b3 of Mixed_3b to Mixed_5c
    *((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (192, 96, 208, 16, 48, 64)),
    *((160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64)),
    *((256, 160, 320, 32, 128, 128), (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def counted(in_channels: int) -> int:
    """Weights of convolutions without bias, a weight and a bias of each batch norm, the head."""
    units = [(in_channels, 64, 343), (64, 64, 1), (64, 192, 27)]
    channels = 192
    for b0, b1a, b1b, b2a, b2b, b3 in BLOCKS:
        units += [(channels, b0, 1), (channels, b1a, 1), (b1a, b1b, 27)]
        units += [(channels, b2a, 1), (b2a, b2b, 27), (channels, b3, 1)]
        channels = b0 + b1b + b2b + b3
    return sum(i * o * taps + 2 * o for i, o, taps in units) + channels * 43 + 43


def test_the_published_size() -> None:
    with torch.device("meta"):
        classifier = PairClassifier(ClassifierConfig()).eval()
        logits = classifier.stream("flow")(torch.zeros(1, 2, 64, 224, 224))
    assert logits.shape == (1, 43)
    for stream, channels in (("rgb", 3), ("flow", 2)):
        parameters = classifier.stream(stream).parameters()
        assert sum(item.numel() for item in parameters) == counted(channels)


def test_the_loss_is_the_mean_over_pairs_and_the_sum_over_streams() -> None:
    targets = torch.zeros(1, 43)
    targets[0, 0] = 1
    rgb, flow = torch.zeros(1, 43), torch.full((1, 43), 2.0)
    # rgb: log 2 each; flow: log(1 + e^2) for 42 negatives, log(1 + e^-2) for the positive
    expected = np.log(2) + (42 * np.log1p(np.exp(2)) + np.log1p(np.exp(-2))) / 43
    assert pair_loss({"rgb": rgb, "flow": flow}, targets).item() == pytest.approx(expected)


def test_targets_mark_the_pairs_of_a_video() -> None:
    targets = pair_targets([0, 76, 11, 76])
    assert targets.sum() == 2
    assert targets[PAIRS.index(pair_from_label(76))] == 1
    assert targets[0] == 1


def test_an_invalid_pair_is_refused() -> None:
    with pytest.raises(DatasetError, match="14 is no valid actor-action pair of A2D; valid ids"):
        pair_targets([11, 14])


def test_a_whole_video_gives_43_probabilities(classifier: PairClassifier) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (11, 40, 60, 3), np.uint8)
    video = Clip(rgb, np.zeros((11, 40, 60, 2), np.float32))
    scores = classifier.confidences(covering_tensors(video, SMALL, FlowConfig()))
    assert scores.shape == (43,)
    assert ((scores > 0) & (scores < 1)).all()


def test_one_stream_is_enough() -> None:
    classifier = PairClassifier(ClassifierConfig(streams=("rgb",), width=1 / 32)).eval()
    assert set(classifier({"rgb": torch.zeros(1, 3, 4, 32, 32)})) == {"rgb"}
