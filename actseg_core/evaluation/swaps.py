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
