"""The two public networks trained further: steady under light, blur and noise of real cameras.

The student sees a worse picture of the same view than the teacher, which is the network as it was
published, and learns to say the same of it. So no label is needed and no knowledge is lost.
"""

import copy
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from actseg_core.networks.object_features import TRUNK_TOP, FrameFeatures, FrameTrunk
from actseg_core.networks.tensors import network_input
from actseg_core.training.lite.photos import Photo, random_view

RATE = 1e-4
BATCH = 4
BOX_WEIGHT = 0.05
SHARE = 0.35
"""Of the way from the published to the trained weights that is gone in the end: such averages keep
more of what the published ones know than the end does (Wortsman et al., "Robust fine-tuning of
zero-shot models", 2022)."""
LOG_EVERY = 50


def distill(
    trunk: FrameTrunk,
    photos: Sequence[Photo],
    steps: int,
    seed: int,
    log: Callable[[str], None],
) -> float:
    """Train both networks in place, then go back a part of the way.

    Their statistics of batch norms stay.

    Args:
        trunk: As published; the teacher is a copy of it.
        photos: Random views of them are looked at.
        steps: Optimiser steps of 4 views.
        seed: Of views and disturbances.
        log: Told of the progress.

    Returns:
        Mean loss of the last steps.
    """
    teacher = copy.deepcopy(trunk).eval()
    trunk.eval()  # batch norms keep their statistics
    trained = [*trunk.trunk.parameters(), *trunk.detector.parameters()]
    optimiser = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=max(steps, 2))
    losses: list[float] = []
    for step in range(steps):
        rng = np.random.default_rng((seed, step))
        clean = [
            random_view(photos[int(rng.integers(len(photos)))], rng).image for _ in range(BATCH)
        ]
        with torch.no_grad():
            wanted = teacher(as_input(clean))
        loss = difference(trunk(as_input([disturbed(image, rng) for image in clean])), wanted)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        plan.step()
        losses.append(loss.item())
        if (step + 1) % LOG_EVERY == 0:
            log(f"distillation step {step + 1}: loss {np.mean(losses[-LOG_EVERY:]):.4f}")
    with torch.no_grad():
        for ours, theirs in zip(trunk.parameters(), teacher.parameters(), strict=True):
            ours.copy_(theirs + SHARE * (ours - theirs))
    return float(np.mean(losses[-LOG_EVERY:])) if losses else 0.0


def difference(found: FrameFeatures, wanted: FrameFeatures) -> Tensor:
    """How far two answers to one frame are apart: features relative to their size, the detector's
    probabilities by cross-entropy, boxes where the teacher sees an object."""
    loss = torch.zeros(())
    for ours, theirs in zip(found[:4], wanted[:4], strict=True):
        loss = loss + _distance(ours, theirs)
    return loss + _detector_loss(found, wanted)


def knowledge_loss(found: FrameFeatures, wanted: FrameFeatures) -> Tensor:
    """How far apart two frames' names and boxes are; 0 if they are equal.

    Names come of the trunk's features at stride 32; all other features are free.
    """
    names = _distance(found.stride32[:, :TRUNK_TOP], wanted.stride32[:, :TRUNK_TOP])
    with torch.no_grad():
        least = _detector_loss(wanted, wanted)
    return names + _detector_loss(found, wanted) - least


def _distance(ours: Tensor, theirs: Tensor) -> Tensor:
    return functional.mse_loss(ours, theirs) / theirs.var().clamp(min=1e-6)


def _detector_loss(found: FrameFeatures, wanted: FrameFeatures) -> Tensor:
    objects = torch.sigmoid(wanted.objectness)
    loss = functional.binary_cross_entropy_with_logits(found.objectness, objects)
    names = functional.binary_cross_entropy_with_logits(
        found.classes, torch.sigmoid(wanted.classes), reduction="none"
    ).sum(dim=2)
    weight = objects / objects.sum().clamp(min=1)
    boxes = (found.boxes - wanted.boxes).abs().mean(dim=2)
    return loss + (weight * names).sum() + BOX_WEIGHT * (weight * boxes).sum()


def disturbed(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture as a poorer camera gives it: other light, motion blur, noise, JPEG.

    Black padding stays black.
    """
    result = image.astype(np.float32) * float(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.5:
        length = int(rng.integers(3, 10))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D(
            ((length - 1) / 2, (length - 1) / 2), float(rng.uniform(0, 180)), 1.0
        )
        kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
        result = np.asarray(cv2.filter2D(result, -1, kernel / max(kernel.sum(), 1e-3)), np.float32)
    result += rng.normal(0, rng.uniform(0, 8), image.shape).astype(np.float32)
    packed = np.clip(result, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
        packed = np.asarray(cv2.imdecode(cv2.imencode(".jpg", packed, quality)[1], 1), np.uint8)
    return np.where(image.max(axis=2, keepdims=True) > 0, packed, np.uint8(0))


def as_input(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """(N, 3, H, W) in [-1, 1] of N pictures (H, W, 3) uint8 RGB."""
    frames = network_input(torch.from_numpy(np.stack(images)))
    return frames.contiguous(memory_format=torch.channels_last)
