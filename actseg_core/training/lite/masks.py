"""Training of the class-agnostic masks on kept features."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from actseg_core.networks.object_net import Joined, ObjectNetwork, box_places, sides
from actseg_core.training.lite.cached_views import CachedViews, Jitter, given_boxes, split
from actseg_core.training.lite.feature_cache import Row
from actseg_core.training.lite.photos import SIZE
from actseg_core.training.lite.state import TrainingState

NEAR_BOX = 1.6  # half box sizes from its centre within which a pixel counts
FIRST = 0.3  # weight of the first look's loss
QUALITY = 0.1  # weight of the loss of the expected IoU
SAVE_EVERY = 200
MEASURED_VIEWS = 240
MOST_MEASURED = 12


@dataclass(frozen=True)
class MaskRecipe:
    """One phase of training.

    Attributes:
        steps: Optimiser steps.
        batch: Views per step.
        objects: Most objects per view.
        rate: Highest learning rate of the one cycle.
        seed: Of the draws.
        jitter: Of the boxes.
    """

    steps: int = 4000
    batch: int = 8
    objects: int = 8
    rate: float = 2e-3
    seed: int = 1
    jitter: Jitter = Jitter()


@dataclass(frozen=True)
class MaskMeasure:
    """Of boxes of held-out views: the detector's where one agrees with the annotation.

    Attributes:
        mean_iou: Mean IoU.
        above_half: Share of masks with IoU above 0.5.
        above_three_quarters: Share above 0.75.
        objects: How many.
    """

    mean_iou: float
    above_half: float
    above_three_quarters: float
    objects: int

    @classmethod
    def of(cls, ious: Sequence[float]) -> "MaskMeasure":
        """From each mask's IoU, at least one."""
        values = np.array(ious)
        half, three_quarters = (float((values > limit).mean()) for limit in (0.5, 0.75))
        return cls(float(values.mean()), half, three_quarters, len(values))


def train_masks(
    network: ObjectNetwork,
    caches: Sequence[CachedViews],
    held_out: Callable[[Row], bool],
    recipe: MaskRecipe,
    state: Path,
    log: Callable[[str], None],
) -> MaskMeasure:
    """Train, or go on where `state` says that training stopped.

    Every step's draws depend on the seed and its number alone, so that a resumed training sees
    what an unbroken one sees.
    """
    train, test = split(caches, held_out)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=1e-2)
    plan = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.steps, pct_start=0.05
    )
    kept = TrainingState(state, network, optimiser, plan, asdict(recipe))
    first = kept.resume()
    log(f"{len(train)} views to train on, {len(test)} held out, from step {first}")
    losses: list[float] = []
    overlaps: list[float] = []
    started = time.monotonic()
    network.train()
    for step in range(first, recipe.steps):
        rng = np.random.default_rng((recipe.seed, step))
        views = [train[k] for k in rng.integers(len(train), size=recipe.batch)]
        loss, ious = mask_loss(network, caches, views, recipe, rng)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        plan.step()
        losses.append(loss.item())
        overlaps += ious
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == recipe.steps:
            pace = (time.monotonic() - started) / (step + 1 - first)
            log(
                f"step {step + 1}: loss {np.mean(losses):.4f}, IoU {np.mean(overlaps):.4f}, "
                f"{pace:.2f} s a step"
            )
            losses, overlaps = [], []
            kept.save(step + 1)
    return measure_masks(network, caches, test, recipe)


def mask_loss(
    network: ObjectNetwork,
    caches: Sequence[CachedViews],
    views: Sequence[tuple[int, int]],
    recipe: MaskRecipe,
    rng: np.random.Generator | None,
) -> tuple[Tensor, list[float]]:
    """Cross-entropy near the box plus Dice, mean over objects; and the masks' IoU.

    Args:
        network: The network.
        caches: What `views` point into.
        views: (cache, view); all of one cache are read at once.
        recipe: How many objects, and how boxes move.
        rng: Draws objects and boxes; None: the largest objects, boxes as they are.
    """
    joined = _joined(network, caches, views)
    most = recipe.objects if rng is not None else MOST_MEASURED
    losses, qualities, overlaps = [], [], []
    for index, (cache, view) in enumerate(views):
        masks = caches[cache].masks(view)
        order = rng.permutation(len(masks)) if rng is not None else np.arange(len(masks))
        masks = masks[order[:most]]
        boxes = torch.from_numpy(
            given_boxes(masks, caches[cache].detected(view), rng, recipe.jitter)
        )
        target = torch.from_numpy(masks)
        one = Joined(*(level[index : index + 1] for level in joined))
        loss, quality, ious = object_losses(network, one, boxes, target)
        losses.append(loss)
        qualities.append(quality)
        overlaps += ious
    return torch.cat(losses).mean() + QUALITY * torch.stack(qualities).mean(), overlaps


def object_losses(
    network: ObjectNetwork, joined: Joined, boxes: Tensor, target: Tensor
) -> tuple[Tensor, Tensor, list[float]]:
    """Losses of the objects of one view.

    Args:
        network: The network.
        joined: Features of the view.
        boxes: (K, 4) centre x, y, width, height [px].
        target: (K, 104, 104) share of each cell that belongs to the object.

    Returns:
        (K,) loss of the masks of both looks, loss of their expected IoU, the masks' IoU.
    """
    response, first, quality, _ = network(joined, boxes, SIZE)
    with torch.no_grad():
        found, wanted = response > 0, target > 0.5
        shared = (found & wanted).sum(dim=(1, 2))
        iou = shared / (found | wanted).sum(dim=(1, 2)).clamp(min=1)
    return (
        _loss(response, target, boxes) + FIRST * _loss(first, target, boxes),
        functional.binary_cross_entropy_with_logits(quality, iou),
        iou.tolist(),
    )


def _joined(
    network: ObjectNetwork, caches: Sequence[CachedViews], views: Sequence[tuple[int, int]]
) -> Joined:
    parts = [caches[cache].features([view]) for cache, view in views]
    together = type(parts[0])(*(torch.cat(level) for level in zip(*parts, strict=True)))
    joined: Joined = network.join(together)
    return joined


def _loss(response: Tensor, target: Tensor, boxes: Tensor) -> Tensor:
    """(K,) cross-entropy over the neighbourhood of each box plus Dice."""
    near = (box_places(boxes, sides(response))[:, 2].view_as(response) < NEAR_BOX).float()
    entropy = functional.binary_cross_entropy_with_logits(response, target, reduction="none")
    entropy = (entropy * near).sum(dim=(1, 2)) / near.sum(dim=(1, 2)).clamp(min=1)
    found = torch.sigmoid(response)
    shared = (found * target).sum(dim=(1, 2))
    dice = 1 - (2 * shared + 4) / (found.sum(dim=(1, 2)) + target.sum(dim=(1, 2)) + 4)
    return entropy + dice


@torch.no_grad()
def measure_masks(
    network: ObjectNetwork,
    caches: Sequence[CachedViews],
    views: Sequence[tuple[int, int]],
    recipe: MaskRecipe,
) -> MaskMeasure:
    """IoU of the masks of held-out views."""
    network.eval()
    found: list[float] = []
    chosen = views[:MEASURED_VIEWS]
    for start in range(0, len(chosen), recipe.batch):
        found += mask_loss(network, caches, chosen[start : start + recipe.batch], recipe, None)[1]
    return MaskMeasure.of(found)
