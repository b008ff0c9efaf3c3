"""What PyTorch itself can do for speed: folded batch norms, torch.compile."""

import copy
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from actseg_core.errors import BackendError
from actseg_core.networks.two_stream import to_channels_last
from actseg_core.runtime.graphs import Compiled, Graph

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm2d, nn.BatchNorm3d)
NAME = "torch_compile"

Model = TypeVar("Model", bound=nn.Module)


def folded(network: Model) -> Model:
    """A copy whose batch norms are part of the convolutions before them, in channels-last.

    Neighbours in an nn.Sequential, and the `conv` and `norm` of a unit, belong together.
    """
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        names = list(module._modules)
        for before, after in zip(names, names[1:], strict=False):
            paired = isinstance(module, nn.Sequential) or (before, after) == ("conv", "norm")
            convolution, norm = module._modules[before], module._modules[after]
            if paired and isinstance(convolution, CONVOLUTIONS) and isinstance(norm, NORMS):
                setattr(module, before, fuse_conv_bn_eval(convolution, norm))
                setattr(module, after, nn.Identity())
    return to_channels_last(network)


class TorchCompile:
    """Makes graphs ready with torch.compile, which wants a C++ compiler and a minute at the start.

    Raises:
        BackendError: If a graph cannot be compiled.
    """

    name = NAME

    def compile(self, graph: Graph, model: bytes) -> Compiled:
        """Make a graph ready; `model` is not read.

        Raises:
            BackendError: If it cannot be compiled.
        """
        compiled: Any = torch.compile(graph.module, dynamic=False)
        try:
            with torch.inference_mode():
                compiled(*graph.example())
        except Exception as error:  # of the compiler, of many kinds
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BackendError(
                f"torch.compile cannot compile graph {graph.name}: {reason}; is a C++ compiler "
                "installed? Or take runtime: torch"
            ) from error
        return lambda inputs: list(compiled(*inputs))
