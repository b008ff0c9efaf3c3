"""The paper's network and its baselines under lightning: step, optimiser, validation."""

from dataclasses import dataclass
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actseg_core.config import Stream
from actseg_core.datasets.loading import Batch
from actseg_core.datasets.samples import Sample
from actseg_core.experiment_config import StageConfig
from actseg_core.networks.segmenter import presence_score
from actseg_core.networks.two_stream import Network
from actseg_core.predictor import Response, postprocess
from actseg_core.training.stages import make_optimiser, make_schedule, stage_loss
from actseg_core.types import MaskResult


@dataclass(frozen=True, eq=False)
class Answer:
    """What the network says about one sample, at the video's own size.

    Attributes:
        sample: Sentence and frame.
        result: Mask and confidence by the network's own rules; not calibrated.
        truth: (H, W) bool.
    """

    sample: Sample
    result: MaskResult
    truth: NDArray[np.bool_]


class SentenceTraining(lightning.LightningModule):
    """Trains each stream on its own response maps; streams are fused only where they answer.

    The paper trains its RGB and its flow network one by one and averages their responses
    (section 5.1). Here both run in one step: they share no weight, so with Adam or SGD without
    gradient clipping, the sum of their losses trains each as if it were alone.

    Batches hold clips or, with a feature cache, what the frozen layers made of them.

    Args:
        model: The network.
        stage: Loss, optimiser and schedule.

    Attributes:
        losses: Of the last training batch: `loss`, and one per stream where there are two.
        scores: Of the last validation: `loss`, `overall_iou`, `mean_iou` [0, 1], `samples`.
    """

    def __init__(self, model: Network, stage: StageConfig) -> None:
        super().__init__()
        self.model = model
        self.stage = stage
        self.losses: dict[str, Tensor] = {}
        self.scores: dict[str, float] = {}
        self._counts: list[tuple[float, float, float, float]] = []

    def forward(self, batch: Batch) -> dict[Stream, list[Tensor]]:
        """Response maps per stream, (B, r, r) logits, coarse to fine."""
        model = self.model
        if batch.frozen:
            features = model.encode_from_frozen(batch.frozen)
        else:
            features = model.encode(batch.inputs(model.config))
        assert batch.words is not None
        return model.respond_streams(features, model.encode_sentences(batch.words))

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        losses = self._stream_losses(self(batch), batch)
        total = torch.stack(list(losses.values())).sum()
        named = {f"loss_{name}": value for name, value in losses.items() if len(losses) > 1}
        self.losses = {name: value.detach() for name, value in {"loss": total, **named}.items()}
        self.log("loss", total, prog_bar=True, logger=False, batch_size=len(batch))
        return total

    def _stream_losses(
        self, responses: dict[Stream, list[Tensor]], batch: Batch
    ) -> dict[Stream, Tensor]:
        return {
            name: stage_loss([item.float() for item in maps], batch.masks, self.stage)
            for name, maps in responses.items()
        }

    def configure_optimizers(self) -> Any:
        """As the stage says."""
        optimiser = make_optimiser(self.model, self.stage)
        schedule = make_schedule(optimiser, self.stage)
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_validation_epoch_start(self) -> None:
        self._counts = []

    def validation_step(  # type: ignore[override]  # lightning hands any value to callbacks
        self, batch: Batch, batch_index: int
    ) -> list[Answer]:
        responses = self(batch)
        loss = torch.stack(list(self._stream_losses(responses, batch).values())).sum().item()
        fused = [item.float() for item in self.model.fuse(responses)]
        scores = presence_score(fused).tolist()
        finest = fused[-1].cpu().numpy()
        answers = []
        for index, (truth, place) in enumerate(zip(batch.truths, batch.placements, strict=True)):
            response = Response(finest[index], scores[index])
            result = postprocess(response, self.model.config, place)
            answers.append(Answer(batch.samples[index], result, truth))
            mask = result.mask > 0
            common, either = float((mask & truth).sum()), float((mask | truth).sum())
            self._counts.append((loss, common, either, common / either if either else 1.0))
        return answers

    def on_validation_epoch_end(self) -> None:
        """Sum up over all processes."""
        sums = torch.zeros(5, dtype=torch.double)
        if self._counts:
            sums = torch.tensor([(*row, 1.0) for row in self._counts]).double().sum(dim=0)
        sums = self.trainer.strategy.reduce(sums.float().to(self.device), reduce_op="sum")
        loss, common, either, overlap, samples = sums.tolist()
        if not samples:
            return
        self.scores = {
            "loss": loss / samples,
            "overall_iou": common / either if either else 1.0,
            "mean_iou": overlap / samples,
            "samples": samples,
        }
        score = self.scores["mean_iou"]
        self.log("val_mean_iou", score, prog_bar=True, logger=False, sync_dist=True)
