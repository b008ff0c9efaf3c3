"""The last phase: both public networks and the masks trained together, on pictures.

The phases before train the masks on features that stay. Here the features may change so that
masks get better; what the two networks say of a picture (ImageNet's names, COCO's boxes) is held
to what they said before by a second loss, with themselves as the teachers and without a label.
"""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from actseg_core.networks.object_features import FrameFeatures, FrameTrunk
from actseg_core.networks.object_net import Joined
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.training.lite.cached_views import MIN_OBJECTNESS, Jitter, given_boxes
from actseg_core.training.lite.distill import as_input, disturbed, knowledge_loss
from actseg_core.training.lite.feature_cache import BOXES, largest_masks, top_boxes
from actseg_core.training.lite.masks import MOST_MEASURED, QUALITY, MaskMeasure, object_losses
from actseg_core.training.lite.photos import Photo, PhotoView, pasted_view, random_view
from actseg_core.training.lite.state import TrainingState

DISTURBED = 0.5  # share of views of which the student sees a poorer picture than the teacher
LOG_EVERY = 50
SAVE_EVERY = 100
MEASURED_SEED = 77
MEASURED_VIEWS = 240


@dataclass(frozen=True)
class JointRecipe:
    """One joint training.

    Attributes:
        steps: Optimiser steps.
        batch: Views per step.
        objects: Most objects per view.
        rate: Highest learning rate of the two public networks.
        mask_rate: Highest learning rate of what is above them.
        knowledge: Weight of the loss that holds names and boxes.
        share: Of the way from the weights of the start to those of the end that is gone: such an
            average keeps more of what both know than either (Wortsman et al., 2022).
        alike: Share of views that show one category alone (there are many photographs of cats).
        pasted: Share of views into which objects of another photograph are pasted.
        seed: Of the draws.
        jitter: Of the boxes.
    """

    steps: int = 2000
    batch: int = 4
    objects: int = 8
    rate: float = 1e-4
    mask_rate: float = 5e-4
    knowledge: float = 1.0
    share: float = 0.5
    alike: float = 0.3
    pasted: float = 0.5
    seed: int = 1
    jitter: Jitter = Jitter(0.05, 0.1)


def train_jointly(
    model: ObjectsModel,
    photos: Sequence[Photo],
    held_out: Callable[[Photo], bool],
    recipe: JointRecipe,
    state: Path,
    log: Callable[[str], None],
) -> MaskMeasure:
    """Train in place, or go on where `state` says that training stopped.

    Statistics of batch norms stay. Every step's draws depend on the seed and its number alone.

    Args:
        model: As the phases before left it; a copy of its frame network is the teacher.
        photos: Annotated photographs.
        held_out: Which of them are only measured.
        recipe: How.
        state: File of the state.
        log: Told of the progress.

    Returns:
        Figures of the masks of held-out views; NaN where none is held out.

    Raises:
        DatasetError: If a photograph is missing or damaged.
    """
    teacher = copy.deepcopy(model.frame).eval().requires_grad_(False)
    model.eval()
    begun = {name: value.clone() for name, value in model.state_dict().items()}
    upper = list(model.objects.parameters())
    public = [*model.frame.trunk.parameters(), *model.frame.detector.parameters()]
    optimiser = torch.optim.AdamW(
        [
            {"params": upper, "lr": recipe.mask_rate, "weight_decay": 1e-2},
            {"params": public, "lr": recipe.rate, "weight_decay": 0.0},
        ]
    )
    plan = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [recipe.mask_rate, recipe.rate], total_steps=recipe.steps, pct_start=0.1
    )
    kept = TrainingState(state, model, optimiser, plan, asdict(recipe))
    first = kept.resume()
    draw = _Views([photo for photo in photos if not held_out(photo)], recipe)
    started = time.monotonic()
    seen: list[tuple[float, float, float]] = []
    for step in range(first, recipe.steps):
        rng = np.random.default_rng((recipe.seed, step))
        loss, knowledge, iou = _losses(model, teacher, draw.batch(rng), recipe, rng)
        optimiser.zero_grad()
        (loss + recipe.knowledge * knowledge).backward()  # type: ignore[no-untyped-call]
        for part in (upper, public):
            torch.nn.utils.clip_grad_norm_(part, 1.0)
        optimiser.step()
        plan.step()
        seen.append((loss.item(), knowledge.item(), iou))
        if (step + 1) % LOG_EVERY == 0:
            means = np.mean(seen[-LOG_EVERY:], axis=0)
            pace = (time.monotonic() - started) / (step + 1 - first)
            log(
                f"joint step {step + 1}: loss {means[0]:.4f}, names and boxes {means[1]:.4f}, "
                f"IoU {means[2]:.4f}, {pace:.2f} s a step"
            )
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == recipe.steps:
            kept.save(step + 1)
    average(model, begun, recipe.share)
    return measure_views(model, teacher, [photo for photo in photos if held_out(photo)])


