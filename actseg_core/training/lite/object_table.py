"""Objects of kept views as the node would see them, and what the annotation calls each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.objects.naming import NamingInput
from actseg_core.objects.perception import MIN_SCORE
from actseg_core.objects.scene import mask_overlap
from actseg_core.training.lite.cached_views import CachedViews
from actseg_core.training.lite.feature_cache import Row

Array = NDArray[np.float32]
IS_IT = 0.5
IS_NOT = 0.2
MOST_OBJECTS = 20
UNSURE = "?"
NOTHING = ""


@dataclass(frozen=True, eq=False)
class ObjectTable:
    """N objects.

    Attributes:
        naming: What names them.
        categories: (N,) the annotation's category; NOTHING if the view is annotated completely
            and the object is none of it, UNSURE otherwise.
        views: (N,) number of the view within its cache.
    """

    naming: NamingInput
    categories: NDArray[np.str_]
    views: NDArray[np.intp]


@torch.inference_mode()
def object_table(
    model: ObjectsModel,
    caches: Sequence[CachedViews],
    wanted: Callable[[Row], bool],
    log: Callable[[str], None],
) -> ObjectTable:
    """The objects of all wanted views."""
    model.eval()
    columns: dict[str, list[Array]] = {name: [] for name in NamingInput.__dataclass_fields__}
    categories: list[str] = []
    views: list[int] = []
    for cache in caches:
        for view, row in enumerate(cache.rows):
            if not wanted(row):
                continue
            naming, masks = _objects(model, cache, view)
            if naming is None:
                continue
            for name, values in columns.items():
                values.append(getattr(naming, name))
            categories += _called(masks, cache.masks(view), row)
            views += [view] * len(masks)
            if len(views) % 2000 < len(masks):
                log(f"{len(views)} objects")
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    return ObjectTable(NamingInput(**joined), np.array(categories), np.array(views))


def _objects(
    model: ObjectsModel, cache: CachedViews, view: int
) -> tuple[NamingInput | None, Array]:
    objectness = _sigmoid(cache.arrays["objectness"][view].astype(np.float32))
    classes = _sigmoid(cache.arrays["classes"][view].astype(np.float32))
    rows = np.flatnonzero(objectness * classes.max(axis=1) > MIN_SCORE)[:MOST_OBJECTS]
    if not len(rows):
        return None, np.zeros((0, 1, 1), np.float32)
    features = cache.features([view])
    joined = model.objects.join(features)
    names = model.frame.names(features.stride32)
    boxes = torch.from_numpy(np.array(cache.arrays["boxes"][view][rows]))
    found, named, _, _ = model.look(joined.stride16, joined.stride8, joined.masks, names, boxes)
    masks = found.numpy()
    areas = (masks > 0.5).mean(axis=(1, 2), dtype=np.float32)
    return NamingInput(objectness[rows], classes[rows], named.numpy(), areas), masks


def _called(masks: Array, annotated: Array, row: Row) -> list[str]:
    """What the annotation calls each mask."""
    if not len(annotated):
        return [NOTHING if row.complete else UNSURE] * len(masks)
    overlap = mask_overlap(masks, annotated)
    found = []
    for best, most in zip(overlap.argmax(axis=1), overlap.max(axis=1), strict=True):
        if most > IS_IT:
            found.append(row.categories[best])
        else:
            found.append(NOTHING if row.complete and most < IS_NOT else UNSURE)
    return found


def _sigmoid(value: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-value)), np.float32)
