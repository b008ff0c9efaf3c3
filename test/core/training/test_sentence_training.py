from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from actseg_core.config import (
    DecoderConfig,
    ModelConfig,
    PresenceConfig,
    Stream,
    TextConfig,
    VideoConfig,
)
from actseg_core.datasets.loading import Batch
from actseg_core.datasets.samples import Sample
from actseg_core.experiment_config import StageConfig
from actseg_core.image import Placement
from actseg_core.networks.two_stream import build_model
from actseg_core.training.sentence_training import SentenceTraining
from actseg_core.training.stages import stage_loss

CONFIG = ModelConfig(
    name="tiny",
    frames=2,
    size=32,
    text=TextConfig(word_dim=4, sentence_dim=4),
    video=VideoConfig(width=1 / 32),
    decoder=DecoderConfig(channels=(4, 4)),
)


def batch(seed: int = 0, count: int = 2) -> Batch:
    """Random clips; the actor is the upper half of the first, absent in the others."""
    rng = np.random.default_rng(seed)
    truths = [np.zeros((16, 32), np.bool_) for _ in range(count)]
    truths[0][:8] = True
    masks = torch.zeros(count, 32, 32, dtype=torch.bool)
    masks[0, 8:16] = True
    return Batch(
        frames=torch.from_numpy(rng.integers(0, 256, (count, 2, 32, 32, 3), np.uint8)),
        flow=torch.from_numpy(rng.normal(size=(count, 2, 32, 32, 2)).astype(np.float32)),
        masks=masks,
        words=torch.from_numpy(rng.normal(size=(count, 20, 4)).astype(np.float32)),
        samples=tuple(Sample("dog", "video", index) for index in range(count)),
        placements=(Placement(16, 32, 32),) * count,
        truths=tuple(truths),
    )


def module(config: ModelConfig = CONFIG, seed: int = 0, **stage: Any) -> SentenceTraining:
    torch.manual_seed(seed)
    found = SentenceTraining(build_model(config), StageConfig(**stage)).train()
    found.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
    return found


def steps(training: SentenceTraining, count: int) -> None:
    """What lightning does."""
    made = training.configure_optimizers()
    for seed in range(count):
        made["optimizer"].zero_grad()
        training.training_step(batch(seed), seed).backward()
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_two_streams_in_one_step_train_as_each_alone(optimiser: str) -> None:
    both = module(optimiser=optimiser)
    alone: dict[Stream, SentenceTraining] = {}
    for stream in ("rgb", "flow"):
        alone[stream] = module(CONFIG.model_copy(update={"streams": (stream,)}), seed=1)
        alone[stream].stage = both.stage
        alone[stream].model.streams.load_state_dict(
            {
                name: value.clone()
                for name, value in both.model.streams.state_dict().items()
                if name.startswith(stream)
            }
        )
    before = {name: value.clone() for name, value in both.model.state_dict().items()}
    for training in (both, *alone.values()):
        steps(training, 3)
    after = both.model.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in after)
    for training in alone.values():
        for name, value in training.model.state_dict().items():
            torch.testing.assert_close(value, after[name], rtol=0, atol=0)


def test_the_loss_is_the_sum_over_streams_and_each_is_kept_by_name() -> None:
    training = module()
    total = training.training_step(batch(), 0)
    responses = training(batch())
    expected = {
        name: stage_loss(maps, batch().masks, training.stage) for name, maps in responses.items()
    }
    assert training.losses.keys() == {"loss", "loss_rgb", "loss_flow"}
    for name, value in expected.items():
        torch.testing.assert_close(training.losses[f"loss_{name}"], value.detach())
    torch.testing.assert_close(total, expected["rgb"] + expected["flow"])


def test_only_the_last_block_and_the_new_layers_change() -> None:
    training = module()
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    steps(training, 2)
    changed = {
        name
        for name, value in training.model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    encoder = {name for name in changed if "video_encoder" in name}
    assert encoder and all("Mixed_4f" in name for name in encoder)
    assert {name.split(".")[2] for name in changed} == {
        "video_encoder",
        "sentence_encoder",
        "decoder",
    }


def test_training_from_kept_features_is_training_from_clips() -> None:
    seen, kept = module(), module()
    frozen = kept.model.encode_frozen(batch().inputs(CONFIG))
    without = Batch(
        **{**batch().__dict__, "frames": torch.empty(2, 0), "flow": None, "frozen": frozen}
    )
    one, other = seen.training_step(batch(), 0), kept.training_step(without, 0)
    torch.testing.assert_close(one, other)


def test_validation_scores_of_known_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """First: the left half is marked, the upper one true, so 1/3; second: nothing, absent, 1."""
    training = module()
    fine = torch.full((2, 32, 32), -1.0)
    fine[0, :, :16] = 1.0
    maps = [torch.zeros(2, 1, 1), fine, fine]
    monkeypatch.setattr(training, "forward", lambda batch: {"rgb": maps, "flow": maps})
    training._trainer = SimpleNamespace(  # type: ignore[assignment]
        strategy=SimpleNamespace(reduce=lambda value, reduce_op: value)
    )
    training.on_validation_epoch_start()
    answers = training.validation_step(batch(), 0)
    training.on_validation_epoch_end()
    assert [int((answer.result.mask > 0).sum()) for answer in answers] == [256, 0]
    assert training.scores["overall_iou"] == pytest.approx(128 / (256 + 256 - 128))
    assert training.scores["mean_iou"] == pytest.approx((1 / 3 + 1) / 2)
    assert training.scores["samples"] == 2
    assert answers[0].sample.frame == 0 and answers[0].result.found


def test_validation_follows_the_networks_own_rule_for_masks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All logits negative: nothing is above 0, but the upper half is above half of the maximum."""
    fine = torch.full((2, 32, 32), -9.0)
    fine[:, :16] = -2.0
    found = []
    for rule in ({}, {"threshold_mode": "relative_max", "presence": PresenceConfig(threshold=0)}):
        training = module(CONFIG.model_copy(update=rule))
        monkeypatch.setattr(training, "forward", lambda batch: {"rgb": [fine], "flow": [fine]})
        training.stage = training.stage.model_copy(update={"response_weights": (1.0,)})
        training.on_validation_epoch_start()
        answer = training.validation_step(batch(), 0)[0]
        found.append((answer.result.mask[:6] > 0).mean())
    assert found == [0.0, 1.0]
