"""Graphs as files: kept, found again, renewed when damaged, never half."""

import os
from pathlib import Path

import pytest
import torch

from actseg_core.config import ModelConfig, RuntimeConfig
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.runtime import onnx_export
from actseg_core.runtime.graphs import EXPORTED, RUNNING, make_graphs
from actseg_core.runtime.onnx_export import KEPT_MODELS, OnnxCache, cache_folder, fingerprint
from actseg_core.runtime.onnx_runtime import OnnxRuntime
from actseg_core.runtime.select import TOLERANCE, make_executor, ready
from actseg_core.runtime.torch_runtime import folded

SETTINGS = RuntimeConfig(runtime="onnxruntime")


def test_networks_are_cut_where_windows_and_sentences_meet(paper: Network) -> None:
    names = {
        kinds: [item.name for item in make_graphs(paper, kinds)] for kinds in (RUNNING, EXPORTED)
    }
    streams = ["encoder_rgb", "encoder_flow"]
    assert names == {RUNNING: streams, EXPORTED: [*streams, "decoder"]}


def test_a_second_start_converts_nothing(
    paper: Network, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_executor(paper, SETTINGS, cache)
    monkeypatch.setattr(onnx_export, "to_onnx", lambda _: pytest.fail("converted again"))
    assert make_executor(paper, SETTINGS, cache).name == "onnxruntime"


@pytest.mark.parametrize("damage", ["cut", "noise", "another graph"])
def test_a_damaged_file_is_renewed(paper: Network, tmp_path: Path, damage: str) -> None:
    rgb, flow = make_graphs(paper, ("encoder",))
    OnnxCache(paper, tmp_path).get(rgb)
    good = OnnxCache(paper, tmp_path).get(flow)
    path = next(tmp_path.rglob("encoder_flow.onnx"))
    bad = {
        "cut": good[: len(good) // 2],
        "noise": os.urandom(100),
        "another graph": path.with_name("encoder_rgb.onnx").read_bytes(),
    }[damage]
    path.write_bytes(bad)

    run = ready(OnnxRuntime(torch.device("cpu"), 1), flow, OnnxCache(paper, tmp_path), TOLERANCE)

    torch.testing.assert_close(run(flow.example()), list(flow.outputs.values()), atol=1e-4, rtol=0)
    assert path.read_bytes() == good
    assert list(tmp_path.rglob("*.part")) == []


def test_a_folder_that_cannot_be_written_costs_only_time(paper: Network, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert OnnxCache(paper, blocked).get(make_graphs(paper, ("encoder",))[0])
    assert blocked.read_text() == "in the way"


def test_other_weights_and_other_settings_have_other_files(paper_config: ModelConfig) -> None:
    torch.manual_seed(0)
    first = build_model(paper_config)
    second = build_model(paper_config)
    wider = build_model(paper_config.model_copy(update={"size": 64}))
    wider.load_state_dict(first.state_dict())
    assert len({fingerprint(item) for item in (first, second, wider)}) == 3
    second.load_state_dict(first.state_dict())
    assert fingerprint(first) == fingerprint(second)


def test_only_the_newest_models_are_kept(paper: Network, tmp_path: Path) -> None:
    for index in range(KEPT_MODELS + 2):
        folder = tmp_path / f"old{index}"
        folder.mkdir()
        (folder / "encoder_rgb.onnx").write_bytes(b"x")
        os.utime(folder, (index, index))
    network = folded(paper)
    graph = make_graphs(network, ("encoder",))[0]
    OnnxCache(network, tmp_path).get(graph)
    left = {item.name for item in tmp_path.iterdir()}
    assert len(left) == KEPT_MODELS
    assert fingerprint(network) in left and "old0" not in left


def test_the_cache_lies_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder() == Path("/x/actseg/graphs")
    monkeypatch.setenv("ACTSEG_CACHE", "/a")
    assert cache_folder() == Path("/a/actseg/graphs")
    monkeypatch.delenv("ACTSEG_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "actseg" / "graphs"


def test_for_a_user_without_a_home_folder_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("ACTSEG_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert cache_folder() is None
