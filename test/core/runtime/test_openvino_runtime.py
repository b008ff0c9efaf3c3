"""Models come and go in a process that still has to handle its signals."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, threading
import torch
from onnx import TensorProto, helper
from actseg_core.runtime.graphs import Graph
from actseg_core.runtime.openvino_runtime import OpenVino

value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [value("x")], [value("y")])
options = dict(opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
onnx = helper.make_model(graph, **options).SerializeToString()

def load():
    runtime = OpenVino(torch.device("cpu"), 1)
    return runtime, runtime.compile(Graph("g", torch.nn.Identity(), {}, {}), onnx)

signal.signal(signal.SIGTERM, lambda *_: print("handled", flush=True))
%s
os.kill(os.getpid(), signal.SIGTERM)
"""
SWAP = "first = load(); second = load(); del first; del second"
DROP_IN_A_THREAD = """
kept = [load()]
thread = threading.Thread(target=kept.clear)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("order", [SWAP, DROP_IN_A_THREAD], ids=["swap", "thread"])
def test_a_signal_after_a_model_was_dropped_is_handled(order: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM % order], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
