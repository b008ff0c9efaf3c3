"""Batches: content, order, the same for any number of workers, damaged samples."""

import importlib

import cv2
import numpy as np
import pytest
import torch

from actseg_core.config import FlowConfig, ModelConfig, TextConfig
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.jhmdb_sentences import JHMDBSentences
from actseg_core.datasets.loading import Batch, ClipDataset, ClipLoader
from actseg_core.errors import DatasetError
from actseg_core.flow import make_estimator
from actseg_core.flow.field import clip_flow
from actseg_core.networks.tensors import flow_input, network_input
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors

RGB = ModelConfig(frames=4, size=64, streams=("rgb",))
BOTH = ModelConfig(frames=4, size=64)


@pytest.fixture
def train(a2d) -> A2DSentences:
    return A2DSentences(a2d.root, "train")


@pytest.fixture
def test_split(a2d) -> A2DSentences:
    return A2DSentences(a2d.root, "test")


def test_frames_and_mask_are_resized_and_padded_alike(train, rectangles) -> None:
    batch = ClipDataset(train, RGB)[1]
    assert batch.frames.shape == (1, 4, 64, 64, 3)
    assert batch.frames.dtype == torch.uint8
    assert batch.masks.dtype == torch.bool
    # A 32x64 video in a square of 64: nothing is scaled, 16 rows are padded above and below.
    wanted = np.zeros((64, 64), np.bool_)
    wanted[16:48] = rectangles(14, 0)
    np.testing.assert_array_equal(batch.masks[0].numpy(), wanted)
    assert not batch.frames[:, :, :16].any()
    assert not batch.frames[:, :, 48:].any()
    np.testing.assert_array_equal(batch.truths[0], rectangles(14, 0))
    assert batch.placements[0].offset == (16, 0)
    assert batch.samples[0].frame == 14


def test_a_shrunk_mask_keeps_the_cells_that_are_mostly_inside(train, rectangles) -> None:
    batch = ClipDataset(train, ModelConfig(frames=1, size=32, streams=("rgb",)))[0]
    truth = rectangles(4, 0).astype(float)  # 32x64 becomes 16x32, rows 8 to 23 of the square
    share = truth.reshape(16, 2, 32, 2).mean(axis=(1, 3))
    np.testing.assert_array_equal(batch.masks[0, 8:24].numpy(), share >= 0.5)


def test_network_inputs_are_those_of_the_predictor(train) -> None:
    batch = ClipDataset(train, BOTH)[1]
    frames = batch.frames[0].numpy()
    flow = clip_flow(frames, make_estimator(FlowConfig()))
    inputs = batch.inputs(BOTH)
    torch.testing.assert_close(inputs["rgb"], network_input(torch.from_numpy(frames)[None]))
    torch.testing.assert_close(
        inputs["flow"], flow_input(torch.from_numpy(flow)[None], BOTH.flow.clip_px)
    )
    assert inputs["flow"].abs().max() > 0
    assert set(ClipDataset(train, RGB)[1].inputs(RGB)) == {"rgb"}
    assert ClipDataset(train, RGB)[1].flow is None


def test_words_are_looked_up_where_there_is_a_reader(train) -> None:
    vectors = WordVectors(["person", "red"], np.eye(3, dtype=np.float32)[:2])
    reader = SentenceReader(TextConfig(word_dim=3, max_words=6), vectors)
    batch = ClipDataset(train, RGB, reader=reader)[0]
    assert batch.samples[0].sentence == "person in red is running"
    assert batch.words is not None
    assert batch.words[0].tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0], *[[0, 0, 0]] * 3]


def same(one: Batch, other: Batch) -> None:
    assert one.samples == other.samples
    torch.testing.assert_close(one.frames, other.frames, rtol=0, atol=0)
    torch.testing.assert_close(one.masks, other.masks, rtol=0, atol=0)
    assert (one.flow is None) == (other.flow is None)
    if one.flow is not None and other.flow is not None:
        torch.testing.assert_close(one.flow, other.flow, rtol=0, atol=0)


