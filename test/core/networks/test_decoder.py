"""The decoder as a whole, and its folded form."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from actseg_core.config import DecoderConfig
from actseg_core.errors import ShapeError
from actseg_core.networks.decoder import Decoder
from actseg_core.networks.filters import coordinate_channels
from actseg_core.networks.folded_decoder import deconvolve

VISUAL, SENTENCE, SIDE = 6, 4, 3


def build(coordinates: bool = True, **settings: object) -> Decoder:
    torch.manual_seed(0)
    config = DecoderConfig(channels=(5, 3), **settings)
    decoder = Decoder(config, VISUAL, SENTENCE, coordinates)
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return decoder


def clips(count: int, side: int = SIDE) -> Tensor:
    return torch.randn(count, VISUAL, side, side, generator=torch.Generator().manual_seed(count))


def sentences(count: int) -> Tensor:
    return torch.randn(count, SENTENCE, generator=torch.Generator().manual_seed(count))


def answer(decoder: Decoder, visual: Tensor, asked: Tensor) -> list[Tensor]:
    return decoder.respond(decoder.features(visual), asked)


def reference(decoder: Decoder, visual: Tensor, asked: Tensor) -> list[Tensor]:
    """The paper's decoder of a linear configuration, sentence by sentence, in plain operations."""
    weights = dict(decoder.named_parameters())
    maps = [visual]
    for block in (0, 1):
        up = functional.conv_transpose2d(
            maps[-1],
            weights[f"blocks.{block}.0.weight"],
            weights[f"blocks.{block}.0.bias"],
            stride=4,
            padding=2,
        )
        maps.append(
            functional.conv2d(
                up,
                weights[f"blocks.{block}.1.weight"],
                weights[f"blocks.{block}.1.bias"],
                padding=1,
            )
        )
    responses = []
    for level, features in enumerate(maps):
        side = features.shape[-1]
        places = coordinate_channels(side, side).expand(len(features), -1, -1, -1)
        located = torch.cat((features, places), dim=1)
        per_sentence = []
        for index, sentence in enumerate(asked):
            kernel = torch.tanh(
                weights[f"filters.{level}.to_filter.weight"] @ sentence
                + weights[f"filters.{level}.to_filter.bias"]
            )
            clip = located[index if len(located) > 1 else 0]
            per_sentence.append(functional.conv2d(clip[None], kernel[None, :, None, None])[0, 0])
        responses.append(torch.stack(per_sentence))
    return responses


@pytest.mark.parametrize("training", [True, False], ids=["unfolded", "folded"])
@pytest.mark.parametrize("count", [1, 2])
def test_responses_equal_a_plain_reference(training: bool, count: int) -> None:
    decoder = build().train(training)

    for ours, theirs in zip(
        answer(decoder, clips(count), sentences(2)),
        reference(decoder, clips(count), sentences(2)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False], ids=["unfolded", "folded"])
def test_resolutions_are_a_sixteenth_a_quarter_and_all_of_the_input(training: bool) -> None:
    shapes = [map_.shape for map_ in answer(build().train(training), clips(1), sentences(2))]

    assert shapes == [(2, 3, 3), (2, 12, 12), (2, 48, 48)]


@pytest.mark.parametrize("training", [True, False], ids=["unfolded", "folded"])
def test_a_single_resolution_answers_at_the_finest_only(training: bool) -> None:
    decoder = build(multi_resolution=False).train(training)

    assert [map_.shape for map_ in answer(decoder, clips(2), sentences(2))] == [(2, 48, 48)]
    assert len(decoder.filters) == 1


def test_the_papers_filters_have_840_264_and_136_channels() -> None:
    decoder = Decoder(DecoderConfig(), 832, 300, coordinates=True)

    assert [item.to_filter.out_features for item in decoder.filters] == [840, 264, 136]
    without = Decoder(DecoderConfig(), 832, 300, coordinates=False)
    assert [item.to_filter.out_features for item in without.filters] == [832, 256, 128]


