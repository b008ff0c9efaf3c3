"""Does the verb matter? The same actor, asked with what it does and with what it does not. [ours]

A network that ignores verbs gives both sentences the same answer: coverage and confidence do not
drop, and of two dogs it cannot tell the running one from the walking one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
