"""Exported folders: complete, checked, refused when damaged, never half."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from actseg_core.config import ModelConfig
from actseg_core.errors import BackendError, CheckpointError
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.runtime import export
from actseg_core.runtime.export import check_folder, export_folder


@pytest.fixture(scope="module")
def folder(paper: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "paper"
    export_folder(paper, path)
    return path


def test_every_graph_passes_in_both_runtimes(folder: Path) -> None:
    found = list(check_folder(folder))
    names = {"encoder_rgb", "encoder_flow", "decoder"}
    assert {(item.graph, item.runtime) for item in found} == {
        (name, runtime) for name in names for runtime in ("onnxruntime", "openvino")
    }
    assert all(item.passes and item.largest < 1e-4 for item in found)


def test_the_default_model_is_exported_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = ModelConfig(kind="objects", streams=("rgb",), label_frame="newest", size=96)
    export_folder(ObjectsModel(config).eval(), tmp_path / "objects")
    found = list(check_folder(tmp_path / "objects"))
    assert {item.graph for item in found} == {"see", "look"}
    assert all(item.passes for item in found), found
    index = json.loads((tmp_path / "objects" / "model.json").read_text())
    assert index["graphs"]["see"]["inputs"]["image"]["dtype"] == "uint8"
    assert index["graphs"]["look"]["outputs"]["object_masks"]["shape"][0] == "sentences"


def test_files_alone_take_frames_and_words_to_the_mask(folder: Path, paper: Network) -> None:
    """As a user without this package would: only model.json and the ONNX files."""
    index = json.loads((folder / "model.json").read_text())
    run = {
        name: onnxruntime.InferenceSession(folder / about["file"])
        for name, about in index["graphs"].items()
    }
    config, random = paper.config, np.random.default_rng(3)
    shape = (config.frames, config.size, config.size)
    clips = {
        "rgb": random.uniform(-1, 1, (1, 3, *shape)).astype(np.float32),
        "flow": random.uniform(-1, 1, (1, 2, *shape)).astype(np.float32),
    }
    features = {}
    for stream, clip in clips.items():
        encoded = run[f"encoder_{stream}"].run(None, {"clip": clip})
        features |= {f"{stream}_features_{place}": item for place, item in enumerate(encoded)}
    words = random.normal(size=(4, config.text.max_words, config.text.word_dim))
    words = words.astype(np.float32)
    *_, logits, _ = run["decoder"].run(None, {**features, "words": words})

    with torch.no_grad():
        tensors = {name: torch.from_numpy(clip) for name, clip in clips.items()}
        asked = paper.encode_sentences(torch.from_numpy(words))
        wanted = paper.respond(paper.encode(tensors), asked)
    np.testing.assert_allclose(logits, wanted[-1].numpy(), atol=1e-4)


@pytest.mark.slow
def test_half_precision_halves_the_files_and_stays_near(
    folder: Path, paper: Network, tmp_path: Path
) -> None:
    export_folder(paper, tmp_path / "half", half=True)
    assert all(item.passes for item in check_folder(tmp_path / "half"))
    full, half = (
        (path / "encoder_rgb.onnx").stat().st_size for path in (folder, tmp_path / "half")
    )
    assert half < 0.6 * full


def test_sentences_read_by_an_lstm_are_refused_in_words(
    paper_config: ModelConfig, tmp_path: Path
) -> None:
    text = paper_config.text.model_copy(update={"encoder": "lstm"})
    network = build_model(paper_config.model_copy(update={"text": text}))
    with pytest.raises(BackendError, match="only sentences with text.encoder: conv"):
        export_folder(network, tmp_path / "lstm")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_only_when_told_and_only_if_it_is_ours(
    paper: Network, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="exists already; name another, or add --force"):
        export_folder(paper, folder)
    (tmp_path / "photos").mkdir()
    with pytest.raises(CheckpointError, match=r"no exported model .* is not replaced"):
        export_folder(paper, tmp_path / "photos", force=True)


def test_a_failed_export_leaves_nothing(
    paper: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_graph: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "to_onnx", full)
    with pytest.raises(CheckpointError, match=r"cannot write .*No space left.*disk full"):
        export_folder(paper, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("model.json", b"{", "no readable exported model"),
        ("model.json", b"[]", "no readable exported model"),
        ("model.json", b'{"format": "actseg-onnx", "version": 9}', "reads actseg-onnx up to 1"),
        ("reference.npz", b"PK", "no readable exported model"),
        ("decoder.onnx", b"x", "not the file that was exported"),
    ],
)
def test_damaged_folders_are_named(
    folder: Path, tmp_path: Path, file: str, content: bytes, reason: str
) -> None:
    for item in folder.iterdir():
        (tmp_path / item.name).write_bytes(item.read_bytes())
    (tmp_path / file).write_bytes(content)
    with pytest.raises(CheckpointError, match=reason):
        list(check_folder(tmp_path))


def test_a_folder_of_the_gone_network_says_what_to_take(folder: Path, tmp_path: Path) -> None:
    index = json.loads((folder / "model.json").read_text())
    index["config"] |= {"kind": "lite", "lite": {"rgb_taps": 4}}
    (tmp_path / "model.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="kind 'lite' is the two-stream .* take preset lite"):
        list(check_folder(tmp_path))


def test_a_folder_that_still_stores_the_gone_networks_settings_is_checked(
    folder: Path, tmp_path: Path
) -> None:
    for item in folder.iterdir():
        (tmp_path / item.name).write_bytes(item.read_bytes())
    index = json.loads((folder / "model.json").read_text())
    index["config"]["lite"], index["ring"] = {"rgb_taps": 4}, {}
    (tmp_path / "model.json").write_text(json.dumps(index))
    assert all(item.passes for item in check_folder(tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="gone is no readable exported model"):
        list(check_folder(tmp_path / "gone"))
