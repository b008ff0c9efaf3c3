"""Sentences made false: what A2D's label maps say is not there is asked all the same. [ours]

The false sentences are true sentences of other videos, so that wording and length are the data
set's own. What a video shows is read off all its annotated frames.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import get_args

import numpy as np

from actseg_core.datasets.a2d_layout import A2DLayout
from actseg_core.datasets.a2d_pairs import label_map
from actseg_core.datasets.samples import Sample, SentenceDataset
from actseg_core.errors import DatasetError
from actseg_core.evaluation.questions import Swap
from actseg_core.labels import ACTORS, PAIRS, Pair, pair_from_label

_HUMANS = {ACTORS.index(name) + 1 for name in ("adult", "baby")}


@dataclass(frozen=True)
class VerbPair:
    """Two answers about one actor in one frame.

    Attributes:
        confidence: Of the true sentence.
        other_confidence: Of the sentence with another verb, which is false of everyone there.
        found: Whether the true sentence was answered "found".
        other_found: Whether the false one was.
        coverage: Share of the actor's pixels that the true sentence's mask covers.
        other_coverage: Share that the false one's mask covers.
    """

    confidence: float
    other_confidence: float
    found: bool
    other_found: bool
    coverage: float
    other_coverage: float


@dataclass(frozen=True)
class VerbScores:
    """Sensitivity to the verb; values in [0, 1] unless said, NaN where nothing was asked.

    Attributes:
        pairs: Pairs of a true sentence and one with another verb.
        ranked: Share of pairs whose true sentence has the higher confidence, ties counting half.
        confidence_drop: Mean confidence lost with the wrong verb, in [-1, 1].
        found: Share of true sentences that were answered "found".
        other_found: Share of false ones that were.
        coverage: Mean share of the actor that the true sentence's mask covers.
        other_coverage: Mean share that the false one's covers.
        rivals: Answers about one of two actors of a kind that do different things in one frame.
        told_apart: Share of those answers that overlap their own actor more than the other;
            NaN without one.
    """

    pairs: int
    ranked: float
    confidence_drop: float
    found: float
    other_found: float
    coverage: float
    other_coverage: float
    rivals: int
    told_apart: float

    @property
    def sensitivity(self) -> float:
        """Coverage lost with the wrong verb: 0 if the verb is ignored, at best 1."""
        return self.coverage - self.other_coverage


def verb_scores(pairs: Sequence[VerbPair], rivals: Sequence[tuple[float, float]]) -> VerbScores:
    """Scores of pairs of sentences, and of answers between two rivals.

    Args:
        pairs: Same actor, other verb.
        rivals: IoU of an answer with its own actor and with another of the same kind that does
            something else.
    """
    drops = np.array([pair.confidence - pair.other_confidence for pair in pairs])
    return VerbScores(
        pairs=len(pairs),
        ranked=_mean((np.sign(drops) + 1) / 2),
        confidence_drop=_mean(drops),
        found=_mean([pair.found for pair in pairs]),
        other_found=_mean([pair.other_found for pair in pairs]),
        coverage=_mean([pair.coverage for pair in pairs]),
        other_coverage=_mean([pair.other_coverage for pair in pairs]),
        rivals=len(rivals),
        told_apart=_mean([own > other for own, other in rivals]),
    )


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else np.nan


@dataclass(frozen=True)
class Described:
    """A sentence of the data set.

    Attributes:
        text: The sentence.
        video: Video that it is about.
        pair: What its actor is and does.
    """

    text: str
    video: str
    pair: Pair


class Swapper:
    """Finds sentences that are false of everyone in a video.

    Adults and babies count as one kind of actor, because many nouns (boy, child, person) fit both.

    Args:
        described: Sentences to choose from.
        shown: The pairs that each video shows.
        seed: Of the choice, which does not depend on the order of asking.
    """

    def __init__(
        self, described: Iterable[Described], shown: Mapping[str, Iterable[Pair]], seed: int = 0
    ) -> None:
        self._by_pair: dict[Pair, list[Described]] = defaultdict(list)
        for item in described:
            self._by_pair[item.pair].append(item)
        self._shown = {
            video: {(_kind(pair), pair.action) for pair in pairs} for video, pairs in shown.items()
        }
        self._seed = seed

    def swaps(self, sample_id: str, video: str, pair: Pair) -> list[tuple[Swap, str]]:
        """At most one false sentence of each kind, for a true one about an actor of `pair`.

        Args:
            sample_id: Of the true sentence; settles the choice.
            video: That the true sentence is about.
            pair: Its actor and action.
        """
        shown = self._shown.get(video, set())
        chosen: list[tuple[Swap, str]] = []
        for place, swap in enumerate(get_args(Swap)):
            candidates = [
                item
                for other in PAIRS
                if _swap_of(other, pair, shown) == swap
                for item in self._by_pair.get(other, ())
                if item.video != video
            ]
            if candidates:
                rng = np.random.default_rng([self._seed, zlib.crc32(sample_id.encode()), place])
                chosen.append((swap, candidates[rng.integers(len(candidates))].text))
        return chosen


def _swap_of(other: Pair, pair: Pair, shown: set[tuple[int, int]]) -> Swap | None:
    """How a sentence about `other` is false in a video; None: it may be true, or is of no use."""
    if (_kind(other), other.action) in shown:
        return None
    if _kind(other) == _kind(pair):
        return "other_action" if other.actor == pair.actor else None
    if _kind(other) in {kind for kind, _ in shown}:
        return None
    return "other_actor" if other.action == pair.action else "absent_actor"


def _kind(pair: Pair) -> int:
    return min(_HUMANS) if pair.actor in _HUMANS else pair.actor


def describe(
    dataset: SentenceDataset, layout: A2DLayout, *, skip_bad: bool
) -> dict[tuple[str, int], Described]:
    """Sentence and pair of every (video, instance), from the first frame that it is in.

    The pair is the one that most of the instance's pixels are labelled with.

    Args:
        dataset: In the layout of A2D Sentences.
        layout: Of its folder.
        skip_bad: Leave out what cannot be read; whoever reads it for evaluation counts it.

    Raises:
        DatasetError: If a mask or label map is missing or damaged.
    """
    if not (folder := layout.colours("")).is_dir():
        raise DatasetError(
            f"{folder} is missing, so nobody knows which sentences are false of a video; "
            "download it, or give --no-swaps"
        )
    found: dict[tuple[str, int], Described] = {}
    for sample in dataset.samples:
        key = (sample.video, sample.instance)
        if key in found:
            continue
        with suppress(*([DatasetError] if skip_bad else [])):
            pair = pair_of(dataset, layout, sample)
            if pair is not None:
                found[key] = Described(sample.sentence, sample.video, pair)
    return found


def pair_of(dataset: SentenceDataset, layout: A2DLayout, sample: Sample) -> Pair | None:
    """The pair of most labelled pixels of a sample's mask; None where none is a valid pair's.

    Raises:
        DatasetError: If the mask or the label map is missing, damaged or of another size.
    """
    path = layout.colours(sample.video) / f"{sample.frame + 1:05d}.png"
    mask, labels = dataset.mask(sample), label_map(path)
    if mask.shape != labels.shape:
        raise DatasetError(
            f"{path} is {labels.shape[1]}x{labels.shape[0]}, the mask in "
            f"{dataset.annotation(sample)} {mask.shape[1]}x{mask.shape[0]}; both must be of one "
            "release"
        )
    counts = np.bincount(labels[mask], minlength=1)
    valid = [pair for pair in PAIRS if pair.label < len(counts) and counts[pair.label]]
    return max(valid, key=lambda pair: int(counts[pair.label]), default=None)


def shown_pairs(video_labels: Mapping[str, Sequence[int]]) -> dict[str, list[Pair]]:
    """Pairs of every video from their ids, as `A2DPairs.video_labels` gives them."""
    return {
        video: [pair_from_label(label) for label in labels]
        for video, labels in video_labels.items()
    }
