"""Arrays of clips that are made once."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from actseg_core.config import FlowConfig, ModelConfig
from actseg_core.datasets.kept_clips import KeptClips, clip_key, mask_key
from actseg_core.datasets.samples import Sample
from actseg_core.errors import DatasetError

CONFIG = ModelConfig(frames=2, size=32, streams=("rgb", "flow"))
FRAMES = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
FIELDS = np.full((2, 4, 4, 2), 0.1, np.float32)


def never() -> Any:
    raise AssertionError("made again")


def test_what_is_kept_is_not_made_again(tmp_path: Path) -> None:
    kept = KeptClips(tmp_path, CONFIG)
    assert np.array_equal(kept.frames("one", lambda: FRAMES), FRAMES)
    assert np.array_equal(KeptClips(tmp_path, CONFIG).frames("one", never), FRAMES)


def test_flow_is_kept_in_16_bits(tmp_path: Path) -> None:
    kept = KeptClips(tmp_path, CONFIG)
    found = kept.flow("one", lambda: FIELDS)
    assert found.dtype == np.float32
    assert np.array_equal(found, np.full_like(FIELDS, np.float16(0.1)))
    assert np.array_equal(kept.flow("one", never), found)


@pytest.mark.parametrize(
    ("change", "frames_again"),
    [({"frames": 3}, True), ({"size": 48}, True), ({"flow": FlowConfig(clip_px=5)}, False)],
)
def test_other_settings_have_files_of_their_own(
    tmp_path: Path, change: dict[str, Any], frames_again: bool
) -> None:
    KeptClips(tmp_path, CONFIG).frames("one", lambda: FRAMES)
    KeptClips(tmp_path, CONFIG).flow("one", lambda: FIELDS)
    other = KeptClips(tmp_path, CONFIG.model_copy(update=change))
    made = []
    other.frames("one", lambda: made.append("frames") or FRAMES)
    other.flow("one", lambda: made.append("flow") or FIELDS)
    assert made == (["frames", "flow"] if frames_again else ["flow"])


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    kept = KeptClips(tmp_path, CONFIG)
    kept.frames("one", lambda: FRAMES)
    (path,) = tmp_path.rglob("one.npy")
    path.write_bytes(path.read_bytes()[:90])
    with pytest.raises(DatasetError, match=r"one\.npy is damaged .*delete the file"):
        kept.frames("one", never)


def test_nothing_half_written_stays_where_making_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="made again"):
        KeptClips(tmp_path, CONFIG).frames("one", never)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"cannot keep the clip .*give another folder"):
        KeptClips(tmp_path / "file", CONFIG).frames("one", lambda: FRAMES)


def reader(folder: Path) -> Any:
    return SimpleNamespace(
        video=lambda sample: folder / "video.mp4",
        annotation=lambda sample: folder / "1.png",
        length=lambda sample: None,
    )


def test_a_changed_video_or_annotation_has_another_key(tmp_path: Path) -> None:
    video, annotation = tmp_path / "video.mp4", tmp_path / "1.png"
    video.write_bytes(b"one")
    annotation.write_bytes(b"one")
    dataset, sample = reader(tmp_path), Sample("dog", "video", 0, 3)
    clip, mask = clip_key(dataset, sample), mask_key(dataset, sample)
    os.utime(annotation, (1, 1))
    assert clip_key(dataset, sample) == clip
    assert mask_key(dataset, sample) != mask
    video.write_bytes(b"longer")
    assert clip_key(dataset, sample) != clip


def test_every_instance_has_a_mask_of_its_own(tmp_path: Path) -> None:
    for name in ("video.mp4", "1.png"):
        (tmp_path / name).write_bytes(b"one")
    keys = {mask_key(reader(tmp_path), Sample("dog", "video", 0, number)) for number in (1, 2)}
    assert len(keys) == 2


def test_a_missing_video_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"video\.mp4.*is the download complete"):
        clip_key(reader(tmp_path), Sample("dog", "video", 0, 3))
