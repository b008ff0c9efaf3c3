"""Presence scores to probabilities; the thresholds of NOT_FOUND and of the mask."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from actseg_core.config import PresenceConfig
from actseg_core.errors import DatasetError
from actseg_core.networks.segmenter import presence_score
from actseg_core.networks.two_stream import Network
from actseg_core.training.lite.mixture import Sample
from actseg_core.training.lite.module import network_input

MIN_OF_EACH = 10
THRESHOLDS = np.arange(-20, 11) / 10
"""Logits that a mask may be cut at."""


@dataclass(frozen=True, eq=False)
class Observed:
    """What a model said of sentences whose truth is known.

    Attributes:
        scores: (n,) presence scores.
        present: (n,) whether the actor was there.
        ious: (sentences with an actor, len(THRESHOLDS)) IoU of the mask cut at each threshold.
    """

    scores: NDArray[np.float64]
    present: NDArray[np.bool_]
    ious: NDArray[np.float64]


@torch.inference_mode()
def observe(model: Network, samples: Iterable[Sample], count: int) -> Observed:
    """Ask all sentences of `count` samples."""
    model.eval()
    scores, present, ious = [], [], []
    for sample in islice(samples, count):
        batch: Sample = {
            "rgb": sample["rgb"].unsqueeze(0),
            "flow": sample["flow"].unsqueeze(0),
            "words": sample["words"],
            "mask": sample["mask"],
        }
        features = model.encode(network_input(batch, model.config))
        maps = model.respond(features, model.encode_sentences(batch["words"]))
        scores += presence_score(maps).tolist()
        truth = sample["mask"].reshape(-1, *sample["mask"].shape[-2:]) > 0.5
        present += truth.flatten(1).any(dim=1).tolist()
        logits = functional.interpolate(
            maps[-1].unsqueeze(1), truth.shape[-2:], mode="bilinear", align_corners=False
        )[:, 0]
        ious += [_ious(*pair) for pair in zip(logits, truth, strict=True) if pair[1].any()]
    return Observed(np.array(scores), np.array(present), np.array(ious))


def _ious(logits: Tensor, truth: Tensor) -> list[float]:
    masks = logits > torch.from_numpy(THRESHOLDS).view(-1, 1, 1)
    both = (masks & truth).flatten(1).sum(1)
    either = (masks | truth).flatten(1).sum(1)
    return (both / either).tolist()


def fit_threshold(ious: NDArray[np.float64]) -> float:
    """The logit of the best mean IoU.

    Args:
        ious: (n, len(THRESHOLDS)), at least one row.
    """
    return float(THRESHOLDS[ious.mean(axis=0).argmax()])


def fit_presence(seen: Observed) -> PresenceConfig:
    """Temperature and bias of least logistic loss (Platt); the threshold is left at 0.5.

    Raises:
        DatasetError: If there are fewer than ten samples of either kind.
    """
    _check_both_kinds(seen)
    inputs, targets = torch.from_numpy(seen.scores), torch.from_numpy(seen.present.astype(float))
    slope = torch.ones((), dtype=torch.double, requires_grad=True)
    offset = torch.zeros((), dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([slope, offset], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        # The small penalty keeps the slope finite when the scores separate perfectly.
        value = functional.binary_cross_entropy_with_logits(slope * inputs + offset, targets)
        value = value + 1e-4 * slope.square()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    scale = max(slope.item(), 1e-3)
    temperature, bias = 1 / scale, -offset.item() / scale
    return PresenceConfig(temperature=temperature, bias=bias, threshold=0.5)


def with_threshold(
    presence: PresenceConfig, seen: Observed, absent_accuracy: float
) -> PresenceConfig:
    """The least threshold that turns `absent_accuracy` of the absent actors away, at least 0.5.

    Raises:
        DatasetError: If there are fewer than ten samples of either kind.
    """
    _check_both_kinds(seen)
    absent = (seen.scores[~seen.present] - presence.bias) / presence.temperature
    needed = float(np.quantile(1 / (1 + np.exp(-absent)), absent_accuracy, method="higher"))
    return presence.model_copy(update={"threshold": float(np.clip(needed, 0.5, 1.0))})


def _check_both_kinds(seen: Observed) -> None:
    count = int(seen.present.sum())
    if min(count, len(seen.present) - count) < MIN_OF_EACH:
        raise DatasetError(
            f"calibration needs at least {MIN_OF_EACH} samples with and without the actor, got "
            f"{count} and {len(seen.present) - count}"
        )
