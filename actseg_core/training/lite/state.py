"""Where an interrupted training goes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn


class TrainingState:
    """Network, optimiser and learning rate's plan in one file, which is whole or not there.

    Args:
        path: The file.
        network: What is trained.
        optimiser: Its optimiser.
        plan: Its learning rate's plan.
        recipe: Settings of the training; a state of other settings is not gone on with.
    """

    def __init__(
        self,
        path: Path,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        plan: torch.optim.lr_scheduler.LRScheduler,
        recipe: Mapping[str, Any],
    ) -> None:
        self._path = path
        self._network, self._optimiser, self._plan = network, optimiser, plan
        self._recipe = dict(recipe)

    def save(self, step: int) -> None:
        """Keep everything as it is after `step` steps."""
        partial = self._path.with_name(self._path.name + ".part")
        kept = {
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "plan": self._plan.state_dict(),
            "recipe": self._recipe,
            "step": step,
        }
        torch.save(kept, partial)
        partial.replace(self._path)

    def resume(self) -> int:
        """Take over what was kept; the step to go on with, 0 if there is none of this recipe."""
        if not self._path.is_file():
            return 0
        kept = torch.load(self._path, weights_only=True)
        if kept["recipe"] != self._recipe:
            return 0
        self._network.load_state_dict(kept["network"])
        self._optimiser.load_state_dict(kept["optimiser"])
        self._plan.load_state_dict(kept["plan"])
        return int(kept["step"])
