"""The lite model under lightning: loss, step, parameter groups, schedule."""

from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import LiteTrainConfig, ModelConfig, Stream
from actseg_core.networks.lite_trunk import RgbTrunk
from actseg_core.networks.two_stream import Network
from actseg_core.training.lite.mixture import Sample

DICE_SMOOTHING = 20.0  # [px] keeps the gradient of tiny targets finite
PRESENCE_WEIGHT = 0.5
DICE_WEIGHT = 0.5


def response_loss(responses: list[Tensor], masks: Tensor) -> Tensor:
    """Loss of one network's response maps.

    The paper's logistic loss at every resolution (equations 3 to 5), soft Dice on the finest map
    against the imbalance of small actors, and the logistic loss of the r = 1 presence map.

    Args:
        responses: Logits (B, r, r), coarse to fine, the first with r = 1.
        masks: (B, S, S) bool, all false where the actor is absent.
    """
    present = masks.flatten(1).any(dim=1).float()
    total = PRESENCE_WEIGHT * functional.binary_cross_entropy_with_logits(
        responses[0][:, 0, 0], present
    )
    target = masks.float().unsqueeze(1)
    for response in responses[1:]:
        height, width = response.shape[-2:]
        share = functional.adaptive_avg_pool2d(target, (height, width))[:, 0]
        total = total + functional.binary_cross_entropy_with_logits(response, share)
    return total + DICE_WEIGHT * dice_loss(responses[-1], share, present)


def dice_loss(logits: Tensor, target: Tensor, present: Tensor) -> Tensor:
    """1 - soft Dice, averaged over the samples whose actor is there.

    Args:
        logits: (B, r, r).
        target: (B, r, r) in [0, 1].
        present: (B,) 0 or 1.
    """
    probability = torch.sigmoid(logits).flatten(1)
    target = target.flatten(1)
    overlap = 2 * (probability * target).sum(dim=1) + DICE_SMOOTHING
    size = probability.sum(dim=1) + target.sum(dim=1) + DICE_SMOOTHING
    return ((1 - overlap / size) * present).sum() / present.sum().clamp(min=1)


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
        self._freeze_stages()

    def _freeze_stages(self) -> None:
        """Keep the first stages of the pretrained trunk: most of its cost, least of its gain."""
        stages = {"none": 0, "stride4": 1, "stride8": 2, "stride32": 4}[self.settings.frozen]
        for trunk in self.modules():
            if isinstance(trunk, RgbTrunk):
                for stage in (trunk.to4, trunk.to8, trunk.to16, trunk.to32)[:stages]:
                    stage.requires_grad_(False)

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
        model = self.model
        count = batch["words"].shape[1]
        masks = batch["mask"].flatten(0, 1)
        # Every clip is encoded once and its features serve each of its sentences.
        features = {
            name: [level.repeat_interleave(count, dim=0) for level in levels]
            for name, levels in model.encode(network_input(batch, model.config)).items()
        }
        responses = model.respond_streams(
            features, model.encode_sentences(batch["words"].flatten(0, 1))
        )
        losses = {name: response_loss(maps, masks) for name, maps in responses.items()}
        fused = response_loss(model.fuse(responses), masks)
        self.log_dict({f"loss/{name}": value for name, value in losses.items()})
        self.log("loss/fused", fused, prog_bar=True)
        return fused + self.settings.stream_loss_weight * torch.stack(list(losses.values())).sum()

    def configure_optimizers(self) -> Any:
        """AdamW, a lower rate for the pretrained trunk, one cycle with cosine decay."""
        trunk = [p for m in self.modules() if isinstance(m, RgbTrunk) for p in m.parameters()]
        known = {id(parameter) for parameter in trunk}
        rest = [p for p in self.parameters() if id(p) not in known]
        rates = [self.settings.trunk_rate, self.settings.head_rate]
        groups = [[p for p in group if p.requires_grad] for group in (trunk, rest)]
        optimizer = torch.optim.AdamW(
            [{"params": group} for group in groups], lr=rates[1], weight_decay=1e-2
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=rates, total_steps=self.settings.iterations, pct_start=0.05
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def network_input(batch: Sample, config: ModelConfig) -> dict[Stream, Tensor]:
    """(B, T, S, S, C) arrays to the (B, C, T, S, S) tensors in [-1, 1] that the streams read."""
    clips: dict[Stream, Tensor] = {}
    if "rgb" in config.streams:
        clips["rgb"] = batch["rgb"].permute(0, 4, 1, 2, 3).float().div(127.5).sub(1.0)
    if "flow" in config.streams:
        limit = config.flow.clip_px
        flow = batch["flow"].permute(0, 4, 1, 2, 3).float()
        clips["flow"] = flow.clamp(-limit, limit).div(limit)
    return clips
