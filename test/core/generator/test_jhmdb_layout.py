from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from actseg_core.datasets.jhmdb_sentences import FRAME_LIST, JHMDBSentences
from actseg_core.generator import SceneConfig, render_clip
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.jhmdb_layout import action_class, referred_actor
from actseg_core.generator.settings import DatasetConfig

SCENE = SceneConfig(frames=5, height=48, width=64)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("jhmdb")
    generate_dataset(root, DatasetConfig(layout="jhmdb", videos=3, scene=SCENE))
    return root


def test_frames_and_masks_are_those_of_the_referred_actor(root: Path) -> None:
    for index in range(3):
        clip = render_clip(index, SCENE)
        actor = referred_actor(clip)
        under = Path(action_class(actor)) / f"gen{index:08d}"

        mask = loadmat(root / "puppet_mask" / under / "puppet_mask.mat")["part_mask"]
        assert mask.shape == (48, 64, 5)
        assert np.array_equal(np.moveaxis(mask, 2, 0) == 1, clip.masks(actor.instance_id))
        folder = root / "Rename_Images" / under
        assert sorted(item.name for item in folder.iterdir()) == [
            f"{number:05d}.png" for number in range(1, 6)
        ]
        assert np.array_equal(cv2.imread(str(folder / "00005.png"))[..., ::-1], clip.frames[4])
        assert len(list((root / "flow" / under).iterdir())) == 4


def test_every_video_has_one_sentence(root: Path) -> None:
    rows = (root / "jhmdb_annotation.txt").read_text().splitlines()

    assert rows[0] == "video_id,query"
    assert [row.split(",")[0] for row in rows[1:]] == [f"gen{index:08d}" for index in range(3)]
    for index, row in enumerate(rows[1:]):
        actor = referred_actor(render_clip(index, SCENE))
        assert row.split(",")[1] == actor.sentences[0]


def test_the_list_of_frames_is_one_that_the_reader_takes(root: Path) -> None:
    listed = JHMDBSentences(root, frame_list=root / FRAME_LIST).samples
    assert [item.video for item in listed] == [
        f"gen{index:08d}" for index in range(3) for _ in range(3)
    ]
    frames = [{item.frame for item in listed if item.video == f"gen{i:08d}"} for i in range(3)]
    assert all(len(chosen) == 3 and chosen <= set(range(5)) for chosen in frames)


def test_the_listed_frames_are_not_the_evenly_spaced_ones_of_every_video(root: Path) -> None:
    even, listed = JHMDBSentences(root), JHMDBSentences(root, frame_list=root / FRAME_LIST)
    assert [item.frame for item in even.samples] != [item.frame for item in listed.samples]
