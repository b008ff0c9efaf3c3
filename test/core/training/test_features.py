"""Kept features: the same training samples without pixels, never stale, never half."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from patience import PATIENCE_S

from actseg_core.config import ModelConfig, TextConfig, VideoConfig
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.kept_clips import clip_key
from actseg_core.datasets.loading import ClipDataset, ClipLoader
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.training import features
from actseg_core.training.features import FrozenDataset, cached_dataset, open_store

CONFIG = ModelConfig(
    name="tiny",
    frames=4,
    size=64,
    text=TextConfig(word_dim=8, sentence_dim=8),
    video=VideoConfig(width=1 / 32),
)
RGB = CONFIG.model_copy(update={"streams": ("rgb",)})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four videos in A2D's layout, two for training."""
    root = tmp_path_factory.mktemp("data") / "clips"
    scene = SceneConfig(frames=8, height=48, width=64, max_actors=2, degrade=False)
    generate_dataset(root, DatasetConfig(videos=4, test_share=0.5, seed=5, scene=scene))
    return root


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    """A copy of the data that a test may change."""
    shutil.copytree(data, tmp_path / "clips")
    return tmp_path / "clips"


def network(config: ModelConfig, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return build_model(config)


def clips_of(root: Path, config: ModelConfig = RGB, **options: object) -> ClipDataset:
    return ClipDataset(A2DSentences(root, "train"), config, **options)


def files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.safetensors"))


def test_kept_features_give_the_encoders_output_and_the_same_answers(
    data: Path, tmp_path: Path
) -> None:
    model, clips = network(CONFIG), clips_of(data, CONFIG)
    cached = cached_dataset(clips, model, tmp_path)
    assert len(cached) == len(clips) > 0
    for kept, seen in zip(ClipLoader(cached, 2), ClipLoader(clips, 2), strict=True):
        assert kept.frames.numel() == 0 and kept.flow is None
        assert kept.samples == seen.samples and kept.placements == seen.placements
        assert torch.equal(kept.masks, seen.masks)
        with torch.inference_mode():
            exact = model.encode_frozen(seen.inputs(CONFIG))
        for stream in CONFIG.streams:
            assert kept.frozen[stream].dtype == torch.float16
            torch.testing.assert_close(  # float16 keeps 11 bits
                kept.frozen[stream].float(), exact[stream], rtol=2e-3, atol=1e-4
            )


def test_every_clip_is_kept_once_for_all_its_sentences(data: Path, tmp_path: Path) -> None:
    clips = clips_of(data, CONFIG)
    cached_dataset(clips, network(CONFIG), tmp_path)
    shown = {(sample.video, sample.frame) for sample in clips.dataset.samples}
    assert len(files(tmp_path)) == 2 * len(shown)  # rgb and flow
    assert len(shown) < len(clips)


def test_what_is_kept_is_not_computed_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_dataset(clips_of(data), network(RGB), tmp_path)
    model = network(RGB)
    monkeypatch.setattr(
        type(model.stream("rgb")), "encode_frozen", lambda *_: pytest.fail("computed again")
    )
    cached_dataset(clips_of(data), model, tmp_path)


def test_both_streams_use_what_one_stream_kept(data: Path, tmp_path: Path) -> None:
    both = network(CONFIG)
    alone = network(RGB)
    alone.stream("rgb").load_state_dict(both.stream("rgb").state_dict())
    cached_dataset(clips_of(data), alone, tmp_path)
    kept = files(tmp_path)
    said: list[str] = []
    cached_dataset(clips_of(data, CONFIG), both, tmp_path, announce=said.append)
    assert set(kept) < set(files(tmp_path))
    assert [line.split(":")[0] for line in said] == ["flow"]


def test_trained_layers_share_the_features_frozen_ones_and_settings_do_not(
    tmp_path: Path,
) -> None:
    model = network(RGB)
    first = open_store(model, "rgb", tmp_path)
    with torch.no_grad():
        for item in model.parameters():
            if item.requires_grad:
                item += 1.0
    assert open_store(model, "rgb", tmp_path) == first
    for changes in ({"frames": 5}, {"size": 80}, {"label_frame": "newest"}):
        other = network(RGB.model_copy(update=changes))
        other.load_state_dict(model.state_dict())
        assert open_store(other, "rgb", tmp_path) != first
    statistics = model.stream("rgb").frozen_state()["Mixed_4e.branch_0.norm.running_var"]
    statistics[0] += 1e-3
    assert open_store(model, "rgb", tmp_path) != first


def test_the_flow_estimator_belongs_to_the_flow_streams_settings_alone(tmp_path: Path) -> None:
    other = CONFIG.model_copy(
        update={"flow": CONFIG.flow.model_copy(update={"estimator": "farneback"})}
    )
    stores = [
        {stream: open_store(network(config), stream, tmp_path) for stream in CONFIG.streams}
        for config in (CONFIG, other)
    ]
    assert stores[0]["rgb"] == stores[1]["rgb"]
    assert stores[0]["flow"] != stores[1]["flow"]


def test_a_changed_video_is_computed_anew(folder: Path, tmp_path: Path) -> None:
    clips, model = clips_of(folder), network(RGB)
    cached = cached_dataset(clips, model, tmp_path / "cache")
    before = files(tmp_path / "cache")
    sample = clips.dataset.samples[0]
    key = clip_key(clips.dataset, sample)
    later = time.time() + 10
    os.utime(clips.dataset.video(sample), (later, later))
    assert clip_key(clips.dataset, sample) != key
    with pytest.raises(DatasetError, match="missing or damaged.*start again"):
        cached[0]
    cached_dataset(clips, model, tmp_path / "cache")
    assert len(files(tmp_path / "cache")) > len(before)
    assert len(cached[0]) == 1


def test_damaged_features_are_named(data: Path, tmp_path: Path) -> None:
    cached = cached_dataset(clips_of(data), network(RGB), tmp_path)
    for path in files(tmp_path):
        path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DatasetError, match=r"safetensors are missing or damaged.*delete the file"):
        cached[0]


