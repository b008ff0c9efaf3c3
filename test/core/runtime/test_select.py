"""Choosing a runtime: checked against PyTorch, PyTorch where nothing else can be used."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from actseg_core.config import ModelConfig, RuntimeConfig
from actseg_core.errors import BackendError
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network
from actseg_core.runtime import onnx_runtime, onnx_session, openvino_runtime, select
from actseg_core.runtime.graphs import Compiled, Graph, make_graphs
from actseg_core.runtime.object_runner import make_object_runner
from actseg_core.runtime.onnx_runtime import OnnxRuntime, providers
from actseg_core.runtime.select import check, make_executor

CPU = torch.device("cpu")


def test_auto_prefers_openvino_for_clips_and_onnx_runtime_for_single_frames(
    paper: Network, cache: Path
) -> None:
    assert make_executor(paper, RuntimeConfig(), cache).name == "openvino"
    config = ModelConfig(kind="objects", streams=("rgb",), label_frame="newest", size=96)
    model = ObjectsModel(config).eval()
    assert make_object_runner(model, RuntimeConfig(), cache)[1] == "onnxruntime"


def without(monkeypatch: pytest.MonkeyPatch, *modules: object) -> None:
    for module in modules:
        monkeypatch.setattr(module, "find_spec", lambda _name: None)


def test_auto_takes_the_next_runtime_where_one_is_not_installed(
    paper: Network, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, openvino_runtime)
    assert make_executor(paper, RuntimeConfig(), cache).name == "onnxruntime"


def test_auto_takes_pytorch_and_says_why_where_no_runtime_is_installed(
    paper: Network,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    without(monkeypatch, onnx_session, openvino_runtime)
    with caplog.at_level(logging.WARNING):
        assert make_executor(paper, RuntimeConfig(), cache).name == "torch"
    assert "PyTorch runs the network, which is slower here" in caplog.text
    assert "onnxruntime is not installed" in caplog.text


def test_a_named_runtime_that_is_not_installed_is_an_error(
    paper: Network, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, openvino_runtime)
    with pytest.raises(BackendError, match="openvino is not installed; pip install openvino"):
        make_executor(paper, RuntimeConfig(runtime="openvino"), cache)


def wrong(self: OnnxRuntime, graph: Graph, model: bytes) -> Compiled:
    def run(_inputs: Sequence[Tensor]) -> list[Tensor]:
        return [item + 0.1 for item in graph.outputs.values()]

    return run


def test_a_runtime_that_answers_otherwise_is_left_out(
    paper: Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(OnnxRuntime, "compile", wrong)
    without(monkeypatch, openvino_runtime)
    with caplog.at_level(logging.WARNING):
        assert make_executor(paper, RuntimeConfig(), tmp_path).name == "torch"
    assert "answers otherwise than PyTorch in graph encoder_rgb" in caplog.text


def graph(*outputs: Tensor) -> Graph:
    named = {str(index): item for index, item in enumerate(outputs)}
    return Graph("test", torch.nn.Identity(), {"x": torch.zeros(1)}, named)


def test_differences_are_shares_of_the_largest_value_or_of_one() -> None:
    small, large = torch.tensor([0.1]), torch.tensor([50.0, 1.0])
    found = check("r", graph(small, large), lambda _: [small + 0.02, large - 0.5], 0.03)
    assert found["0"] == pytest.approx(0.02)
    assert found["1"] == pytest.approx(0.01)


@pytest.mark.parametrize(
    "outputs",
    [[], [torch.zeros(2, 2)], [torch.full((3,), float("nan"))], [torch.full((3,), 2e-3)]],
    ids=["none", "shape", "nan", "value"],
)
def test_missing_misshapen_and_differing_outputs_fail(outputs: list[Tensor]) -> None:
    with pytest.raises(BackendError, match="answers otherwise than PyTorch in graph test"):
        check("r", graph(torch.zeros(3)), lambda _: outputs, select.TOLERANCE)


def test_gpu_runtimes_say_what_is_missing_here() -> None:
    with pytest.raises(BackendError, match="tensorrt does not run on device cpu; set device: c"):
        providers(CPU, tensorrt=True, half=False)
    with pytest.raises(BackendError, match="needs ONNX Runtime's CUDAExecution.*onnxruntime-gpu"):
        providers(torch.device("cuda:1"), tensorrt=False, half=False)
    with pytest.raises(BackendError, match="openvino runs on cpu here, not on cuda:0"):
        openvino_runtime.OpenVino(torch.device("cuda:0"), 1)


def test_gpu_providers_are_asked_in_order_where_they_exist(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import onnxruntime

    every = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: every)
    asked = providers(torch.device("cuda:1"), tensorrt=True, half=True)
    assert [name for name, _ in asked] == every
    assert asked[0][1] == {"device_id": 1, "trt_fp16_enable": True}
    assert asked[1][1] == {"device_id": 1}
    assert [name for name, _ in providers(torch.device("cuda"), False, False)] == every[1:]


def test_half_precision_needs_a_runtime_and_a_device_that_have_it(
    paper: Network, cache: Path
) -> None:
    with pytest.raises(BackendError, match="in PyTorch needs a cuda device, not cpu"):
        make_executor(paper, RuntimeConfig(runtime="torch", half=True), cache)
    with pytest.raises(BackendError, match="in ONNX Runtime is TensorRT's"):
        make_executor(paper, RuntimeConfig(runtime="onnxruntime", half=True), cache)


def test_sessions_on_devices_share_memory_with_pytorch(paper: Network) -> None:
    """The path of CUDA, run on the CPU: bound inputs, bound outputs, any number of sentences."""
    import onnxruntime

    from actseg_core.runtime.onnx_export import to_onnx

    (decoder,) = make_graphs(paper, ("decoder",))
    session = onnxruntime.InferenceSession(to_onnx(decoder), providers=["CPUExecutionProvider"])
    run = onnx_runtime.OnDevice(session, decoder, CPU)
    for count in (1, 3):
        inputs = decoder.example(count)
        wanted = decoder.module(*inputs)
        for ours, theirs in zip(run(inputs), wanted, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_threads_are_set_for_pytorch_too(paper: Network) -> None:
    before = torch.get_num_threads()
    try:
        make_executor(paper, RuntimeConfig(runtime="torch", threads=before + 1))
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_every_graph_gets_the_threads_of_the_settings(
    paper: Network, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[str, int] = {}
    compile_graph = OnnxRuntime.compile

    def noting(self: OnnxRuntime, graph: Graph, model: bytes) -> Compiled:
        found[graph.name] = self._threads
        return compile_graph(self, graph, model)

    monkeypatch.setattr(OnnxRuntime, "compile", noting)
    before = torch.get_num_threads()
    try:
        make_executor(paper, RuntimeConfig(runtime="onnxruntime", threads=before + 1), cache)
    finally:
        torch.set_num_threads(before)
    assert found == {"encoder_rgb": before + 1, "encoder_flow": before + 1}
