"""Networks by configuration; fusion of streams; what moves when they train."""

import pytest
import torch

from actseg_core.config import ModelConfig, TextConfig, VideoConfig
from actseg_core.errors import ShapeError
from actseg_core.networks.segmenter import presence_score
from actseg_core.networks.two_stream import (
    Network,
    build_model,
    fuse,
    parameter_count,
    to_channels_last,
)


def test_rgb_counts_twice_as_much_as_flow() -> None:
    rgb = torch.tensor([[[3.0, -1.0]]])
    flow = torch.tensor([[[0.0, 5.0]]])

    fused = fuse({"rgb": rgb, "flow": flow}, {"rgb": 2.0, "flow": 1.0})

    torch.testing.assert_close(fused, torch.tensor([[[2.0, 1.0]]]))


def test_only_the_ratio_of_the_weights_matters() -> None:
    responses = {"rgb": torch.randn(2, 3, 3), "flow": torch.randn(2, 3, 3)}

    torch.testing.assert_close(
        fuse(responses, {"rgb": 2.0, "flow": 1.0}), fuse(responses, {"rgb": 0.5, "flow": 0.25})
    )


def test_a_single_stream_is_itself() -> None:
    flow = torch.randn(2, 3, 3)

    torch.testing.assert_close(fuse({"flow": flow}, {"rgb": 2.0, "flow": 1.0}), flow)


def test_maps_of_two_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"one shape .* got \[\(1, 2, 2\), \(1, 4, 4\)\]"):
        fuse(
            {"rgb": torch.zeros(1, 2, 2), "flow": torch.zeros(1, 4, 4)}, {"rgb": 2.0, "flow": 1.0}
        )


def test_weights_that_sum_to_nothing_are_refused() -> None:
    with pytest.raises(ShapeError, match="a positive sum of weights, got .* and 0.0"):
        fuse({"rgb": torch.zeros(1, 2, 2)}, {"rgb": 0.0, "flow": 1.0})


@pytest.fixture(scope="module")
def paper() -> Network:
    """The paper's network, an eighth as wide, 4 frames at 64 px."""
    torch.manual_seed(0)
    return build_model(
        ModelConfig(
            frames=4,
            size=64,
            text=TextConfig(word_dim=6, sentence_dim=5),
            video=VideoConfig(width=0.125),
        )
    )


def clips(frames: int = 4, batch: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.rand(batch, channels, frames, 64, 64, generator=generator) * 2 - 1
        for name, channels in (("rgb", 3), ("flow", 2))
    }


def test_responses_are_at_a_sixteenth_a_quarter_and_the_whole_side(paper: Network) -> None:
    with torch.inference_mode():
        maps = paper(clips(), torch.randn(1, 7, 6))
    assert [tuple(item.shape) for item in maps] == [(1, 4, 4), (1, 16, 16), (1, 64, 64)]


def test_fused_map_is_two_thirds_rgb_and_one_third_flow(paper: Network) -> None:
    words = torch.randn(1, 7, 6)
    with torch.inference_mode():
        features = paper.encode(clips())
        streams = paper.respond_streams(features, paper.encode_sentences(words))
        fused = paper.respond(features, paper.encode_sentences(words))
    for level, item in enumerate(fused):
        wanted = (2 * streams["rgb"][level] + streams["flow"][level]) / 3
        torch.testing.assert_close(item, wanted)


def test_one_stream_is_not_changed_by_fusion(small_config: ModelConfig) -> None:
    network = build_model(small_config.model_copy(update={"streams": ("flow",)}))
    words = torch.randn(2, 20, 8)
    clip = {"flow": torch.rand(2, 2, 8, 64, 64)}
    with torch.inference_mode():
        for ours, alone in zip(
            network(clip, words), network.stream("flow")(clip["flow"], words), strict=True
        ):
            torch.testing.assert_close(ours, alone)


def test_only_the_last_block_and_the_new_layers_move_in_ten_steps() -> None:
    torch.manual_seed(0)
    network = build_model(
        ModelConfig(
            frames=4,
            size=64,
            text=TextConfig(word_dim=6, sentence_dim=5),
            video=VideoConfig(width=0.125),
        )
    ).train()
    for stream in network.streams.values():
        stream.video_encoder.set_trainable()
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trained = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=1e-2)
    for _ in range(10):
        optimiser.zero_grad()
        maps = network(clips(batch=2), torch.randn(2, 7, 6))
        sum(item.square().mean() for item in maps).backward()
        optimiser.step()
    moved = {name for name, value in network.state_dict().items() if not value.equal(before[name])}
    wanted = {
        name
        for name, _ in network.named_parameters()
        if "Mixed_4f" in name or "video_encoder" not in name
    }
    assert moved == wanted


def test_a_paper_stream_has_the_size_that_its_layers_add_up_to() -> None:
    with torch.device("meta"):
        network = build_model(ModelConfig(streams=("rgb",), text=TextConfig(word_dim=300)))
    i3d = 7_510_704  # conv weights and batch norm scale and shift up to Mixed_4f
    decoder = (832 * 256 + 256 * 128) * 64 + (256 * 256 + 128 * 128) * 9 + 2 * (256 + 128)
    filters = (300 + 1) * (840 + 264 + 136)
    sentence = 300 * 300 * 2 + 300
    total = parameter_count(network)
    assert total - decoder - filters - sentence == pytest.approx(i3d, rel=0.01)


def test_channels_last_changes_the_layout_and_not_the_answer(small_config: ModelConfig) -> None:
    torch.manual_seed(0)
    network = build_model(small_config)
    inputs = {"rgb": torch.rand(1, 3, 8, 64, 64), "flow": torch.rand(1, 2, 8, 64, 64)}
    words = torch.randn(1, 20, 8)
    with torch.inference_mode():
        plain = network(inputs, words)
        fast = to_channels_last(network)(inputs, words)
    for ours, theirs in zip(fast, plain, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_presence_is_the_mean_of_the_highest_hundredth() -> None:
    finest = torch.zeros(1, 20, 20)
    finest[0, 0, :4] = torch.tensor([8.0, 4.0, 2.0, 2.0])  # 400 cells: the 4 highest
    assert presence_score([torch.zeros(1, 5, 5), finest]).tolist() == [4.0]
