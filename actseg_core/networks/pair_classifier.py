"""The multi-label video classifier that proposes actor-action pairs (paper section 5.3)."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import Stream
from actseg_core.errors import DatasetError, ShapeError
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.labels import BACKGROUND, PAIRS
from actseg_core.networks.i3d import LOGITS, I3d

TRAINED_LAYERS = ("Mixed_5c", LOGITS)
CHANNELS: dict[Stream, int] = {"rgb": 3, "flow": 2}


class PairClassifier(nn.Module):
    """An RGB and a flow I3D with 43 outputs each, which are trained side by side.

    The last inception block and the final layer train; batch norms keep their stored statistics
    [ours], so that a small batch of clips does not disturb them.

    Args:
        config: Streams, width and dropout.

    Shape:
        clips:   per stream (B, C, T, H, W) float in [-1, 1], C = 3 rgb or 2 flow.
        returns: per stream (B, 43) logits in the order of `labels.PAIRS`.

    Raises:
        ShapeError: If a stream's clip is missing or of another shape.
    """

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.streams = nn.ModuleDict(
            {
                stream: I3d(
                    CHANNELS[stream], config.width, classes=len(PAIRS), dropout=config.dropout
                )
                for stream in config.streams
            }
        )
        self.set_trainable()

    def set_trainable(self) -> None:
        """Freeze all but the last inception block and the final layer."""
        for stream in self.config.streams:
            self.stream(stream).set_trainable(TRAINED_LAYERS, batch_statistics=False)

    def stream(self, name: Stream) -> I3d:
        """The network of one stream; `public_weights.load_i3d(..., head=False)` fills it."""
        module = self.streams[name]
        assert isinstance(module, I3d)
        return module

    def forward(self, clips: Mapping[Stream, Tensor]) -> dict[Stream, Tensor]:
        if missing := [stream for stream in self.config.streams if stream not in clips]:
            raise ShapeError(
                f"the classifier reads {' and '.join(self.config.streams)}, but there is no "
                f"{' and no '.join(missing)} clip; compute it, or set classifier.streams"
            )
        return {stream: self.stream(stream)(clips[stream]) for stream in self.config.streams}

    @torch.inference_mode()
    def confidences(self, clips: Iterable[Mapping[Stream, Tensor]]) -> NDArray[np.float32]:
        """Confidence (43,) in [0, 1] that a video shows each pair.

        The mean of the sigmoid scores over clips and streams. The network must be in evaluation
        mode.

        Args:
            clips: Of one video, per stream (B, C, T, H, W) with any B; read one by one.

        Raises:
            ShapeError: If there is no clip.
        """
        scores = [
            torch.sigmoid(logits.float()) for item in clips for logits in self(item).values()
        ]
        if not scores:
            raise ShapeError("a video needs at least one clip to be classified, got none")
        mean: NDArray[np.float32] = torch.cat(scores).mean(dim=0).cpu().numpy()
        return mean


def pair_loss(logits: Mapping[Stream, Tensor], targets: Tensor) -> Tensor:
    """Binary cross-entropy of the sigmoid scores: mean over clips and pairs, sum over streams.

    The streams share no weight, so the sum trains each as if alone.

    Args:
        logits: Per stream (B, 43).
        targets: (B, 43) float, 1 where the clip's video shows the pair.
    """
    losses = [
        functional.binary_cross_entropy_with_logits(item, targets) for item in logits.values()
    ]
    return torch.stack(losses).sum()


def pair_targets(labels: Iterable[int]) -> Tensor:
    """A video's A2D ids as a vector (43,) float of zeros and ones; background is ignored.

    Raises:
        DatasetError: If an id is not one of A2D's valid pairs.
    """
    places = {pair.label: index for index, pair in enumerate(PAIRS)}
    targets = torch.zeros(len(PAIRS))
    for label in labels:
        if label == BACKGROUND:
            continue
        if label not in places:
            raise DatasetError(
                f"{label} is no valid actor-action pair of A2D; valid ids are "
                f"{', '.join(str(known) for known in places)}"
            )
        targets[places[label]] = 1.0
    return targets
