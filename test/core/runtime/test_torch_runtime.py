"""PyTorch's own ways to be faster."""

import shutil

import pytest
import torch
from torch import nn

from actseg_core.config import RuntimeConfig
from actseg_core.networks.two_stream import Network
from actseg_core.runtime.graphs import make_graphs
from actseg_core.runtime.select import make_executor
from actseg_core.runtime.torch_runtime import folded

NORMS = (nn.BatchNorm2d, nn.BatchNorm3d)


def disturb(network: Network) -> None:
    """Statistics as training leaves them; fresh ones would hide a wrong fold."""
    for module in network.modules():
        if isinstance(module, NORMS):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)


def test_batch_norms_are_folded_and_the_answers_stay(paper: Network) -> None:
    network = paper
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    try:
        torch.manual_seed(1)
        disturb(network)
        before = {name: value.clone() for name, value in network.state_dict().items()}

        smaller = folded(network)

        assert not any(isinstance(module, NORMS) for module in smaller.modules())
        for name, value in network.state_dict().items():
            assert torch.equal(value, before[name])
        for ours, theirs in zip(
            make_graphs(smaller, ("decoder",)), make_graphs(network, ("decoder",)), strict=True
        ):
            for name, wanted in theirs.outputs.items():
                torch.testing.assert_close(ours.outputs[name], wanted, atol=1e-4, rtol=1e-4)
    finally:
        network.load_state_dict(kept)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_graphs_pass_the_check(paper: Network) -> None:
    executor = make_executor(paper, RuntimeConfig(runtime="torch_compile"))
    assert executor.name == "torch_compile"