OPTIONS = [
    {"coordinates": coordinates, "multi_resolution": several, "filter_activation": activation}
    for coordinates, several, activation in itertools.product(
        (True, False), (True, False), ("tanh", "sigmoid")
    )
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("side", [1, 2, 5])
@pytest.mark.parametrize(("clip_count", "sentence_count"), [(1, 1), (1, 3), (3, 3)])
def test_the_folded_decoder_answers_as_the_unfolded_one(
    options: dict[str, object], side: int, clip_count: int, sentence_count: int
) -> None:
    decoder = build(**options).double()
    visual, asked = clips(clip_count, side).double(), sentences(sentence_count).double()

    decoder.train()
    unfolded = answer(decoder, visual, asked)
    decoder.eval()
    folded = answer(decoder, visual, asked)

    assert decoder.folds
    for ours, theirs in zip(folded, unfolded, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-10)


def test_folding_needs_no_features_at_the_finest_resolution() -> None:
    decoder = build(multi_resolution=False)

    elements = {
        mode: sum(item.numel() for item in decoder.train(mode).features(clips(1, 8)))
        for mode in (True, False)
    }

    # (3 + 8) channels of 128 x 128, against 5 of 32 x 32 and (3 + 8) of 4 x 128.
    assert elements == {True: 11 * 128 * 128, False: 5 * 32 * 32 + 11 * 4 * 128}


@pytest.mark.parametrize("options", [{"activation": "relu"}, {"l2_upsampled": True}], ids=str)
def test_what_is_not_linear_is_not_folded(options: dict[str, object]) -> None:
    decoder = build(**options)
    trained = answer(decoder.train(), clips(1), sentences(2))

    assert not decoder.eval().folds
    for ours, theirs in zip(answer(decoder, clips(1), sentences(2)), trained, strict=True):
        torch.testing.assert_close(ours, theirs)


@settings(max_examples=25, deadline=None)
@given(side=st.integers(1, 5), count=st.integers(1, 3), channels=st.integers(1, 4))
def test_the_rearranged_convolution_is_the_deconvolution(
    side: int, count: int, channels: int
) -> None:
    inputs = torch.randn(1, channels, side, side)
    kernels = torch.randn(count, channels, 10, 10)

    expected = functional.conv_transpose2d(inputs, kernels.transpose(0, 1), stride=4, padding=3)

    torch.testing.assert_close(deconvolve(inputs, kernels), expected[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False], ids=["unfolded", "folded"])
@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"l2_upsampled": True}], ids=str)
def test_many_sentences_about_one_clip_equal_a_clip_for_each(
    training: bool, options: dict[str, object]
) -> None:
    decoder = build(**options).train(training)
    visual, asked = clips(1), sentences(4)

    shared = answer(decoder, visual, asked)
    paired = answer(decoder, visual.expand(4, -1, -1, -1), asked)

    for ours, theirs in zip(shared, paired, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False], ids=["unfolded", "folded"])
@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"l2_upsampled": True}], ids=str)
def test_gradients_reach_every_parameter(training: bool, options: dict[str, object]) -> None:
    decoder = build(**options).train(training)

    sum(map_.square().mean() for map_ in answer(decoder, clips(2), sentences(2))).backward()

    silent = [
        name
        for name, parameter in decoder.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert silent == []


def test_upsampled_features_have_unit_length_if_configured() -> None:
    decoder = build(coordinates=False, l2_upsampled=True)
    visual = clips(1)

    coarse, middle, fine = decoder.features(visual)

    torch.testing.assert_close(coarse, visual)  # the encoder normalised it, if it shall be
    for item in (middle, fine):
        torch.testing.assert_close(item.norm(dim=1), torch.ones(1, *item.shape[2:]))


@pytest.mark.parametrize("training", [True, False], ids=["unfolded", "folded"])
def test_memory_layout_does_not_matter(training: bool) -> None:
    decoder = build().train(training)
    visual = clips(2)
    expected = answer(decoder, visual, sentences(2))

    decoder.to(memory_format=torch.channels_last)
    strided = torch.zeros(2, 2 * VISUAL, SIDE, SIDE)[:, ::2].copy_(visual)
    for inputs in (visual.contiguous(memory_format=torch.channels_last), strided):
        for ours, theirs in zip(answer(decoder, inputs, sentences(2)), expected, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False], ids=["unfolded", "folded"])
def test_bfloat16_stays_within_five_percent_of_the_largest_response(training: bool) -> None:
    decoder = build().train(training)
    exact = answer(decoder, clips(1), sentences(2))

    decoder.bfloat16()
    rounded = answer(decoder, clips(1).bfloat16(), sentences(2).bfloat16())

    for ours, theirs in zip(rounded, exact, strict=True):
        assert (ours.float() - theirs).abs().max() < 0.05 * theirs.abs().max()


class Answering(torch.nn.Module):
    """Clip features and sentences to the finest response, for torch.export."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = build()

    def forward(self, visual: Tensor, asked: Tensor) -> Tensor:
        return answer(self.decoder, visual, asked)[-1]


def test_the_folded_decoder_is_exported_for_any_number_of_sentences() -> None:
    module = Answering().eval()
    count = torch.export.Dim("count", min=2, max=64)
    program = torch.export.export(
        module, (clips(1), sentences(3)), dynamic_shapes=({}, {0: count})
    ).module()

    for number in (2, 5):
        torch.testing.assert_close(
            program(clips(1), sentences(number)), module(clips(1), sentences(number))
        )


@pytest.mark.parametrize("shape", [(1, 5, 3, 3), (1, 6, 3, 4)])
def test_a_representation_of_another_encoder_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"must be \(B, 6, r, r\), got .*is it the encoder's"):
        build().features(torch.zeros(shape))


def test_features_of_another_decoder_are_refused() -> None:
    features = build(multi_resolution=False).train().features(clips(1))

    with pytest.raises(ShapeError, match="answers at 3 resolutions, got 1 feature maps"):
        build().respond(features, sentences(1))


@pytest.mark.parametrize("training", [True, False], ids=["unfolded", "folded"])
def test_as_many_sentences_as_clips_or_one_clip_are_needed(training: bool) -> None:
    decoder = build().train(training)

    with pytest.raises(ShapeError, match=r"\(3 or 1, 14, H, W\) for these 3 sentences"):
        decoder.respond(decoder.features(clips(2)), sentences(3))
