"""The default network: objects of a frame, and how well a noun names them."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import ModelConfig
from actseg_core.networks.object_features import FrameTrunk
from actseg_core.networks.object_net import Joined, ObjectNetwork
from actseg_core.networks.tensors import network_input
from actseg_core.objects.naming import FEATURES, HIDDEN, NamingModel

CELLS_PER_NAME = 8
"""Cells of a mask (stride 4) beside one another in one cell of the names (stride 32)."""


class NamingNetwork(nn.Module):
    """The weights of `objects.naming.NamingModel`, as they are trained.

    Shape:
        features: (N, 19) of `naming_features`.
        returns: (N,) log-odds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(FEATURES, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.out(torch.relu(self.hidden(features)))[:, 0]
        return result

    def model(self) -> NamingModel:
        """The same without torch, with the weights as they are now."""
        state: Mapping[str, NDArray[np.float32]] = {
            name: value.detach().cpu().float().numpy() for name, value in self.state_dict().items()
        }
        return NamingModel(state)


class ObjectsModel(nn.Module):
    """Frame network, object network and naming of one checkpoint.

    Args:
        config: Of kind "objects".
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.frame = FrameTrunk()
        self.objects = ObjectNetwork()
        self.naming = NamingNetwork()

    def see(self, image: Tensor) -> tuple[Tensor, ...]:
        """Everything that depends on the frame alone.

        Args:
            image: (1, H, W, 3) uint8 RGB, sides multiples of 32, at most the model's size.

        Returns:
            Joined features at strides 16 and 8, mask features at stride 4, features for names at
            stride 32, boxes (1, A, 4) [px], objectness (1, A) and classes (1, A, 80), the last
            two as probabilities.
        """
        found = self.frame(network_input(image))
        joined = self.objects.join(found)
        return (
            *joined,
            self.frame.names(found.stride32),
            found.boxes,
            torch.sigmoid(found.objectness),
            torch.sigmoid(found.classes),
        )

    def look(
        self, stride16: Tensor, stride8: Tensor, masks: Tensor, names: Tensor, boxes: Tensor
    ) -> tuple[Tensor, ...]:
        """What is in each box of a frame.

        Args:
            stride16: Of `see`, as the next three.
            stride8: See there.
            masks: See there.
            names: See there.
            boxes: (K, 4) centre x, y, width, height [px].

        Returns:
            Masks (K, H/4, W/4) and ImageNet classes (K, 1000) as probabilities, embeddings
            (K, D), expected IoU of the masks (K,).
        """
        joined = Joined(stride16, stride8, masks)
        response, _, quality, embeddings = self.objects(joined, boxes, self.config.size)
        found = torch.sigmoid(response)
        weights = functional.avg_pool2d(found.unsqueeze(1), CELLS_PER_NAME).flatten(1)
        weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
        pooled = torch.matmul(weights, names[0].flatten(1).t())
        named = self.frame.names.probabilities(pooled)
        return found, named, embeddings, torch.sigmoid(quality)
