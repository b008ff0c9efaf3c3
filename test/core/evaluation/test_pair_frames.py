"""Annotated frames, a real small network that labels them, and a small classifier."""

import shutil

import numpy as np
import pytest
import torch

from actseg_core.config import FlowConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.errors import DatasetError
from actseg_core.evaluation.pair_frames import (
    FrameLabeller,
    LabelledFrames,
    VideoClassifier,
    all_pairs,
    evaluate_classifier,
    evaluate_frames,
    given_pairs,
)
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.labels import PAIRS
from actseg_core.networks.pair_classifier import PairClassifier


@pytest.fixture
def dataset(generated) -> A2DPairs:
    return A2DPairs(generated, "test")


def test_every_annotated_frame_comes_once_with_its_label_map(dataset, small_config) -> None:
    frames = list(LabelledFrames(dataset, small_config))
    assert [frame.video for frame in frames] == [item.video for item in dataset.frames]
    for frame in frames:
        assert frame.truth.shape == frame.clip.rgb.shape[1:3] == (64, 80)
        assert len(frame.clip) == small_config.frames
        shown = set(np.unique(frame.truth).tolist()) - {0}
        assert shown <= set(dataset.video_labels[frame.video])
    assert len(list(LabelledFrames(dataset, small_config, limit=2))) == 2


def test_the_truth_itself_scores_one_and_background_alone_does_not(dataset, small_config) -> None:
    frames = LabelledFrames(dataset, small_config)
    perfect = evaluate_frames(frames, lambda frame: frame.truth)
    assert perfect.frames == len(frames)
    assert (perfect.joint.mean_iou, perfect.actor.class_average) == (1.0, 1.0)
    nothing = evaluate_frames(frames, lambda frame: np.zeros_like(frame.truth))
    classes = len(nothing.joint.per_class)
    assert nothing.joint.class_average == pytest.approx(1 / classes)
    frames.close()


def test_a_network_labels_frames_with_the_pairs_asked_for(
    dataset, small_predictor, small_config
) -> None:
    frames = LabelledFrames(dataset, small_config, limit=4)
    given = FrameLabeller(small_predictor, given_pairs(dataset))
    for frame in frames:
        labels = given(frame)
        assert labels.shape == frame.truth.shape
        assert set(np.unique(labels).tolist()) <= {0, *dataset.video_labels[frame.video]}
    scores = evaluate_frames(frames, FrameLabeller(small_predictor, all_pairs))
    assert 0 <= scores.joint.mean_iou <= 1


def test_given_pairs_are_those_of_the_video(dataset) -> None:
    video, labels = next(iter(dataset.video_labels.items()))
    confidences = given_pairs(dataset)(video)
    assert confidences.shape == (43,)
    asked = [pair.label for pair, value in zip(PAIRS, confidences, strict=True) if value > 0.5]
    assert asked == labels
    assert all_pairs(video).sum() == 43


def test_perfect_confidences_have_a_mean_average_precision_of_one(dataset) -> None:
    scores = evaluate_classifier(dataset, given_pairs(dataset))
    assert scores.mean_average_precision == 1.0
    assert scores.videos == len(dataset.video_labels)
    opposite = evaluate_classifier(dataset, lambda video: 1 - given_pairs(dataset)(video))
    assert opposite.mean_average_precision < 1.0


@pytest.fixture
def classifier() -> PairClassifier:
    torch.manual_seed(0)
    config = ClassifierConfig(
        streams=("rgb",), width=0.03, test_frames=4, short_side_px=32, crop_px=32
    )
    return PairClassifier(config).eval()


def test_a_classifier_answers_every_video_once(dataset, classifier, monkeypatch) -> None:
    videos = VideoClassifier(dataset, classifier, FlowConfig())
    name = dataset.frames[0].video
    first = videos(name)
    assert first.shape == (43,)
    assert ((first > 0) & (first < 1)).all()
    monkeypatch.setattr(classifier, "confidences", lambda _: pytest.fail("asked again"))
    assert videos(name) is first


def test_an_unreadable_video_raises_or_is_left_out(generated, tmp_path, classifier) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(generated, copy)
    strict = A2DPairs(copy, "test")
    victim = strict.frames[0].video
    strict.layout.clip(victim).write_bytes(b"no video")
    with pytest.raises(Exception, match=f"{victim}.mp4"):
        evaluate_classifier(strict, VideoClassifier(strict, classifier, FlowConfig()))
    tolerant = A2DPairs(copy, "test", skip_bad=True)
    scores = evaluate_classifier(tolerant, VideoClassifier(tolerant, classifier, FlowConfig()))
    assert scores.videos == len(tolerant.video_labels) - 1
    assert len(tolerant.bad) == 1


def test_no_readable_video_at_all_is_an_error(dataset, monkeypatch) -> None:
    monkeypatch.setattr(dataset, "video_labels", {})
    with pytest.raises(DatasetError, match=r"videoset\.csv has no readable video"):
        evaluate_classifier(dataset, all_pairs)