def test_the_size_is_said_before_it_starts_and_is_right(data: Path, tmp_path: Path) -> None:
    said: list[str] = []
    steps: list[tuple[int, int]] = []

    def announce(line: str) -> None:
        assert not files(tmp_path)
        said.append(line)

    clips = clips_of(data)
    cached_dataset(
        clips,
        network(RGB),
        tmp_path,
        batch_size=2,
        announce=announce,
        progress=lambda *at: steps.append(at),
    )
    count = len({(sample.video, sample.frame) for sample in clips.dataset.samples})
    # Mixed_4e at width 1/32: 4 + 9 + 2 + 2 channels (112, 288, 64, 64 over 32: 3.5 rounds to 4),
    # T 4/4, 64/16 squared, 2 bytes
    each = (4 + 9 + 2 + 2) * 1 * 4 * 4 * 2
    assert len(said) == 1
    assert f"computed for {count} clips" in said[0]
    assert f" {count * each / 1e6:.3g} MB (free: " in said[0]
    assert steps[-1] == (count, count)


def test_a_full_disk_is_refused_before_anything_is_written(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=features.SPARE_BYTES)
    monkeypatch.setattr(features.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(
        DatasetError, match=r"need 0\.\d+ MB in .* but 0\.2 GB are free; make room"
    ):
        cached_dataset(clips_of(data), network(RGB), tmp_path)
    assert files(tmp_path) == []


def test_wholly_trained_networks_are_refused(data: Path, tmp_path: Path) -> None:
    config = RGB.model_copy(update={"video": VideoConfig(width=1 / 32, trainable="all")})
    with pytest.raises(ConfigError, match="every layer of tiny's rgb stream trains"):
        cached_dataset(clips_of(data, config), network(config), tmp_path)


def test_features_beyond_float16_are_refused(data: Path, tmp_path: Path) -> None:
    model = network(RGB)
    with torch.no_grad():
        model.stream("rgb").frozen_state()["Mixed_4e.branch_0.norm.bias"] += 1e5
    with pytest.raises(DatasetError, match="beyond float16"):
        cached_dataset(clips_of(data), model, tmp_path)


def test_an_unreadable_video_stops_or_is_left_out(folder: Path, tmp_path: Path) -> None:
    strict = A2DSentences(folder, "train")
    victim = strict.video(strict.samples[0])
    victim.write_bytes(b"no video")
    with pytest.raises(Exception, match=victim.name):
        cached_dataset(ClipDataset(strict, RGB), network(RGB), tmp_path / "cache")
    tolerant = A2DSentences(folder, "train", skip_bad=True)
    cached = cached_dataset(ClipDataset(tolerant, RGB), network(RGB), tmp_path / "cache")
    read = sum(len(batch) for batch in ClipLoader(cached, 2))
    others = [item for item in tolerant.samples if tolerant.video(item) != victim]
    assert 0 < read == len(others) < len(tolerant.samples)


def test_workers_read_the_same_features(data: Path, tmp_path: Path) -> None:
    model = network(RGB)
    here = cached_dataset(clips_of(data), model, tmp_path / "here")
    there = cached_dataset(clips_of(data), model, tmp_path / "there", workers=1)
    for one, two in zip(ClipLoader(here, 2), ClipLoader(there, 2, workers=1), strict=True):
        assert torch.equal(one.frozen["rgb"], two.frozen["rgb"])


FILL = """
import sys, time, torch
from pathlib import Path
from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.loading import ClipDataset
from actseg_core.networks.two_stream import build_model
from actseg_core.training.features import cached_dataset

data, root, config, slow = sys.argv[1:]
config = ModelConfig.model_validate_json(config)
torch.manual_seed(0)
clips = ClipDataset(A2DSentences(Path(data), "train"), config)
steps = [0]

def progress(done, wanted):
    steps.append(done)
    if slow == "slow" and done >= 2:
        time.sleep(600)

cached_dataset(clips, build_model(config), Path(root), batch_size=1, progress=progress)
print(steps[-1])
"""


def filling(data: Path, root: Path, pace: str) -> "subprocess.Popen[str]":
    """A process that fills a cache; a slow one stops at its second clip."""
    arguments = [str(data), str(root), RGB.model_dump_json(), pace]
    return subprocess.Popen(
        [sys.executable, "-c", FILL, *arguments], stdout=subprocess.PIPE, text=True
    )


def test_a_killed_process_leaves_whole_files_and_the_next_goes_on(
    data: Path, tmp_path: Path
) -> None:
    process = filling(data, tmp_path, "slow")
    deadline = time.monotonic() + PATIENCE_S
    while len(files(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    kept = {path: path.stat().st_mtime_ns for path in files(tmp_path)}
    assert len(kept) == 2
    clips = clips_of(data)
    steps: list[tuple[int, int]] = []
    cached = cached_dataset(
        clips, network(RGB), tmp_path, batch_size=1, progress=lambda *at: steps.append(at)
    )
    wanted = len({(sample.video, sample.frame) for sample in clips.dataset.samples})
    assert steps[-1] == (wanted - 2, wanted - 2)
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    fresh = cached_dataset(clips, network(RGB), tmp_path / "fresh", batch_size=1)
    for index in range(len(clips)):
        # The other process may have had another number of threads, and so other rounding.
        torch.testing.assert_close(
            cached[index].frozen["rgb"], fresh[index].frozen["rgb"], rtol=1e-2, atol=1e-3
        )


def test_a_second_process_waits_and_computes_nothing(data: Path, tmp_path: Path) -> None:
    both = [filling(data, tmp_path, "fast") for _ in range(2)]
    counts = sorted(int(process.communicate()[0]) for process in both)
    assert counts == [0, len(files(tmp_path))]


def test_training_on_kept_features_is_training_on_clips(data: Path, tmp_path: Path) -> None:
    clips = clips_of(data)
    cached: FrozenDataset = cached_dataset(clips, network(RGB), tmp_path)
    gradients = []
    for batch in (clips[0], cached[0]):
        stream = network(RGB).train().stream("rgb")
        if batch.frozen:
            maps = stream.encode_from_frozen(batch.frozen["rgb"])
        else:
            maps = stream.encode(batch.inputs(RGB)["rgb"])
        sum(item.square().mean() for item in maps).backward()
        gradients.append(
            {name: item.grad for name, item in stream.named_parameters() if item.grad is not None}
        )
    on_clips, on_features = gradients
    assert on_clips.keys() == on_features.keys()
    assert any("Mixed_4f" in name for name in on_clips)
    for name, value in on_clips.items():
        assert (value - on_features[name]).abs().max() <= 1e-2 * value.abs().max() + 1e-7
