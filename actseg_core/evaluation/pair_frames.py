"""A2D's annotated frames, a network that labels their pixels, and the proposals it is asked about.

Paper section 5.3, Table 3.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from actseg_core.checkpoints.classifier import load_classifier
from actseg_core.config import FlowConfig, ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs, label_map
from actseg_core.datasets.clips import evenly_spaced, load_clip, stretched
from actseg_core.datasets.pair_clips import covering_tensors, prepare_video
from actseg_core.datasets.samples import Sample
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.evaluation.datasets import weights_mark
from actseg_core.evaluation.label_maps import PairSegmenter, pair_words
from actseg_core.evaluation.semantic import (
    ClassificationScores,
    SemanticAccumulator,
    SemanticScores,
    classification_scores,
)
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.flow import make_estimator
from actseg_core.image import resize_and_pad
from actseg_core.labels import BACKGROUND, PAIRS
from actseg_core.networks.pair_classifier import PairClassifier, pair_targets
from actseg_core.predictor import NetworkPredictor
from actseg_core.types import Clip
from actseg_core.video.reader import ReaderPool

Confidences = Callable[[str], NDArray[np.float32]]
ASKED_ABOVE = 0.5
QUERIES = {
    "given": "pairs given by the annotation, no classifier",
    "all": "all 43 pairs asked, no classifier",
}


@dataclass(frozen=True, eq=False)
class LabelledFrame:
    """An annotated frame.

    Attributes:
        video: Its video.
        clip: The frames around it, at their own size.
        truth: (H, W) uint8 A2D ids at the frame's own size.
    """

    video: str
    clip: Clip
    truth: NDArray[np.uint8]


class LabelledFrames:
    """The annotated frames of a split with their clips, one by one.

    Args:
        dataset: Damaged frames raise, or are counted in its `bad`.
        config: The network's: frames, and which is labelled.
        limit: So many frames, evenly spread; 0: all.
    """

    def __init__(self, dataset: A2DPairs, config: ModelConfig, *, limit: int = 0) -> None:
        self.dataset = dataset
        self._config = config
        self._pool = ReaderPool()
        frames = dataset.frames
        if 0 < limit < len(frames):
            frames = [frames[index] for index in evenly_spaced(len(frames), limit)]
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[LabelledFrame]:
        for item in self._frames:
            frame: LabelledFrame | None = None
            with self.dataset.bad.tolerated():
                # As a sample it is its background: the reader then checks the label map's size.
                sample = Sample("", item.video, item.frame, BACKGROUND)
                clip = load_clip(self.dataset, sample, self._config, self._pool).clip
                truth = stretched(label_map(item.path), clip.rgb.shape[1:3])
                frame = LabelledFrame(item.video, clip, truth)
            if frame is not None:
                yield frame

    def close(self) -> None:
        """Close the videos."""
        self._pool.close()


class FrameLabeller:
    """Labels frames with a network that was trained on the names of the 43 pairs.

    Args:
        predictor: The network.
        confidences: (43,) in [0, 1] by video.
        threshold: Pairs with a confidence above this are asked for.
    """

    def __init__(
        self, predictor: NetworkPredictor, confidences: Confidences, threshold: float = ASKED_ABOVE
    ) -> None:
        words = pair_words(predictor.reader).to(predictor.device)
        self._predictor = predictor
        self._segmenter = PairSegmenter(predictor.model, words, threshold, predictor.config)
        self._confidences = confidences

    def __call__(self, frame: LabelledFrame) -> NDArray[np.uint8]:
        """(H, W) uint8 A2D ids."""
        size = self._predictor.config.size
        placed = [resize_and_pad(image, size) for image in frame.clip.rgb]
        features = self._predictor.encode(np.stack([image for image, _ in placed]), None)
        return self._segmenter.segment(features, self._confidences(frame.video), placed[0][1])


def evaluate_frames(
    frames: Iterable[LabelledFrame],
    label: Callable[[LabelledFrame], NDArray[np.uint8]],
) -> SemanticScores:
    """Label every frame once and score the label maps.

    Raises:
        ShapeError: If a label map has another size than the truth or an unknown id.
    """
    accumulator = SemanticAccumulator()
    for frame in frames:
        accumulator.add(label(frame), frame.truth)
    return accumulator.result()


def given_pairs(dataset: A2DPairs) -> Confidences:
    """1 for the pairs that the annotation of a video shows, 0 for the others: no classifier.

    With it Table 3 is an upper bound, not the paper's setting.
    """

    def confidences(video: str) -> NDArray[np.float32]:
        shown: NDArray[np.float32] = pair_targets(dataset.video_labels[video]).numpy()
        return shown

    return confidences


def all_pairs(_: str) -> NDArray[np.float32]:
    """1 for every pair: all 43 are asked for."""
    return np.ones(len(PAIRS), np.float32)


class VideoClassifier:
    """Confidences of a video's pairs from the classifier of section 5.3, each video read once.

    Args:
        dataset: Finds the videos.
        classifier: In evaluation mode.
        flow: Estimator and scale of the flow that the classifier reads.
    """

    def __init__(self, dataset: A2DPairs, classifier: PairClassifier, flow: FlowConfig) -> None:
        self._dataset = dataset
        self._classifier = classifier
        self._flow = flow
        self._device = next(classifier.parameters()).device
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, video: str) -> NDArray[np.float32]:
        """(43,) confidences in [0, 1].

        Raises:
            VideoError: If the video cannot be read.
        """
        if video not in self._known:
            config: ClassifierConfig = self._classifier.config
            pool = ReaderPool(1)
            reader = pool.get(self._dataset.layout.clip(video))
            frames = reader.read(range(reader.info.frames))
            pool.close()
            estimator = make_estimator(self._flow) if "flow" in config.streams else None
            prepared = prepare_video(frames, config.short_side_px, estimator)
            clips = (
                {name: tensor.to(self._device) for name, tensor in item.items()}
                for item in covering_tensors(prepared, config, self._flow)
            )
            self._known[video] = self._classifier.confidences(clips)
        return self._known[video]


def evaluate_classifier(dataset: A2DPairs, confidences: Confidences) -> ClassificationScores:
    """Mean average precision over the videos of a split.

    Videos that cannot be read raise, or are counted in `dataset.bad` and left out.

    Raises:
        VideoError: If a video cannot be read.
        DatasetError: If a label map is damaged, or no video is left.
    """
    scores, shown = [], []
    for video, labels in dataset.video_labels.items():
        with dataset.bad.tolerated(), torch.inference_mode():
            scores.append(confidences(video))
            shown.append(pair_targets(labels).numpy() > 0)
    if not scores:
        raise DatasetError(f"{dataset.layout.videoset} has no readable video of this split")
    names = tuple(pair.text for pair in PAIRS)
    return classification_scores(np.stack(scores), np.stack(shown), names)


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
