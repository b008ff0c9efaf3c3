"""The data of a training, opened and looked at before anything long begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_layout import Split
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.clips import evenly_spaced
from actseg_core.datasets.custom import CustomDataset
from actseg_core.datasets.loading import ClipDataset
from actseg_core.datasets.samples import Part, Sample, SentenceDataset
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import TrainData
from actseg_core.text.sentence import SentenceReader
from actseg_core.training.settings import Layout, TrainRunConfig

LAYOUTS: dict[TrainData, Layout] = {
    "a2d_sentences": "a2d-sentences",
    "a2d_pairs": "a2d-pairs",
    "referit": "custom",
}


@dataclass(frozen=True)
class TrainingData:
    """What a run trains on and watches.

    Attributes:
        train: All samples of the training split.
        val: Evenly spread samples of the test split; None: no validation.
    """

    train: SentenceDataset
    val: SentenceDataset | None


def open_data(settings: TrainRunConfig, train_on: TrainData) -> TrainingData:
    """Open both splits.

    Raises:
        ConfigError: If no folder is given or it does not exist.
        DatasetError: If a file is missing or damaged.
    """
    layout = settings.layout or LAYOUTS[train_on]
    train = open_split(layout, _folder("data", settings.data), "train", settings.skip_bad)
    if not settings.val_samples:
        return TrainingData(train, None)
    place = _folder("val_data", settings.val_data or settings.data)
    val = open_split(layout, place, "test", settings.skip_bad)
    return TrainingData(train, Part(val, _spread(val.samples, settings.val_samples)))


def open_split(layout: Layout, root: Path, split: Split, skip_bad: bool) -> SentenceDataset:
    """One split of a data set with sentences or with the pairs' names for sentences."""
    if layout == "a2d-pairs":
        return A2DPairs(root, split, skip_bad=skip_bad)
    if layout == "custom":
        return CustomDataset(root, split, skip_bad=skip_bad)
    return A2DSentences(root, split, skip_bad=skip_bad)


def as_clips(
    dataset: SentenceDataset, config: ModelConfig, reader: SentenceReader, seed: int
) -> ClipDataset:
    """The samples as clips; the first one is read, so that what is missing is said at once.

    Raises:
        ActSegError: If that one cannot be read and damaged ones are not skipped.
    """
    clips = ClipDataset(dataset, config, reader=reader, seed=seed)
    if len(clips):
        with dataset.bad.tolerated():
            clips[0]
    return clips


def _folder(name: str, given: str) -> Path:
    if not given:
        raise ConfigError(f"the setting {name} is missing; give the folder of the {name} set")
    path = Path(given)
    if not path.is_dir():
        raise ConfigError(f"{name}: there is no folder {path}; `actseg generate {path}` makes one")
    return path


def _spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    if count >= len(samples):
        return list(samples)
    return [samples[index] for index in evenly_spaced(len(samples), count)]
