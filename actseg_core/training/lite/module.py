"""The lite model under lightning: step, parameter groups, schedule."""

from typing import Any

import lightning
import torch
from torch import Tensor, nn

from actseg_core.config import LiteTrainConfig, Stream
from actseg_core.data.lite.mixture import Sample
from actseg_core.lite.trunk import RgbTrunk
from actseg_core.model import Network
from actseg_core.training.lite.objective import response_loss


class LiteTraining(lightning.LightningModule):
    """Trains both streams at once: each on its own responses, and the fusion on top.

    Args:
        model: The network.
        settings: Learning rates and length.
    """

    def __init__(self, model: Network, settings: LiteTrainConfig) -> None:
        super().__init__()
        self.model = model
        self.settings = settings

    def train(self, mode: bool = True) -> "LiteTraining":
        """Training mode, except for the pretrained trunk's batch norms: batches are small."""
        super().train(mode)
        for module in self.model.modules():
            if isinstance(module, RgbTrunk):
                for part in module.modules():
                    if isinstance(part, nn.BatchNorm2d):
                        part.eval()
        return self

    def training_step(self, batch: Sample, batch_index: int) -> Tensor:
        clips = network_input(batch, self.model.config.flow.clip_px)
        features = self.model.encode(clips)
        responses = self.model.respond_streams(
            features, self.model.encode_sentences(batch["words"])
        )
        losses = {name: response_loss(maps, batch["mask"]) for name, maps in responses.items()}
        fused = response_loss(self.model.fuse(responses), batch["mask"])
        self.log_dict({f"loss/{name}": value for name, value in losses.items()})
        self.log("loss/fused", fused, prog_bar=True)
        return fused + self.settings.stream_loss_weight * torch.stack(list(losses.values())).sum()

    def configure_optimizers(self) -> Any:
        """AdamW, a lower rate for the pretrained trunk, one cycle with cosine decay."""
        trunk = [p for m in self.modules() if isinstance(m, RgbTrunk) for p in m.parameters()]
        known = {id(parameter) for parameter in trunk}
        rest = [p for p in self.parameters() if id(p) not in known]
        rates = [self.settings.trunk_rate, self.settings.head_rate]
        optimizer = torch.optim.AdamW(
            [{"params": trunk}, {"params": rest}], lr=rates[1], weight_decay=1e-2
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=rates, total_steps=self.settings.iterations, pct_start=0.05
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def network_input(batch: Sample, clip_px: float) -> dict[Stream, Tensor]:
    """(B, T, S, S, C) arrays to the (B, C, T, S, S) tensors in [-1, 1] that streams read."""
    rgb = batch["rgb"].permute(0, 4, 1, 2, 3).float().div(127.5).sub(1.0)
    flow = batch["flow"].permute(0, 4, 1, 2, 3).float().clamp(-clip_px, clip_px).div(clip_px)
    return {"rgb": rgb, "flow": flow}