@torch.no_grad()
def average(network: nn.Module, start: Mapping[str, Tensor], share: float) -> None:
    """Put the weights on the way from `start` to what they are; whole numbers stay."""
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(start[name] + share * (value - start[name]))


class _Views:
    """Random views, so that photographs of one category alone are a given share."""

    def __init__(self, photos: Sequence[Photo], recipe: JointRecipe) -> None:
        common = [photo for photo in photos if set(photo.categories) == {"cat"}]
        rest = [photo for photo in photos if set(photo.categories) != {"cat"}]
        self._kinds = (common or rest, rest or common)
        self._recipe = recipe

    def batch(self, rng: np.random.Generator) -> list[PhotoView]:
        views: list[PhotoView] = []
        while len(views) < self._recipe.batch:
            view = self._one(rng)
            if rng.random() < self._recipe.pasted:
                view = pasted_view(view, self._one(rng), rng)
            if len(largest_masks(view.masks)):
                views.append(view)
        return views

    def _one(self, rng: np.random.Generator) -> PhotoView:
        photos = self._kinds[0 if rng.random() < self._recipe.alike else 1]
        return random_view(photos[int(rng.integers(len(photos)))], rng)


def _losses(
    model: ObjectsModel,
    teacher: FrameTrunk,
    views: Sequence[PhotoView],
    recipe: JointRecipe,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor, float]:
    """Loss of the masks, loss that holds names and boxes, mean IoU."""
    clean = [view.image for view in views]
    with torch.no_grad():
        wanted = teacher(as_input(clean))
    worse = [disturbed(image, rng) if rng.random() < DISTURBED else image for image in clean]
    found = model.frame(as_input(worse))
    joined = model.objects.join(found)
    losses, qualities, overlaps = [], [], []
    for index, view in enumerate(views):
        masks = _target(view)
        masks = masks[rng.permutation(len(masks))[: recipe.objects]]
        boxes = given_boxes(masks, detected(wanted, index), rng, recipe.jitter)
        loss, quality, ious = object_losses(
            model.objects,
            Joined(*(level[index : index + 1] for level in joined)),
            torch.from_numpy(boxes),
            torch.from_numpy(masks),
        )
        losses.append(loss)
        qualities.append(quality)
        overlaps += ious
    mask_loss = torch.cat(losses).mean() + QUALITY * torch.stack(qualities).mean()
    return mask_loss, knowledge_loss(found, wanted), float(np.mean(overlaps))


def _target(view: PhotoView) -> NDArray[np.float32]:
    return np.divide(view.masks[largest_masks(view.masks)], 255, dtype=np.float32)


def detected(found: FrameFeatures, index: int) -> NDArray[np.float32]:
    """(M, 4) boxes of one of N frames that may hold an object, as a feature cache keeps them."""
    objectness, classes = found.objectness[index], found.classes[index]
    best = top_boxes(found.boxes[index], objectness.sigmoid() * classes.amax(1).sigmoid(), BOXES)
    likely = [k for k in best if objectness[k] > MIN_OBJECTNESS]
    boxes: NDArray[np.float32] = found.boxes[index, likely].numpy()
    return boxes


@torch.inference_mode()
def measure_views(
    model: ObjectsModel, teacher: FrameTrunk, photos: Sequence[Photo]
) -> MaskMeasure:
    """Masks of one random view of each photograph, with the teacher's boxes where one agrees."""
    ious: list[float] = []
    for number, photo in enumerate(photos[:MEASURED_VIEWS]):
        view = random_view(photo, np.random.default_rng((MEASURED_SEED, number)))
        masks = _target(view)[:MOST_MEASURED]
        if len(masks):
            frames = as_input([view.image])
            boxes = given_boxes(masks, detected(teacher(frames), 0), None, Jitter())
            joined = model.objects.join(model.frame(frames))
            target = torch.from_numpy(masks)
            ious += object_losses(model.objects, joined, torch.from_numpy(boxes), target)[2]
    return MaskMeasure.of(ious)
