"""Samples of a reader as questions, and a predictor that answers them."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import FlowConfig, ModelConfig
from actseg_core.datasets.clips import clip_indices, evenly_spaced, load_clip
from actseg_core.datasets.samples import Sample, SentenceDataset
from actseg_core.errors import DatasetError, VocabularyError
from actseg_core.evaluation.questions import Prediction, Question, Swap
from actseg_core.evaluation.run import Row
from actseg_core.evaluation.swaps import Described, Swapper
from actseg_core.flow import make_estimator
from actseg_core.image import Placement, resize_and_pad
from actseg_core.predictor import Predictor
from actseg_core.types import Clip, MaskResult, Sentence
from actseg_core.video.reader import ReaderPool

_CACHED_CLIPS = 2  # that of the frame and that of the next one


@dataclass(frozen=True, eq=False, kw_only=True)
class ClipQuestion(Question):
    """A question with what the network reads.

    Attributes:
        clip: The frames around the labelled one, at their own size.
        asked: The sentence with its word vectors.
        next_clip: The frames around the one after it; None: not wanted, or the video ends.
    """

    clip: Clip
    asked: Sentence
    next_clip: Clip | None = None


class ClipQuestions:
    """Questions of a data set, frame by frame, so that each clip is encoded once.

    Args:
        dataset: Any reader. Damaged samples raise, or are counted in its `bad`.
        config: The network's: frames, and which is labelled.
        read: Looks a sentence's words up.
        limit: Ask about so many samples, evenly spread over the data set; 0: all.
        described: Sentence and pair of every (video, instance), where known.
        swapper: Adds false sentences to the true ones; needs `described`.
        frozen: Show the labelled frame over and over: what the network knows without motion.
        following: Also load the clip of the next frame, for the consistency over time.
    """

    def __init__(
        self,
        dataset: SentenceDataset,
        config: ModelConfig,
        read: Callable[[str], Sentence],
        *,
        limit: int = 0,
        described: dict[tuple[str, int], Described] | None = None,
        swapper: Swapper | None = None,
        frozen: bool = False,
        following: bool = False,
    ) -> None:
        self.dataset = dataset
        self._config = config
        self._read = read
        self._described = described or {}
        self._frozen = frozen
        self._following = following
        self._pool = ReaderPool()
        chosen = select(dataset.samples, limit)
        self.asked = len(chosen)
        self._plan = [
            (sample, self._sentences(sample, swapper))
            for sample in sorted(chosen, key=lambda sample: (sample.video, sample.frame))
        ]

    def __len__(self) -> int:
        return sum(len(sentences) for _, sentences in self._plan)

    def _sentences(self, sample: Sample, swapper: Swapper | None) -> list[tuple[Swap | None, str]]:
        """The sample's own sentence and false ones in its place."""
        known = self._described.get((sample.video, sample.instance))
        swaps = (
            swapper.swaps(sample_id(sample), sample.video, known.pair) if swapper and known else []
        )
        return [(None, sample.sentence), *swaps]

    def __iter__(self) -> Iterator[ClipQuestion]:
        for sample, sentences in self._plan:
            questions: list[ClipQuestion] = []
            with self.dataset.bad.tolerated():
                questions = self._questions(sample, sentences)
            yield from questions

    def _questions(
        self, sample: Sample, sentences: Sequence[tuple[Swap | None, str]]
    ) -> list[ClipQuestion]:
        name = sample_id(sample)
        item = load_clip(self.dataset, sample, self._config, self._pool)
        clip = self._shown(item.clip)
        following = self._next_clip(sample) if self._following else None
        known = self._described.get((sample.video, sample.instance))
        return [
            ClipQuestion(
                sample_id=f"{name}#{swap}" if swap else name,
                video_id=sample.video,
                frame=sample.frame,
                sentence=text,
                truth=np.zeros_like(item.mask) if swap else item.mask,
                pair=known.pair if known else None,
                swapped=swap,
                original=name if swap else "",
                clip=clip,
                asked=self._words(name, text),
                next_clip=following,
            )
            for swap, text in sentences
        ]

    def _shown(self, clip: Clip) -> Clip:
        if not self._frozen:
            return clip
        return Clip(np.repeat(clip.rgb[self._config.label_index][None], len(clip), axis=0))

    def _next_clip(self, sample: Sample) -> Clip | None:
        reader = self._pool.get(self.dataset.video(sample))
        usable = self.dataset.length(sample)
        length = reader.info.frames if usable is None else min(reader.info.frames, usable)
        if sample.frame + 1 >= length:
            return None
        indices = clip_indices(sample.frame + 1, length, self._config)
        return self._shown(Clip(reader.read(indices)))

    def _words(self, name: str, text: str) -> Sentence:
        try:
            return self._read(text)
        except VocabularyError as error:
            raise DatasetError(f"the sentence of {name} cannot be asked: {error}") from error

    def image(self, row: Row) -> NDArray[np.uint8]:
        """The labelled frame (H, W, 3) of an answered question.

        Raises:
            VideoError: If the video cannot be read.
        """
        video = self.dataset.video(Sample(row.sentence, row.video_id, row.frame))
        image: NDArray[np.uint8] = self._pool.get(video).read([row.frame])[0]
        return image

    def close(self) -> None:
        """Close the videos."""
        self._pool.close()


class ClipAnswerer:
    """Answers clip questions with a network; the clip of consecutive questions is encoded once.

    Args:
        predictor: The network.
        flow: Estimates the motion between labelled frame and next, for the consistency over time.
    """

    def __init__(self, predictor: Predictor, flow: FlowConfig | None = None) -> None:
        self._predictor = predictor
        self._estimator = make_estimator(flow or FlowConfig())
        self._encoded: OrderedDict[tuple[str, int], tuple[Any, Placement]] = OrderedDict()

    def __call__(self, question: ClipQuestion) -> Prediction:
        result = self._answer(question, question.clip, question.frame)
        following = question.next_clip
        if following is None:
            return _prediction(result)
        index = self._predictor.config.label_index
        return Prediction(
            mask=result.mask > 0,
            found=result.found,
            confidence=result.confidence,
            next_mask=self._answer(question, following, question.frame + 1).mask > 0,
            next_flow=self._estimator.estimate(question.clip.rgb[index], following.rgb[index]),
        )

    def _answer(self, question: ClipQuestion, clip: Clip, frame: int) -> MaskResult:
        key = (question.video_id, frame)
        if key not in self._encoded:
            size = self._predictor.config.size
            placed = [resize_and_pad(image, size) for image in clip.rgb]
            images = np.stack([image for image, _ in placed])
            self._encoded[key] = (self._predictor.encode(images, None), placed[0][1])
            while len(self._encoded) > _CACHED_CLIPS:
                self._encoded.popitem(last=False)
        features, placement = self._encoded[key]
        return self._predictor.answer(features, [question.asked], placement)[0]


def _prediction(result: MaskResult) -> Prediction:
    return Prediction(mask=result.mask > 0, found=result.found, confidence=result.confidence)


def sample_id(sample: Sample) -> str:
    """A name that is unique in the sample's data set."""
    return f"{sample.video}/{sample.frame:05d}/{sample.instance}"


def select(samples: Sequence[Sample], limit: int) -> list[Sample]:
    """`limit` samples, evenly spread; all for 0 or if there are no more."""
    if not 0 < limit < len(samples):
        return list(samples)
    return [samples[index] for index in evenly_spaced(len(samples), limit)]
