"""What the generator writes, the readers read: frames, masks, sentences, labels, counts."""

import numpy as np
import pytest

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_layout import A2DLayout
from actseg_core.datasets.a2d_pairs import A2DPairs, label_map
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.clips import load_clip
from actseg_core.datasets.jhmdb_sentences import JHMDBSentences
from actseg_core.datasets.published_counts import count_a2d_frames
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.generate import render_clip
from actseg_core.generator.settings import DatasetConfig, SceneConfig
from actseg_core.video import ReaderPool

SCENE = SceneConfig(frames=12, height=64, width=80)
CLIP = ModelConfig(frames=4, size=64)
SPLITS = {0: "train", 1: "test"}


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Two data sets of six videos with what the generator knows of them."""
    trees = {}
    for layout in ("a2d", "jhmdb"):
        config = DatasetConfig(layout=layout, videos=6, test_share=0.5, scene=SCENE, crf=0)
        root = tmp_path_factory.mktemp(layout)
        records = generate_dataset(root, config)
        trees[layout] = (
            root,
            records,
            {item.name: render_clip(item.seed, SCENE) for item in records},
        )
    return trees


def near(frames, wanted) -> None:
    """Equal but for the halved colour resolution of H.264."""
    assert frames.shape == wanted.shape
    assert np.abs(frames.astype(int) - wanted).mean() < 6


def test_a2d_sentences_are_read_as_rendered(generated) -> None:
    root, records, clips = generated["a2d"]
    pool, seen = ReaderPool(), set()
    for split in SPLITS.values():
        dataset = A2DSentences(root, split)
        assert dataset.unseen == dataset.dropped == []
        for sample in dataset.samples:
            item, clip = load_clip(dataset, sample, CLIP, pool), clips[sample.video]
            instances = clip.instances[sample.frame]
            np.testing.assert_array_equal(item.mask, instances == sample.instance + 1)
            near(item.clip.rgb[2], clip.frames[sample.frame])
            seen.add((sample.video, split, sample.instance + 1, sample.sentence))
    pool.close()
    assert seen == {
        (item.name, SPLITS[item.split], query.instance_id, query.query)
        for item in records
        for query in item.queries
    }


def test_label_maps_are_read_as_rendered(generated) -> None:
    root, records, clips = generated["a2d"]
    frames = [frame for split in SPLITS.values() for frame in A2DPairs(root, split).frames]
    assert len(frames) == sum(item.annotated for item in records)
    for frame in frames:
        clip = clips[frame.video]
        labels = label_map(frame.path)
        for actor in clip.actors:
            if frame.frame in actor.visible_frames:
                inside = clip.instances[frame.frame] == actor.instance_id
                assert (labels[inside] == actor.pair.label).all()
        assert (labels[clip.instances[frame.frame] == 0] == 0).all()


def test_the_generators_counts_agree_with_its_files(generated) -> None:
    root, records, _ = generated["a2d"]
    assert len(count_a2d_frames(A2DLayout(root))) == 2 * len(records)


def test_jhmdb_sentences_are_read_as_rendered(generated, matlab) -> None:
    root, records, clips = generated["jhmdb"]
    dataset = JHMDBSentences(root, matlab=matlab)
    queries = {item.name: item.queries[0] for item in records}
    assert len(dataset.samples) == 3 * len(records)
    pool = ReaderPool()
    for sample in dataset.samples:
        item, clip = load_clip(dataset, sample, CLIP, pool), clips[sample.video]
        query = queries[sample.video]
        assert sample.sentence == query.query
        np.testing.assert_array_equal(item.mask, clip.instances[sample.frame] == query.instance_id)
        np.testing.assert_array_equal(item.clip.rgb[2], clip.frames[sample.frame])
    pool.close()
