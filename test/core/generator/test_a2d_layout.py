from dataclasses import replace
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from actseg_core.datasets.a2d_layout import A2DLayout, read_missed, read_videoset
from actseg_core.datasets.a2d_pairs import label_map
from actseg_core.datasets.a2d_sentences import A2DSentences, read_instances
from actseg_core.generator import ActorRecord, GeneratedClip, SceneConfig, a2d_layout, render_clip
from actseg_core.generator.dataset import generate_dataset, video_name
from actseg_core.generator.records import VideoRecord, read_flow
from actseg_core.generator.settings import DatasetConfig
from actseg_core.video import open_reader

SCENE = SceneConfig(frames=9, height=48, width=64)
CONFIG = DatasetConfig(videos=6, scene=SCENE, test_share=0.34, crf=4)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[VideoRecord]]:
    root = tmp_path_factory.mktemp("a2d")
    return root, generate_dataset(root, CONFIG)


def clip_of(index: int) -> GeneratedClip:
    return render_clip(index, SCENE)


def test_the_reader_of_a2d_sentences_reads_every_sentence_and_mask(
    tree: tuple[Path, list[VideoRecord]],
) -> None:
    root, records = tree
    read = 0
    for split in ("train", "test"):
        data = A2DSentences(root, split)  # type: ignore[arg-type]
        assert not data.unseen
        for sample in data.samples:
            clip = clip_of(int(sample.video.removeprefix("gen")))
            wanted = clip.instances[sample.frame] == sample.instance + 1
            assert np.array_equal(data.mask(sample), wanted)
            assert sample.sentence in clip.actors[sample.instance].sentences
            read += 1
    assert read >= sum(len(record.queries) for record in records)


def test_the_list_of_videos_says_what_is_there(tree: tuple[Path, list[VideoRecord]]) -> None:
    root, records = tree
    layout = A2DLayout(root)
    videos = read_videoset(layout.videoset)

    assert list(videos) == [video_name(index) for index in range(6)]
    assert [entry.split for entry in videos.values()].count("test") == 2
    assert read_missed(layout.missed) == frozenset()
    for record, entry in zip(records, videos.values(), strict=True):
        assert (entry.height, entry.width, entry.frames, entry.annotated) == (48, 64, 9, 3)
        assert entry.label in {actor.pair.label for actor in clip_of(record.index).actors}


def test_videos_hold_the_clips_frames(tree: tuple[Path, list[VideoRecord]]) -> None:
    root, _ = tree
    reader = open_reader(A2DLayout(root).clip(video_name(2)))
    away = np.abs(reader.read(range(9)).astype(int) - clip_of(2).frames).mean()
    assert away < 6.0, "H.264 and halved colour resolution, no more"


def test_colour_maps_have_the_labels_of_actor_and_action(
    tree: tuple[Path, list[VideoRecord]],
) -> None:
    root, _ = tree
    clip = clip_of(3)
    for path in sorted(A2DLayout(root).colours(video_name(3)).iterdir()):
        labels = label_map(path)
        for actor in clip.actors:
            mask = clip.instances[int(path.stem) - 1] == actor.instance_id
            assert (labels[mask] == actor.pair.label).all()
        assert (labels[clip.instances[int(path.stem) - 1] == 0] == 0).all()


def test_true_flow_lies_beside_the_annotated_frames(tree: tuple[Path, list[VideoRecord]]) -> None:
    root, _ = tree
    folder = root / "Release" / "Flow" / video_name(1)
    for path in folder.iterdir():
        flow, valid = read_flow(path)
        truth = clip_of(1).flow[int(path.stem) - 1]
        np.testing.assert_allclose(flow[valid], truth[valid], atol=0.01)
    assert len(list(folder.iterdir())) == 3


def two_squares(actors: tuple[ActorRecord, ...]) -> GeneratedClip:
    ids = np.zeros((2, 6, 10), np.uint8)
    ids[:, 1:3, 2:5] = 1
    ids[0, 4:6, 7:9] = 2
    frames = np.zeros((2, 6, 10, 3), np.uint8)
    flow = np.zeros((1, 6, 10, 2), np.float32)
    return GeneratedClip(frames, ids, flow, actors, (), "road", 0)


def test_arrays_lie_as_matlab_leaves_them(tmp_path: Path, record) -> None:  # type: ignore[no-untyped-def]
    actors = (
        record("dog", "running", 1, visible_frames=(0, 1), sentences=("dog running",)),
        record("cat", "eating", 2, visible_frames=(0,), sentences=("cat eating",)),
    )
    a2d_layout.write_video(tmp_path, "v", two_squares(actors), DatasetConfig(annotated_frames=2))

    folder = A2DLayout(tmp_path).instances("v")
    with h5py.File(folder / "00001.h5") as both, h5py.File(folder / "00002.h5") as one:
        assert both["reMask"].shape == (2, 10, 6)
        assert both["instance"][()].tolist() == [0, 1]
        assert both["reBBox"][()].tolist() == [[2, 7], [1, 4], [4, 8], [2, 5]]
        assert both["reS_id"].shape == (10, 6)
        assert both["reS_id"][3, 2] == 77
        assert both["reS_id"][7, 4] == 63
        assert one["reMask"].shape == (10, 6), "no instance axis for one instance"
    assert read_instances(folder / "00002.h5").masks.sum() == 6
    mat = (tmp_path / "Release/Annotations/mat/v/00001.mat").read_bytes()
    assert mat.startswith(b"MATLAB 7.3 MAT-file")
    with h5py.File(tmp_path / "Release/Annotations/mat/v/00001.mat") as file:
        assert file["reMask"].shape == (2, 10, 6)
    colours = cv2.imread(str(A2DLayout(tmp_path).colours("v") / "00001.png"))
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 3


def test_annotated_frames_are_evenly_spread_over_those_that_show_someone(record) -> None:  # type: ignore[no-untyped-def]
    clip = two_squares((record("dog", "running", 1, visible_frames=(4, 5, 6, 7, 8, 9)),))

    assert a2d_layout.annotated_frames(clip, 3) == [5, 7, 9]
    assert a2d_layout.annotated_frames(clip, 20) == [4, 5, 6, 7, 8, 9]


def test_videos_without_sentences_are_listed_as_missed(
    tmp_path: Path, tree: tuple[Path, list[VideoRecord]]
) -> None:
    records = [replace(tree[1][0], queries=()), tree[1][1]]
    a2d_layout.write_index(tmp_path, records)

    assert A2DLayout(tmp_path).missed.read_text() == "gen00000000"
    rows = A2DLayout(tmp_path).annotation.read_text().splitlines()
    assert rows[0] == "video_id,instance_id,query"
    assert all(row.startswith("gen00000001,") for row in rows[1:])
