"""The weights that ship with the package, on generated clips that training never draws."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from actseg_core.generator import GeneratedClip, SceneConfig, render_clip
from actseg_core.predictor import Predictor
from actseg_core.types import Clip

SEEDS = range(500, 560)
MIN_AREA_PX = 300
LIMIT_MB = 25


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.load("lite")


def test_it_is_loaded_without_a_trace_in_the_home_folder_and_without_reports_to_anybody(
    tmp_path: Path,
) -> None:
    """ONNX Runtime keeps a device id there for its reports, unless it is told not to."""
    own = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "ACTSEG_CACHE"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = "import actseg_core; actseg_core.Predictor.load('lite').read('a cat')"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []


def two_actors(seed: int) -> GeneratedClip | None:
    """A clip of two actors of different kinds, each well visible in the newest frame."""
    clip = render_clip(
        seed, SceneConfig(height=240, width=320, min_actors=2, max_actors=2, occlusion=0.0)
    )
    kinds = {"baby": "adult"}  # people of different age count as one kind
    names = {kinds.get(name, name) for name in (a.pair.actor_name for a in clip.actors)}
    areas = [(clip.instances[-1] == actor.instance_id).sum() for actor in clip.actors]
    return clip if len(names) == 2 and min(areas) >= MIN_AREA_PX else None


def test_the_checkpoint_is_small_and_says_how_it_was_made() -> None:
    from actseg_core.checkpoints.checkpoint import load_checkpoint
    from actseg_core.checkpoints.stored import checkpoint_path

    path = checkpoint_path("lite")
    assert path.stat().st_size < LIMIT_MB * 1e6
    checkpoint = load_checkpoint(path)
    assert checkpoint.config.name == "lite"
    assert checkpoint.metrics["masks"]["mean_iou"] > 0.5


@pytest.mark.slow
def test_two_sentences_about_one_clip_give_different_mostly_right_masks(
    predictor: Predictor,
) -> None:
    right, wrong = [], []
    for seed in SEEDS:
        clip = two_actors(seed)
        if clip is None:
            continue
        masks = [clip.instances[-1] == actor.instance_id for actor in clip.actors]
        sentences = [predictor.read(actor.sentences[0]) for actor in clip.actors]
        results = predictor.predict(Clip(clip.frames), sentences)
        for index, result in enumerate(results):
            answer = result.mask > 0
            right.append((answer & masks[index]).sum() / masks[index].sum())
            wrong.append((answer & masks[1 - index]).sum() / masks[1 - index].sum())
    print(f"{len(right)} sentences: {np.mean(right):.2f} right, {np.mean(wrong):.2f} wrong")
    assert len(right) > 30
    assert np.mean(right) > 0.4, "share of the meant actor that is marked"
    assert np.mean(right) > 2 * np.mean(wrong), "share of the other actor that is marked"
