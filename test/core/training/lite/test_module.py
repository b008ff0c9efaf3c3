"""The lite objective, by hand."""

import math

import torch

from actseg_core.training.lite.module import DICE_SMOOTHING, dice_loss, response_loss


def test_zero_logits_cost_log_2_per_map_and_half_a_dice() -> None:
    masks = torch.zeros(1, 4, 4, dtype=torch.bool)
    masks[0, :2] = True
    responses = [torch.zeros(1, 1, 1), torch.zeros(1, 2, 2), torch.zeros(1, 4, 4)]

    loss = response_loss(responses, masks)

    # probability 1/2 everywhere: overlap 2 * 8/2, sizes 8 and 8
    dice = 1 - (8 + DICE_SMOOTHING) / (16 + DICE_SMOOTHING)
    wanted = 0.5 * math.log(2) + 2 * math.log(2) + 0.5 * dice
    torch.testing.assert_close(loss, torch.tensor(wanted))


def test_an_absent_actor_has_no_dice_term() -> None:
    responses = [torch.full((1, 1, 1), -50.0), torch.full((1, 4, 4), -50.0)]
    loss = response_loss(responses, torch.zeros(1, 8, 8, dtype=torch.bool))
    torch.testing.assert_close(loss, torch.tensor(0.0))


def test_dice_is_zero_for_the_perfect_answer() -> None:
    target = torch.zeros(2, 4, 4)
    target[:, 1:3] = 1
    logits = (target - 0.5) * 100
    torch.testing.assert_close(dice_loss(logits, target, torch.ones(2)), torch.tensor(0.0))
