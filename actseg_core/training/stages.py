"""One training stage of an experiment: its loss, optimiser and learning rates."""

from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from actseg_core.errors import ShapeError
from actseg_core.experiment_config import StageConfig

BIASED_LAYERS = (nn.Linear, nn.modules.conv._ConvNd)


def stage_loss(responses: list[Tensor], masks: Tensor, stage: StageConfig) -> Tensor:
    """The weighted logistic loss over all resolutions (equations 3 to 5).

    At every resolution a cell is foreground if more than half of it is. [ours] A map without
    weight is left out, so that layers which only it reads get no gradient and do not decay.

    Args:
        responses: Logits (B, r, r), coarse to fine.
        masks: (B, S, S) bool, the referred actor.
        stage: alpha_r of equation 3, and the weight of background pixels (Hu et al.).

    Returns:
        Scalar: the sum over resolutions of alpha_r times the mean over pixels and samples.

    Raises:
        ShapeError: If there is not one weight per response map, or the batches differ.
    """
    if len(responses) != len(stage.response_weights) or any(
        len(response) != len(masks) for response in responses
    ):
        raise ShapeError(
            f"stage {stage.name!r} weighs {len(stage.response_weights)} response maps of "
            f"{len(masks)} samples, got shapes {[tuple(item.shape) for item in responses]}"
        )
    total = masks.new_zeros((), dtype=responses[-1].dtype)
    for response, weight in zip(responses, stage.response_weights, strict=True):
        if weight > 0:
            inside = target_at(masks, response.shape[-1])
            total = total + weight * logistic_loss(response, inside, stage.negative_weight)
    return total


def logistic_loss(response: Tensor, inside: Tensor, negative_weight: float) -> Tensor:
    """Equations 4 and 5: mean of log(1 + exp(-S Y)) with Y = 1 inside and -1 outside.

    Args:
        response: Logits S.
        inside: bool, of the same shape.
        negative_weight: Factor of the pixels outside; the mean still counts every pixel as one.
    """
    losses = functional.softplus(response.where(~inside, -response))
    return losses.where(inside, negative_weight * losses).mean()


def target_at(masks: Tensor, side: int) -> Tensor:
    """Masks (B, S, S) bool at another resolution: (B, side, side) bool, by majority of area."""
    if masks.shape[-1] == side:
        return masks
    return functional.adaptive_avg_pool2d(masks.float().unsqueeze(1), side)[:, 0] > 0.5


def make_optimiser(module: nn.Module, stage: StageConfig) -> Optimizer:
    """The optimiser of a stage over everything in the module that is not frozen.

    Weight decay is for weight matrices and filters alone; biases of convolutions and linear
    layers may have their own rate (twice the weights' in Li et al.'s code).
    """
    groups = parameter_groups(module, stage)
    if stage.optimiser == "sgd":
        return SGD(groups, lr=stage.learning_rate, momentum=stage.momentum)
    return Adam(groups, lr=stage.learning_rate)


def parameter_groups(module: nn.Module, stage: StageConfig) -> list[dict[str, object]]:
    """Trainable weights, biases and other vectors, each with its rate and decay."""
    biases = {
        id(layer.bias)
        for layer in module.modules()
        if isinstance(layer, BIASED_LAYERS) and layer.bias is not None
    }
    trained = [item for item in module.parameters() if item.requires_grad]
    parts = (
        ([item for item in trained if item.ndim > 1], 1.0, stage.weight_decay),
        ([item for item in trained if id(item) in biases], stage.bias_rate, 0.0),
        ([item for item in trained if item.ndim <= 1 and id(item) not in biases], 1.0, 0.0),
    )
    return [
        {"params": items, "lr": rate * stage.learning_rate, "weight_decay": decay}
        for items, rate, decay in parts
        if items
    ]


def make_schedule(optimiser: Optimizer, stage: StageConfig) -> LambdaLR:
    """Learning rates of the stage; call its `step` once after every optimiser step."""
    return LambdaLR(optimiser, lambda step: stage.learning_rate_at(step) / stage.learning_rate)
