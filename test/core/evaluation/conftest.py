"""Questions with rectangles for masks, and a small generated data set."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actseg_core.evaluation.paper_tables import Provenance
from actseg_core.evaluation.questions import Prediction, Question
from actseg_core.evaluation.run import Row, measure
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig

Mask = NDArray[np.bool_]
SIZE = (10, 12)


@pytest.fixture
def rectangle() -> Callable[..., Mask]:
    """rectangle(top, left, height, width): a mask of 10x12 pixels; no number: an empty one."""

    def make(top: int = 0, left: int = 0, height: int = 0, width: int = 0) -> Mask:
        mask = np.zeros(SIZE, np.bool_)
        mask[top : top + height, left : left + width] = True
        return mask

    return make


@pytest.fixture
def row() -> Callable[..., Row]:
    """A measured answer; keywords are those of Question and Prediction."""

    def make(truth: Mask, mask: Mask, **facts: Any) -> Row:
        answer = {
            "found": facts.pop("found", bool(mask.any())),
            "confidence": facts.pop("confidence", 0.5),
        }
        for name in ("response", "next_mask", "next_flow"):
            answer[name] = facts.pop(name, None)
        asked = {"sample_id": "1", "video_id": "v", "sentence": "dog running"} | facts
        return measure(Question(truth=truth, **asked), Prediction(mask=mask, **answer))

    return make


@pytest.fixture
def provenance() -> Provenance:
    """All of the published A2D test split, asked by the network of Table 1's RGB row."""
    return Provenance(
        kind="a2d-sentences",
        origin="published",
        folder="a2d",
        split="test",
        asked=4000,
        available=4000,
        left_out=0,
        model="table1_rgb",
        weights="rgb.safetensors, sha256 0123456789ab",
        row="table1_rgb",
    )


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight videos of 8 frames in A2D's layout, half of them for testing."""
    root = tmp_path_factory.mktemp("generated") / "clips"
    scene = SceneConfig(frames=8, height=64, width=80, max_actors=2, degrade=False)
    generate_dataset(root, DatasetConfig(videos=8, test_share=0.5, seed=3, scene=scene))
    return root
