import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.errors import ShapeError
from actseg_core.experiment_config import StageConfig, load_experiment
from actseg_core.training.stages import (
    logistic_loss,
    make_optimiser,
    make_schedule,
    parameter_groups,
    stage_loss,
    target_at,
)


def layers() -> nn.ModuleDict:
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "conv": nn.Conv2d(2, 3, 1),
            "norm": nn.BatchNorm2d(3),
            "lstm": nn.LSTM(3, 2),
            "frozen": nn.Linear(2, 2).requires_grad_(False),
        }
    )


def test_the_logistic_loss_of_known_logits() -> None:
    response = torch.tensor([[0.0, 2.0], [-1.0, 3.0]])
    inside = torch.tensor([[True, True], [False, False]])
    expected = [math.log(2), math.log1p(math.exp(-2)), math.log1p(math.exp(-1))]
    expected.append(math.log1p(math.exp(3)))
    assert logistic_loss(response, inside, 1.0).item() == pytest.approx(sum(expected) / 4)
    lighter = expected[0] + expected[1] + (expected[2] + expected[3]) / 3
    assert logistic_loss(response, inside, 1 / 3).item() == pytest.approx(lighter / 4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_it_is_the_binary_cross_entropy_of_labels_0_and_1(seed: int) -> None:
    generator = torch.manual_seed(seed)
    response = torch.randn((2, 4, 4), generator=generator) * 20
    inside = torch.rand((2, 4, 4), generator=generator) > 0.5
    expected = functional.binary_cross_entropy_with_logits(response, inside.float())
    torch.testing.assert_close(logistic_loss(response, inside, 1.0), expected)


def test_huge_logits_stay_finite() -> None:
    response = torch.tensor([1e4, -1e4], requires_grad=True)
    loss = logistic_loss(response, torch.tensor([False, True]), 1.0)
    loss.backward()
    assert loss.item() == pytest.approx(1e4)
    assert response.grad is not None
    assert response.grad.tolist() == pytest.approx([0.5, -0.5])


def test_resolutions_are_summed_with_their_weights() -> None:
    masks = torch.zeros(1, 4, 4, dtype=torch.bool)
    masks[:, :2] = True
    responses = [torch.zeros(1, 2, 2), torch.ones(1, 4, 4)]
    coarse, fine = math.log(2), (math.log1p(math.exp(-1)) + math.log1p(math.e)) / 2
    stage = StageConfig(response_weights=(0.5, 2.0))
    assert stage_loss(responses, masks, stage).item() == pytest.approx(0.5 * coarse + 2 * fine)


def test_a_cell_is_foreground_if_more_than_half_of_it_is() -> None:
    masks = torch.zeros(1, 4, 4, dtype=torch.bool)
    masks[0, 0, 0] = masks[0, 0, 1] = masks[0, 1, 0] = True  # three of four pixels
    masks[0, 2, 2] = masks[0, 3, 3] = True  # exactly half
    assert target_at(masks, 2).tolist() == [[[True, False], [False, False]]]
    assert target_at(masks, 4) is masks


def test_a_map_without_weight_gives_its_layers_no_gradient() -> None:
    coarse, fine = torch.zeros(1, 2, 2, requires_grad=True), torch.zeros(1, 4, 4).requires_grad_()
    masks = torch.ones(1, 4, 4, dtype=torch.bool)
    stage_loss([coarse, fine], masks, StageConfig(response_weights=(1.0, 0.0))).backward()
    assert fine.grad is None
    assert coarse.grad is not None


@pytest.mark.parametrize("shapes", [[(2, 4, 4)], [(1, 2, 2), (2, 4, 4)]])
def test_other_responses_than_the_stage_weighs_are_refused(shapes: list[tuple[int, ...]]) -> None:
    responses: list[Tensor] = [torch.zeros(shape) for shape in shapes]
    masks = torch.zeros(2, 4, 4, dtype=torch.bool)
    with pytest.raises(ShapeError, match="weighs 2 response maps of 2 samples, got shapes"):
        stage_loss(responses, masks, StageConfig(response_weights=(1.0, 1.0)))


def test_decay_is_for_matrices_and_the_extra_rate_for_biases_of_layers() -> None:
    stage = StageConfig(learning_rate=0.01, weight_decay=0.1, bias_rate=2.0)
    module = layers()
    names = {id(item): name for name, item in module.named_parameters()}
    groups = [
        ({names[id(item)] for item in group["params"]}, group["lr"], group["weight_decay"])
        for group in parameter_groups(module, stage)
    ]
    assert groups == [
        ({"conv.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0"}, 0.01, 0.1),
        ({"conv.bias"}, 0.02, 0.0),
        ({"norm.weight", "norm.bias", "lstm.bias_ih_l0", "lstm.bias_hh_l0"}, 0.01, 0.0),
    ]


def test_one_sgd_step_worked_out_by_hand() -> None:
    layer = nn.Linear(1, 1)
    with torch.no_grad():
        layer.weight.fill_(2.0)
        layer.bias.fill_(1.0)
    stage = StageConfig(
        optimiser="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.5, bias_rate=2.0
    )
    optimiser = make_optimiser(layer, stage)
    for _ in range(2):  # the loss is the output for input 3: gradients 3 and 1
        optimiser.zero_grad()
        layer(torch.tensor([3.0])).sum().backward()
        optimiser.step()
    # weight: velocity 3 + 0.5*2 = 4, then 0.9*4 + 3 + 0.5*1.6 = 7.4; 2 - 0.4 - 0.74
    assert layer.weight.item() == pytest.approx(0.86)
    # bias at rate 0.2: velocity 1, then 1.9; 1 - 0.2 - 0.38
    assert layer.bias.item() == pytest.approx(0.42)


def test_the_papers_optimiser_is_adam_with_its_defaults() -> None:
    optimiser = make_optimiser(layers(), StageConfig())
    assert isinstance(optimiser, torch.optim.Adam)
    for group in optimiser.param_groups:
        assert (group["lr"], group["betas"], group["eps"]) == (1e-3, (0.9, 0.999), 1e-8)
        assert group["weight_decay"] == 0.0


def test_the_schedule_drops_every_group_in_proportion() -> None:
    stage = StageConfig(decay_every=2, bias_rate=2.0)
    optimiser = make_optimiser(layers(), stage)
    schedule = make_schedule(optimiser, stage)
    seen = []
    for _ in range(5):
        seen.append([group["lr"] for group in optimiser.param_groups[:2]])
        optimiser.step()
        schedule.step()
    rates = [1e-3, 1e-3, 1e-4, 1e-4, 1e-5]
    torch.testing.assert_close(torch.tensor(seen), torch.tensor([[r, 2 * r] for r in rates]))


@pytest.mark.parametrize("name", ["table1_rgb", "table1_hu", "table1_li", "table3_pairs"])
def test_every_kind_of_preset_gives_an_optimiser(name: str) -> None:
    _, experiment = load_experiment(name)
    for stage in experiment.stages:
        groups = make_optimiser(layers(), stage).param_groups
        assert max(group["weight_decay"] for group in groups) == stage.weight_decay
