"""Which of the 43 pairs a network is asked for in a video (paper section 5.3)."""

from dataclasses import dataclass
from pathlib import Path

from actseg_core.checkpoints.classifier import load_classifier
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.errors import ConfigError
from actseg_core.evaluation.datasets import weights_mark
from actseg_core.evaluation.pair_frames import (
    ASKED_ABOVE,
    Confidences,
    VideoClassifier,
    all_pairs,
    given_pairs,
)

QUERIES = {
    "given": "pairs given by the annotation, no classifier",
    "all": "all 43 pairs asked, no classifier",
}


@dataclass(frozen=True)
class Proposals:
    """Which pairs are asked for.

    Attributes:
        confidences: By video.
        threshold: Pairs with a confidence above this are asked for.
        note: For the mark of the figures.
        classified: Whether a classifier made the confidences, so that they are scored, too.
    """

    confidences: Confidences
    threshold: float
    note: str
    classified: bool


def known_proposals(dataset: A2DPairs, queries: str) -> Proposals:
    """The pairs that the annotation gives, or all 43.

    Raises:
        ConfigError: If `queries` is neither given nor all.
    """
    if queries not in QUERIES:
        raise ConfigError(f"queries must be {' or '.join(QUERIES)}, got {queries!r}")
    confidences = given_pairs(dataset) if queries == "given" else all_pairs
    return Proposals(confidences, ASKED_ABOVE, QUERIES[queries], classified=False)


def classifier_proposals(dataset: A2DPairs, path: Path, device: str = "cpu") -> Proposals:
    """The picks of a classifier.

    Raises:
        CheckpointError: If the file is no classifier of ours.
    """
    there = load_classifier(path)
    network = there.classifier.to(device)
    return Proposals(
        VideoClassifier(dataset, network, there.flow),
        network.config.threshold,
        f"pairs picked by a classifier ({weights_mark(path)})",
        classified=True,
    )
