"""The shipped graphs of the objects model, with the shipped weights, against PyTorch."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.checkpoints.stored import check_fit, checkpoint_path, read_arrays
from actseg_core.config import RuntimeConfig, load_preset
from actseg_core.errors import BackendError, CheckpointError
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.runtime import object_sessions, onnx_session
from actseg_core.runtime.object_runner import CompiledObjects, make_object_runner
from actseg_core.runtime.object_sessions import ObjectSessions, graph_facts, runs_without_torch

AGAIN = "run tools/export_object_graphs.py after a change of the network's layers"
SIZE = load_preset("lite").size


@pytest.fixture(scope="module")
def shipped() -> ObjectSessions:
    return ObjectSessions(read_arrays(checkpoint_path("lite")), threads=1)


@pytest.fixture(scope="module")
def in_torch() -> CompiledObjects:
    model = load_checkpoint(checkpoint_path("lite")).model
    assert isinstance(model, ObjectsModel)
    return make_object_runner(model, None)[0]


def picture(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize(("height", "width"), [(416, 544), (320, 544), (544, 544), (544, 96)])
def test_every_output_is_pytorchs_for_pictures_of_any_sides(
    shipped: ObjectSessions, in_torch: CompiledObjects, height: int, width: int
) -> None:
    image = picture(height, width)
    ours, theirs = shipped.see(image), in_torch.see(image)
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.02, err_msg=AGAIN)
    np.testing.assert_allclose(ours.objectness, theirs.objectness, atol=1e-4, err_msg=AGAIN)
    np.testing.assert_allclose(ours.classes, theirs.classes, atol=1e-4, err_msg=AGAIN)


@pytest.mark.parametrize("count", [1, 3, 32])
def test_masks_names_and_features_are_pytorchs_for_any_number_of_boxes(
    shipped: ObjectSessions, in_torch: CompiledObjects, count: int
) -> None:
    image = picture(416, 544)
    boxes = np.random.default_rng(count).uniform(40, 300, (count, 4)).astype(np.float32)
    ours = shipped.look(shipped.see(image), boxes)
    theirs = in_torch.look(in_torch.see(image), boxes)
    assert ours.masks.shape == (count, 104, 136)
    for name in ("masks", "quality", "embeddings", "names"):
        found, wanted = getattr(ours, name), getattr(theirs, name)
        np.testing.assert_allclose(found, wanted, atol=1e-3, err_msg=f"{name}: {AGAIN}")
    assert ours.masks.flags.writeable, "small parts are taken out in place"


def test_the_shapes_of_all_weights_are_those_of_the_network() -> None:
    wanted = {
        name: list(value.shape)
        for name, value in ObjectsModel(load_preset("lite")).state_dict().items()
    }
    assert graph_facts()["shapes"] == wanted, AGAIN


def test_the_graphs_hold_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = read_arrays(checkpoint_path("lite"))
    naught = {name: np.zeros_like(value) for name, value in weights.items()}
    found = ObjectSessions(naught, threads=1).see(picture(64, 64))
    np.testing.assert_array_equal(found.objectness, 0.5)  # the sigmoid of 0


def test_a_file_with_other_weights_is_named(tmp_path: Path) -> None:
    weights = read_arrays(checkpoint_path("lite"))
    weights["frame.names.classify.bias"] = np.full(1000, np.nan, np.float32)
    weights["naming.out.bias"] = np.zeros(2, np.float32)
    del weights["naming.hidden.bias"]
    reason = "naming.hidden.bias is missing; naming.out.bias must be \\(1,\\), is \\(2,\\)"
    with pytest.raises(CheckpointError, match="bias is not finite; " + reason):
        check_fit(tmp_path, graph_facts()["shapes"], weights)


@pytest.mark.parametrize(
    ("size", "device", "settings", "serves"),
    [
        (SIZE, "cpu", {}, True),
        (SIZE, "cpu", {"runtime": "onnxruntime"}, True),
        (SIZE, "cpu", {"runtime": "torch"}, False),
        (SIZE, "cpu", {"runtime": "openvino"}, False),
        (SIZE, "cpu", {"half": True}, False),
        (SIZE, "cuda", {}, False),
        (SIZE + 32, "cpu", {}, False),
    ],
)
def test_they_serve_on_cpus_at_the_size_that_they_were_made_for(
    size: int, device: str, settings: dict[str, object], serves: bool
) -> None:
    assert runs_without_torch(size, device, RuntimeConfig(**settings)) is serves


def test_a_graph_that_is_damaged_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_sessions, "_file", lambda name: b"damaged")
    monkeypatch.setattr(object_sessions, "graph_facts", lambda: {"see": [], "look": []})
    with pytest.raises(BackendError, match="ONNX Runtime cannot load graph see"):
        ObjectSessions({})


def test_without_onnx_runtime_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_session, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match="pip install onnxruntime"):
        ObjectSessions({})


@pytest.mark.parametrize(("told", "threads"), [("3", 3), ("0", None), ("x", None), ("", None)])
def test_threads_are_omp_num_threads_or_the_cores(
    told: str, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    monkeypatch.setattr(onnx_session.os, "sched_getaffinity", lambda pid: {0, 1, 2, 3, 4})
    assert onnx_session.default_threads() == (threads or 5)


def test_what_ships_is_small() -> None:
    folder = checkpoint_path("lite").parent
    assert sum(path.stat().st_size for path in folder.glob("objects*")) < 600_000
    assert json.loads((folder / "objects.json").read_text())["size"] == SIZE
