import hashlib
from pathlib import Path

import pytest
from held_out_words import HELD_OUT_WORDS

from actseg_core.errors import DatasetError
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset, make_video, scene_of, split_of
from actseg_core.generator.records import read_record
from actseg_core.generator.settings import DatasetConfig

SCENE = SceneConfig(frames=4, height=48, width=64)
CONFIG = DatasetConfig(videos=4, scene=SCENE, test_share=0.5)


def digest(root: Path) -> dict[str, str]:
    """Every file's content."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished") / "set"
    generate_dataset(root, CONFIG)
    return root


def test_two_processes_write_the_same_as_one(finished: Path, tmp_path: Path) -> None:
    generate_dataset(tmp_path / "set", CONFIG, workers=2)

    assert digest(tmp_path / "set") == digest(finished)


def test_an_interrupted_run_goes_on_and_ends_the_same(finished: Path, tmp_path: Path) -> None:
    root, done = tmp_path / "set", []

    def stop(count: int, wanted: int) -> None:
        done.append(count)
        if count == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_dataset(root, CONFIG, progress=stop)
    assert not (root / "Release" / "videoset.csv").exists(), "no index of an unfinished set"
    (root / "records" / "gen00000001.json").unlink()  # as if killed before the last file
    generate_dataset(root, CONFIG, progress=lambda count, wanted: done.append(count))

    assert done == [0, 1, 2, 1, 2, 3, 4]
    assert digest(root) == digest(finished)


def test_more_videos_can_be_added(finished: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    generate_dataset(root, CONFIG.model_copy(update={"videos": 2}))
    generate_dataset(root, CONFIG)

    assert digest(root) == digest(finished)


def test_a_folder_of_other_settings_is_refused(finished: Path) -> None:
    other = CONFIG.model_copy(update={"seed": 5, "fps": 30.0})

    with pytest.raises(DatasetError, match=r"other settings \(fps, seed differ\)"):
        generate_dataset(finished, other)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(DatasetError, match="is not empty and was not written by actseg generate"):
        generate_dataset(tmp_path, CONFIG)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    generate_dataset(tmp_path / "set", CONFIG.model_copy(update={"videos": 1}))
    (tmp_path / "set" / "records" / "gen00000000.json").write_text("{")

    with pytest.raises(DatasetError, match=r"gen00000000\.json is damaged .*delete it"):
        generate_dataset(tmp_path / "set", CONFIG.model_copy(update={"videos": 1}))


@pytest.mark.parametrize(("share", "tests"), [(0.0, 0), (0.2, 20), (1.0, 100)])
def test_the_test_split_has_its_share(share: float, tests: int) -> None:
    config = DatasetConfig(test_share=share)

    assert sum(split_of(index, config) for index in range(100)) == tests


def test_test_videos_alone_may_use_held_out_words(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"test_words": "always", "flow": "none"})

    for index in range(4):
        make_video(tmp_path, config, index)
        record = read_record(tmp_path / "records" / f"gen{index:08d}.json")
        words = {word for item in record.queries for word in item.query.split()}
        assert bool(words & HELD_OUT_WORDS) == (record.split == 1)
    assert not (tmp_path / "Release" / "Flow").exists()


def test_test_clips_may_have_photographs_of_their_own() -> None:
    scene = SCENE.model_copy(update={"cutout_part": "train"})
    config = CONFIG.model_copy(update={"scene": scene, "test_cutout_part": "test"})
    parts = [scene_of(split, config).cutout_part for split in (0, 1)]
    assert parts == ["train", "test"]


def test_test_clips_take_the_photographs_of_the_scene_if_nothing_else_is_said() -> None:
    scene = SCENE.model_copy(update={"cutout_part": "validation"})
    assert scene_of(1, CONFIG.model_copy(update={"scene": scene})).cutout_part == "validation"
