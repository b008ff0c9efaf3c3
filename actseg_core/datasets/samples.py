"""One sample: a sentence about one annotated frame; and the order in which samples are drawn."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DatasetError, ShapeError, VideoError, VocabularyError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """A sentence about one annotated frame of a video.

    Attributes:
        sentence: As annotated.
        video: Id of the video in its dataset.
        frame: The annotated frame, counted from 0.
        instance: The dataset's id of the referred instance; 0 where there is only one.
    """

    sentence: str
    video: str
    frame: int
    instance: int = 0


class SentenceDataset(Protocol):
    """What every reader offers; `loading.ClipDataset` turns it into clips for training."""

    @property
    def name(self) -> str:
        """For messages and tables."""
        ...

    @property
    def samples(self) -> Sequence[Sample]:
        """In a fixed order."""
        ...

    @property
    def bad(self) -> "BadData":
        """What was damaged and left out."""
        ...

    def video(self, sample: Sample) -> Path:
        """The video file or the folder of frames."""
        ...

    def length(self, sample: Sample) -> int | None:
        """Number of leading frames that may be used; None: all of the video."""
        ...

    def annotation(self, sample: Sample) -> Path:
        """The file that holds the mask, for messages."""
        ...

    def mask(self, sample: Sample) -> NDArray[np.bool_]:
        """(H, W) bool at the video's own size, true on the referred actor.

        (0, 0) where the dataset says that the described actor is absent.

        Raises:
            DatasetError: If the annotation is missing or damaged, or marks no pixel.
        """
        ...


class Part:
    """Some samples of a dataset, as a dataset.

    Args:
        whole: Where they are from.
        samples: Of `whole`.
    """

    def __init__(self, whole: SentenceDataset, samples: Sequence[Sample]) -> None:
        self._whole = whole
        self.name = whole.name
        self.samples = samples

    @property
    def bad(self) -> "BadData":
        """The whole dataset's."""
        return self._whole.bad

    def video(self, sample: Sample) -> Path:
        """As of the whole; so are the next three."""
        return self._whole.video(sample)

    def length(self, sample: Sample) -> int | None:
        return self._whole.length(sample)

    def annotation(self, sample: Sample) -> Path:
        return self._whole.annotation(sample)

    def mask(self, sample: Sample) -> NDArray[np.bool_]:
        return self._whole.mask(sample)


class BadData:
    """Damaged data: an error at once, or counted and left out.

    Args:
        skip: Whether to go on.

    Attributes:
        messages: What was left out and why, in order.
    """

    def __init__(self, skip: bool) -> None:
        self.skip = skip
        self.messages: list[str] = []

    def __len__(self) -> int:
        return len(self.messages)

    @contextmanager
    def tolerated(self) -> Iterator[None]:
        """Around the reading of one item.

        Raises:
            DatasetError, VideoError, ShapeError, VocabularyError: As they come, unless told to
                skip.
        """
        try:
            yield
        except (DatasetError, VideoError, ShapeError, VocabularyError) as error:
            if not self.skip:
                raise
            self.add(str(error))

    def add(self, message: str) -> None:
        """Count one item that was left out."""
        self.messages.append(message)
        logger.warning("left out: %s", message)


STRICT = BadData(False)
"""Nothing is left out."""


def require_pixels(mask: NDArray[np.bool_], what: str) -> NDArray[np.bool_]:
    """The mask itself: an annotation that marks nothing does not say that nobody is there.

    Raises:
        DatasetError: If it has no pixel inside.
    """
    if not mask.any():
        raise DatasetError(f"{what} marks no pixel; annotate it again or leave the sample out")
    return mask


def sample_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """A permutation (count,) of the samples, the same for the same seed and epoch."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def sample_rng(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Random numbers that belong to one sample of one epoch, whichever worker loads it."""
    return np.random.default_rng([seed, epoch, index, 1])
