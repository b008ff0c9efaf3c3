"""What the lite model minimises: pixels at three resolutions, overlap, presence."""

import torch
from torch import Tensor
from torch.nn import functional

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