def test_two_workers_load_what_one_process_loads_in_the_samplers_order(test_split) -> None:
    order = [(0, 3), (0, 1), (1, 4), (1, 0), (1, 2)]
    clips = ClipDataset(test_split, BOTH)
    loaders = [ClipLoader(clips, 2, sampler=order, workers=workers) for workers in (0, 2)]
    pairs = list(zip(*loaders, strict=True))
    for one, other in pairs:
        same(one, other)
    assert [len(one) for one, _ in pairs] == [2, 2, 1]
    samples = [sample for one, _ in pairs for sample in one.samples]
    assert samples == [test_split.samples[index] for _, index in order]


def test_without_a_sampler_samples_come_as_listed(test_split) -> None:
    loader = ClipLoader(ClipDataset(test_split, RGB), 2)
    frames = [sample.frame for batch in loader for sample in batch.samples]
    assert frames == [item.frame for item in test_split.samples]
    assert len(loader) == 3
    assert len(ClipLoader(ClipDataset(test_split, RGB), 2, drop_last=True)) == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_sample_is_one_clean_error(a2d, test_split, workers) -> None:
    a2d.h5("test_three", 3).write_bytes(b"no")
    loader = ClipLoader(ClipDataset(test_split, RGB), 1, workers=workers)
    seen = 0
    with pytest.raises(DatasetError) as error:
        for _ in loader:
            seen += 1
    assert seen == 1
    assert str(error.value).startswith("cannot read ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("workers", [0, 1])
def test_damaged_samples_are_counted_and_left_out(a2d, numbered, workers) -> None:
    dataset = A2DSentences(a2d.root, "test", skip_bad=True)
    a2d.h5("test-one", 0).write_bytes(b"no")
    a2d.h5("test-one", 11).write_bytes(b"no")
    numbered.write(a2d.clip("test_three"), 8)  # shorter than its annotated frame 9
    loader = ClipLoader(ClipDataset(dataset, RGB), 2, workers=workers)

    batches = list(loader)

    assert [sample.frame for batch in batches for sample in batch.samples] == [3]
    assert [len(batch) for batch in batches] == [1]
    assert len(dataset.bad) == 4
    assert sum("half-written" in message for message in dataset.bad.messages) == 2
    assert sum("has 8 frames" in message for message in dataset.bad.messages) == 2


def test_workers_read_matlab_files_too(jhmdb, matlab, rectangles) -> None:
    dataset = JHMDBSentences(jhmdb.root, matlab=matlab)
    loader = ClipLoader(ClipDataset(dataset, RGB), 7, workers=1)
    (batch,) = loader
    assert len(batch) == 7
    for truth, sample in zip(batch.truths, batch.samples, strict=True):
        np.testing.assert_array_equal(truth, rectangles(sample.frame, 1))


def test_a_batch_moves_as_a_whole(train) -> None:
    batch = ClipDataset(train, BOTH)[0].to("meta")
    assert batch.frames.is_meta
    assert batch.masks.is_meta
    assert batch.flow is not None
    assert batch.flow.is_meta
    assert batch.words is None
    assert batch.samples == (train.samples[0],)


def test_videos_stay_within_the_pool(a2d, test_split) -> None:
    clips = ClipDataset(test_split, RGB, open_videos=1)
    for index in range(len(clips)):
        clips[index]
    assert len(clips._pool) == 1


PROBE = """
import cv2, numpy as np
from actseg_core.datasets.loading import ClipDataset

class Probe(ClipDataset):
    def answer(self, sample, mask):
        return super().answer(sample, np.full_like(mask, cv2.getNumThreads() == 1))
"""


def test_opencv_has_one_thread_in_a_worker_and_flow_there_does_not_hang(
    train, tmp_path, monkeypatch
) -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    make_estimator(BOTH.flow).estimate(*np.zeros((2, 64, 64, 3), np.uint8))  # starts threads here
    cv2.setNumThreads(threads)
    (tmp_path / "opencv_probe.py").write_text(PROBE)  # a worker imports it by name
    monkeypatch.syspath_prepend(tmp_path)
    probe = importlib.import_module("opencv_probe").Probe
    loader = ClipLoader(probe(train, BOTH), 4, workers=1)
    (batch,) = loader
    assert all(truth.all() for truth in batch.truths)
    assert batch.flow is not None
