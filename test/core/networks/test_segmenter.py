"""Every network splits at its frozen layers, and the two parts make up the whole."""

import pytest
import torch
from torch import Tensor

from actseg_core.config import BaselineConfig, ModelConfig, TextConfig, VideoConfig
from actseg_core.networks.two_stream import build_model

SMALL_TEXT = {"word_dim": 8, "sentence_dim": 12}


def paper(trainable: str = "last_block") -> ModelConfig:
    return ModelConfig(
        frames=8,
        size=64,
        text=TextConfig(**SMALL_TEXT),
        video=VideoConfig(width=1 / 16, trainable=trainable),
    )


def baseline(kind: str, trainable: str = "fc") -> ModelConfig:
    return ModelConfig(
        kind=kind,
        streams=("rgb",),
        frames=1,
        size=64,
        text=TextConfig(encoder="lstm", **SMALL_TEXT),
        baseline=BaselineConfig(
            width=1 / 32, visual_dim=20, embed_dim=8, hidden_dim=8, trainable=trainable
        ),
    )


CONFIGS = {
    "paper": paper(),
    "paper, all trained": paper("all"),
    "paper, none trained": paper("none"),
    "hu": baseline("hu"),
    "hu, all trained": baseline("hu", "all"),
    "li": baseline("li"),
    "li, none trained": baseline("li", "none"),
}
FROZEN_SHAPES = {  # Mixed_4e has (112 + 288 + 64 + 64) / 16 channels, at T/4 and S/16
    "paper": {"rgb": (2, 33, 2, 4, 4), "flow": (2, 33, 2, 4, 4)},
    "paper, all trained": {"rgb": (2, 3, 8, 64, 64), "flow": (2, 2, 8, 64, 64)},
    "paper, none trained": {"rgb": (2, 52, 2, 4, 4), "flow": (2, 52, 2, 4, 4)},  # Mixed_4f
    "hu": {"rgb": (2, 16, 2, 2)},  # pool5 has 512 / 32 channels at S/32
    "hu, all trained": {"rgb": (2, 3, 64, 64)},
    "li": {"rgb": (2, 16, 2, 2)},
    "li, none trained": {"rgb": (2, 16, 2, 2)},
}


def clips_of(config: ModelConfig) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    sides = (config.frames, config.size, config.size)
    channels = {"rgb": 3, "flow": 2}
    return {
        name: torch.rand((2, channels[name], *sides), generator=generator) * 2 - 1
        for name in config.streams
    }


@pytest.mark.parametrize("case", CONFIGS)
@pytest.mark.parametrize("training", [False, True])
def test_the_two_parts_make_up_the_whole(case: str, training: bool) -> None:
    torch.manual_seed(0)
    model = build_model(CONFIGS[case]).train(training)
    clips = clips_of(model.config)
    with torch.no_grad():
        frozen = model.encode_frozen(clips)
        parts, whole = model.encode_from_frozen(frozen), model.encode(clips)
    assert {name: tuple(value.shape) for name, value in frozen.items()} == FROZEN_SHAPES[case]
    for name in model.config.streams:
        for part, value in zip(parts[name], whole[name], strict=True):
            assert torch.equal(part, value)


@pytest.mark.parametrize("case", CONFIGS)
def test_the_frozen_part_is_made_of_frozen_weights_alone(case: str) -> None:
    model = build_model(CONFIGS[case])
    for stream in model.config.streams:
        segmenter = model.stream(stream)
        trained = {p.data_ptr() for p in segmenter.parameters() if p.requires_grad}
        state = segmenter.frozen_state()
        assert bool(state) == ("all" not in case)
        assert not trained & {value.data_ptr() for value in state.values()}


def test_the_frozen_part_does_not_see_training_mode() -> None:
    torch.manual_seed(0)
    model = build_model(paper())
    clips = clips_of(model.config)
    with torch.no_grad():
        before = model.encode_frozen(clips)
        during = model.train().encode_frozen(clips)
    assert all(torch.equal(before[name], during[name]) for name in before)


def test_every_frozen_weight_changes_what_is_kept() -> None:
    torch.manual_seed(0)
    segmenter = build_model(paper()).stream("rgb")
    clip = clips_of(paper())["rgb"]
    with torch.no_grad():
        before = segmenter.encode_frozen(clip)
        state = segmenter.frozen_state()
        assert {name.split(".")[0] for name in state} == {
            *("Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3", "Mixed_3b", "Mixed_3c"),
            *("Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e"),
        }
        state["Mixed_4e.branch_0.norm.running_mean"] += 1.0
        assert not torch.equal(before, segmenter.encode_frozen(clip))


def test_kept_in_float16_the_features_stay_close() -> None:
    torch.manual_seed(0)
    model = build_model(paper())
    clips = clips_of(model.config)
    with torch.inference_mode():
        kept = {name: value.half() for name, value in model.encode_frozen(clips).items()}
        for name, maps in model.encode_from_frozen(kept).items():
            for near, exact in zip(maps, model.encode(clips)[name], strict=True):
                assert near.dtype == torch.float32
                assert (near - exact).abs().max() <= 4e-3 * exact.abs().max()
