import json
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open

from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.loading import Batch
from actseg_core.datasets.samples import Sample
from actseg_core.errors import CheckpointError
from actseg_core.training.callbacks import Clock, Pictures, peak_memory, save_batch
from actseg_core.training.sentence_training import Answer
from actseg_core.types import MaskResult


def batch() -> Batch:
    return Batch(
        frames=torch.zeros(1, 0, dtype=torch.uint8),
        flow=None,
        masks=torch.ones(1, 2, 2, dtype=torch.bool),
        words=torch.ones(1, 3, 4),
        samples=(Sample('the "dog", running', "v", 3, 2),),
        placements=(),
        truths=(),
        frozen={"rgb": torch.full((1, 2), 7.0, dtype=torch.float16)},
    )


def test_a_kept_batch_can_be_read_back_with_its_sentences(tmp_path: Path) -> None:
    save_batch(tmp_path / "bad.safetensors", batch(), {"step": "9"})
    with safe_open(tmp_path / "bad.safetensors", "pt") as file:
        assert set(file.keys()) == {"frames", "masks", "words", "frozen.rgb"}
        assert file.get_tensor("frozen.rgb").tolist() == [[7.0, 7.0]]
        assert json.loads(file.metadata()["samples"]) == [['the "dog", running', "v", 3, 2]]
        assert file.metadata()["step"] == "9"


def test_a_batch_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot write"):
        save_batch(tmp_path / "file" / "bad.safetensors", batch(), {})


def test_the_clock_sums_what_each_action_takes_but_its_first_time() -> None:
    clock = Clock()
    for pause in (0.05, 0.01, 0.01):
        with clock.profile("step"):
            time.sleep(pause)
    clock.stop("never started")
    assert clock.times == {"step": 3}
    assert clock.seconds["step"] >= 0.02


def test_the_picture_shows_answer_and_annotation_beside_each_other(
    clips: Path, tmp_path: Path
) -> None:
    dataset = A2DSentences(clips, "test")
    sample = dataset.samples[0]
    truth = dataset.mask(sample)
    height, width = (5 * side for side in truth.shape)  # 48 rows are enlarged to 240
    said = np.zeros_like(truth)
    said[-8:, -8:] = True
    result = MaskResult(np.where(said, np.uint8(255), np.uint8(0)), True, 0.7)
    pictures = Pictures(tmp_path, dataset, count=3)
    for _ in range(2):
        pictures.on_validation_batch_end(None, None, [Answer(sample, result, truth)] * 2)
    state = SimpleNamespace(is_global_zero=True, global_step=12, loggers=[])
    pictures.on_validation_end(state, None)  # type: ignore[arg-type]
    image = cv2.imread(str(tmp_path / "0000012.png"))[:, :, ::-1]
    assert image.shape == (2 * height, 2 * 2 * width, 3)  # three of four cells
    assert (image[height:, 2 * width :] == 0).all()
    orange = image[height - 4, width - 4].astype(int)  # in the answer's mask, not in the truth's
    beside = image[height - 4, 2 * width - 4].astype(int)
    assert not truth[-1, -1] and np.abs(orange - beside).max() > 20
    pictures.on_validation_end(state, None)  # type: ignore[arg-type]


def test_memory_is_counted_in_bytes() -> None:
    assert 10_000_000 < peak_memory() < 10**12
