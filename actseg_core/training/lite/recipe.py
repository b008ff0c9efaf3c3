"""The default model from photographs and two public networks: features, masks, naming."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.config import ModelConfig
from actseg_core.errors import CheckpointError, ConfigError, DatasetError
from actseg_core.experiment_config import LiteTrainConfig
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.text.word_vectors import load_word_vectors
from actseg_core.training.lite.cached_views import CachedViews, Jitter, split
from actseg_core.training.lite.distill import distill
from actseg_core.training.lite.feature_cache import Row, build
from actseg_core.training.lite.joint import JointRecipe, average, train_jointly
from actseg_core.training.lite.masks import MaskRecipe, measure_masks, train_masks
from actseg_core.training.lite.naming import train_naming
from actseg_core.training.lite.object_table import object_table
from actseg_core.training.lite.photos import Photo, read_photos
from actseg_core.training.lite.pretrained import pretrained_trunk

HELD_OUT_EVERY = 3


def train_lite(
    config: ModelConfig,
    settings: LiteTrainConfig,
    run: Path,
    destination: Path,
    log: Callable[[str], None],
) -> None:
    """One phase; what was done before an interruption is not done again.

    Args:
        config: Of the model.
        settings: Of the phase.
        run: Folder of states, weights of the masks (masks.pt) and figures (figures.json).
        destination: The checkpoint to write.
        log: Told of the progress.

    Raises:
        ConfigError: If photographs or the detector's file are not named.
        DatasetError: If photographs cannot be read.
        CheckpointError: If weights cannot be read or written.
    """
    if not settings.photos or not settings.detector:
        raise ConfigError("name folders of photographs (photos) and YOLOX-nano's file (detector)")
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    run.mkdir(parents=True, exist_ok=True)
    photos = [
        photo
        for folder in settings.photos
        for photo in read_photos(Path(folder), settings.permissive_only)
    ]
    held_out = _held_out(settings.held_out)
    model = ObjectsModel(config).eval()
    model.frame.load_state_dict(pretrained_trunk(Path(settings.detector)).state_dict())
    views = _features(model, photos, settings, log)
    _start(model, settings.start)
    recipe = MaskRecipe(
        steps=settings.steps,
        batch=settings.batch,
        rate=settings.rate,
        seed=settings.seed,
        jitter=Jitter(settings.shift, settings.resize),
    )
    started = {name: value.clone() for name, value in model.objects.state_dict().items()}
    masks = train_masks(model.objects, [views], held_out, recipe, run / "masks.state", log)
    if settings.own_share < 1:
        average(model.objects, started, settings.own_share)
        test = split([views], held_out)[1]
        masks = measure_masks(model.objects, [views], test, recipe)
    torch.save(model.objects.state_dict(), run / "masks.pt")
    log(f"masks of held-out views: {masks}")
    table = object_table(model, [views], lambda row: bool(row.categories), log)
    apart = np.array([held_out(views.rows[k]) for k in table.views])
    naming = train_naming(
        model.naming, table, apart, log, steps=settings.naming_steps, seed=settings.seed
    )
    log(f"names of held-out objects: {naming}")
    distilled = distill(model.frame, photos, settings.distill_steps, settings.seed, log)
    metrics = {"masks": masks.__dict__, "naming": naming.__dict__, "distillation": distilled}
    if settings.joint_steps:
        recipe_ = JointRecipe(settings.joint_steps, seed=settings.seed)
        joint = train_jointly(model, photos, held_out, recipe_, run / "joint.state", log)
        log(f"masks of held-out views after joint training: {joint}")
        metrics["joint"] = joint.__dict__
    (run / "figures.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    words = load_word_vectors(config.text.vectors).digest
    save_checkpoint(destination, model, metrics, torch.float16, words)


def _features(
    model: ObjectsModel,
    photos: list[Photo],
    settings: LiteTrainConfig,
    log: Callable[[str], None],
) -> CachedViews:
    repeated = [
        photo
        for photo in photos
        for _ in range(settings.repeat if len(set(photo.categories)) > 1 else 1)
    ]
    folder = Path(settings.cache)
    build(repeated, model.frame, folder, settings.views, settings.seed, log, settings.pasted)
    return CachedViews(folder)


def _start(model: ObjectsModel, path: str) -> None:
    if not path:
        return
    try:
        model.objects.load_state_dict(torch.load(path, weights_only=True))
    except (OSError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path} does not hold an earlier phase's masks: {error}") from error


def _held_out(path: str) -> Callable[[Row | Photo], bool]:
    """Which views or photographs are never trained on."""
    if not path:
        return lambda of: False
    try:
        ids = frozenset(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{path} is no JSON list of ids: {error}") from error
    return lambda of: of.number in ids and of.number % HELD_OUT_EVERY == 0
