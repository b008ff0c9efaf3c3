"""Data sets by name, their origin, and the row of the tables."""

import shutil
from pathlib import Path

import pytest

from actseg_core.config import ModelConfig, load_preset
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.evaluation.datasets import (
    check_kind,
    flatten,
    open_pairs,
    open_sentences,
    origin_of,
    row_of,
    weights_mark,
)


@pytest.fixture
def published() -> Path:
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "annotations"
    if not folder.is_dir():
        pytest.skip(f"the published annotation files are not in {folder}")
    return folder


def test_data_sets_are_opened_by_name(generated) -> None:
    dataset = open_sentences("a2d-sentences", generated, "test")
    assert isinstance(dataset, A2DSentences)
    assert dataset.samples
    assert open_pairs(generated, "test").frames


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda root: check_kind("a2d"), "no kind of data 'a2d'; give one of a2d-sentences"),
        (lambda root: open_sentences("a2d-sentences", root, "val"), "no split 'val'; give train"),
        (lambda root: open_pairs(root, ""), "no split ''"),
        (lambda root: open_sentences("a2d-pairs", root, "test"), "evaluated by its label maps"),
        (
            lambda root: open_sentences("custom", root, "", frame_list=root),
            "a frame list belongs to jhmdb-sentences",
        ),
    ],
)
def test_wrong_names_are_answered_with_the_right_ones(call, message, tmp_path) -> None:
    with pytest.raises(ConfigError, match=message):
        call(tmp_path)


def test_a_generated_folder_is_known_as_such(generated) -> None:
    assert origin_of("a2d-sentences", generated) == "generated"
    assert origin_of("a2d-pairs", generated) == "generated"


def test_without_the_generators_mark_its_data_is_not_taken_for_the_published(
    generated, tmp_path
) -> None:
    shutil.copytree(generated, tmp_path / "copy")
    (tmp_path / "copy" / "generator.json").unlink()
    for kind in ("a2d-sentences", "a2d-pairs", "jhmdb-sentences", "custom"):
        assert origin_of(kind, tmp_path / "copy") == "unverified"


def test_the_published_lists_are_recognised_and_a_lost_line_is_not(published, tmp_path) -> None:
    texts = {path.name: path for path in published.rglob("*") if path.is_file()}
    root = tmp_path / "a2d"
    (root / "Release").mkdir(parents=True)
    (root / "text_annotations").mkdir()
    shutil.copyfile(texts["videoset.csv"], root / "Release" / "videoset.csv")
    for name in ("a2d_annotation.txt", "a2d_missed_videos.txt"):
        shutil.copyfile(texts[name], root / "text_annotations" / name)
    shutil.copyfile(texts["jhmdb_annotation.txt"], root / "jhmdb_annotation.txt")
    for kind in ("a2d-sentences", "a2d-pairs", "jhmdb-sentences"):
        assert origin_of(kind, root) == "published"
    for path in (root / "Release" / "videoset.csv", root / "jhmdb_annotation.txt"):
        path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    for kind in ("a2d-sentences", "a2d-pairs", "jhmdb-sentences"):
        assert origin_of(kind, root) == "unverified"


@pytest.mark.parametrize(
    ("name", "kind", "row"),
    [
        ("table1_rgb", "a2d-sentences", "table1_rgb"),
        ("paper", "a2d-sentences", "paper"),
        ("ablation_text_lstm", "a2d-sentences", "ablation_text_lstm"),
        ("table1_rgb_flow", "jhmdb-sentences", "table2_rgb_flow"),
        ("table1_hu_tuned", "jhmdb-sentences", "table2_hu"),
        ("table3_pairs", "a2d-pairs", "table3_pairs"),
        ("table1_rgb", "a2d-pairs", ""),
        ("table1_rgb", "jhmdb-sentences", ""),
        ("table1_rgb", "custom", ""),
        ("lite", "a2d-sentences", ""),
    ],
)
def test_the_row_follows_from_the_networks_name_and_the_data(name, kind, row) -> None:
    assert row_of(load_preset(name), kind) == (row, ())


def test_a_network_named_otherwise_can_be_given_a_row() -> None:
    config = load_preset("table1_rgb").model_copy(update={"name": "mine"})
    assert row_of(config, "a2d-sentences") == ("", ())
    assert row_of(config, "a2d-sentences", "table1_rgb") == ("table1_rgb", ())


def test_differences_from_the_row_are_noted_but_not_word_vectors_or_calibration() -> None:
    config = load_preset("table1_rgb")
    changed = ModelConfig.from_mapping(
        config.model_dump()
        | {
            "size": 256,
            "text": {**config.text.model_dump(), "vectors": "GoogleNews.bin"},
            "presence": {"bias": 3.0},
            "decoder": {"activation": "relu"},
        }
    )
    _, notes = row_of(changed, "a2d-sentences")
    assert notes == ("decoder.activation relu instead of none", "size 256 instead of 512")


@pytest.mark.parametrize(
    ("preset", "kind", "row", "message"),
    [
        ("lite", "a2d-sentences", "table1_rgb", r"wants kind actor_action.*has kind objects"),
        ("table1_rgb", "a2d-sentences", "ablation_text_lstm", "wants text.encoder lstm"),
        ("table1_rgb", "a2d-sentences", "ablation_frames_8", "wants frames 8.*has frames 16"),
        ("table1_rgb", "a2d-pairs", "table1_rgb", "is tested on a2d-sentences, not on a2d-pairs"),
        ("table1_rgb", "a2d-sentences", "table9", "'table9' is no row.*give one of table1_hu,"),
    ],
)
def test_a_row_that_the_network_is_not_is_refused(preset, kind, row, message) -> None:
    with pytest.raises(ConfigError, match=message):
        row_of(load_preset(preset), kind, row)


def test_a_name_alone_does_not_make_a_row() -> None:
    impostor = load_preset("lite").model_copy(update={"name": "table1_rgb_flow"})
    assert row_of(impostor, "a2d-sentences") == ("", ())


def test_nested_settings_are_flattened() -> None:
    assert flatten({"a": 1, "b": {"c": 2, "d": {"e": 3}}}) == {"a": 1, "b.c": 2, "b.d.e": 3}


def test_weights_are_named_with_their_digest(tmp_path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"abc")
    # sha256 of "abc" begins so (FIPS 180-2).
    assert weights_mark(tmp_path / "w.safetensors") == "w.safetensors, sha256 ba7816bf8f01"
    with pytest.raises(DatasetError, match="cannot read .*none"):
        weights_mark(tmp_path / "none")
