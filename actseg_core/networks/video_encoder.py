"""The video encoder: one visual representation per clip (paper section 3.2)."""

from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import VideoConfig
from actseg_core.networks.i3d import ENDPOINTS, I3d

NORM_FLOOR = 1e-6  # of a vector's length; TensorFlow's l2_normalize, and above 0 in float16


class VideoEncoder(nn.Module):
    """I3D to Mixed_4f, averaged over time, L2-normalised at every location.

    The spatial coordinates that the paper appends are added by the decoder, which needs them at
    every resolution.

    Args:
        config: Width, normalisation, and which layers train.
        in_channels: 3 for RGB, 2 for flow.

    Attributes:
        i3d: The network; `video.weights.load_pretrained` fills it.
        out_channels: C, 832 at width 1.

    Shape:
        clip:    (B, in_channels, T, H, W) float in [-1, 1], any T, H, W >= 1.
        returns: (B, C, ceil(H/16), ceil(W/16)) float.

    Raises:
        ShapeError: If the clip is not of that shape.
    """

    def __init__(self, config: VideoConfig, in_channels: int) -> None:
        super().__init__()
        self.config = config
        self.i3d = I3d(in_channels, config.width, config.endpoint)
        self.out_channels = self.i3d.out_channels
        self.set_trainable()

    def set_trainable(self) -> None:
        """Freeze what the configuration says: all but the last block, nothing, or everything.

        Frozen batch norms, and without `batch_statistics` all of them, use their stored
        statistics in training mode, too.
        """
        layers = {"all": ENDPOINTS, "last_block": (self.config.endpoint,), "none": ()}
        self.i3d.set_trainable(layers[self.config.trainable], self.config.batch_statistics)

    def forward(self, clip: Tensor) -> Tensor:
        return self.from_frozen(self.i3d.frozen_part(clip))

    def from_frozen(self, frozen: Tensor) -> Tensor:
        """The representation from what `i3d.frozen_part` gave: Mixed_4e's output in the paper."""
        features = self.i3d.trained_part(frozen).mean(dim=2)
        if not self.config.l2_normalise:
            return features
        return functional.normalize(features, dim=1, eps=NORM_FLOOR)
