"""Arrays and sentences in, masks at camera resolution out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actseg_core.checkpoints.checkpoint import checkpoint_path, load_checkpoint
from actseg_core.config import ModelConfig, RuntimeConfig, Stream
from actseg_core.errors import ConfigError, ShapeError
from actseg_core.flow import make_estimator, network_field
from actseg_core.flow.field import clip_flow
from actseg_core.image import (
    Placement,
    flow_to_tensor,
    mask_above,
    resize_and_pad,
    resize_and_pad_flow,
    restore,
    rgb_to_tensor,
)
from actseg_core.networks.segmenter import presence_score
from actseg_core.networks.two_stream import Network, to_channels_last
from actseg_core.runtime.executor import Executor, Features, Filters
from actseg_core.runtime.select import make_executor
from actseg_core.text.sentence import SentenceReader, load_reader
from actseg_core.types import Clip, MaskResult, Sentence

MASK_VALUE = 255


@dataclass(frozen=True, eq=False)
class Response:
    """What the network answers to one sentence, before a mask is made of it.

    Attributes:
        map: (r, r) float32 logits over the network's square input.
        score: How strongly the sentence is answered anywhere, a logit.
    """

    map: NDArray[np.float32]
    score: float


Responses = dict[Sentence, Response]  # a Sentence is equal to itself alone


@dataclass(frozen=True)
class Thresholds:
    """Limits of a decision that take the place of the network's own.

    Attributes:
        mask: Probability [0, 1) above which a pixel belongs to the mask; negative: the network's
            own rule.
        confidence: Confidence [0, 1] below which nobody is found; negative: the network's own.

    Raises:
        ConfigError: If one of them is too large or no number.
    """

    mask: float = -1.0
    confidence: float = -1.0

    def __post_init__(self) -> None:
        if not (self.mask < 1.0 and self.confidence <= 1.0):
            raise ConfigError(
                "a mask threshold must be below 1 and a confidence at most 1, got "
                f"{self.mask} and {self.confidence}; give a negative one for the network's own"
            )

    def over(self, config: ModelConfig) -> ModelConfig:
        """The network's rules with these limits in their place."""
        rules: dict[str, object] = {}
        if self.mask >= 0:
            share = np.clip(self.mask, 1e-9, 1 - 1e-9)
            rules |= {
                "threshold_mode": "absolute",
                "threshold": float(np.log(share / (1 - share))),
            }
        if self.confidence >= 0:
            rules["presence"] = config.presence.model_copy(update={"threshold": self.confidence})
        return config.model_copy(update=rules) if rules else config


MODEL_THRESHOLDS = Thresholds()


class Predictor:
    """A network with its vocabulary: encode a clip once, ask any number of sentences.

    Args:
        model: In evaluation mode.
        reader: Turns text into word vectors of the width that the model wants.
        device: Where the network runs.
        runtime: What runs it, with its weights as they are now; None: PyTorch, layer by layer,
            which also follows later changes of the weights.

    Attributes:
        executor: The network behind its runtime.

    Raises:
        BackendError: If the named runtime cannot be used.
    """

    def __init__(
        self,
        model: Network,
        reader: SentenceReader,
        device: str = "cpu",
        runtime: RuntimeConfig | None = None,
    ) -> None:
        self.config: ModelConfig = model.config
        self.device = torch.device(device)
        self.model = to_channels_last(model.to(self.device).eval())
        self.executor = (
            Executor(self.model, follows_weights=True)
            if runtime is None
            else make_executor(self.model, runtime)
        )
        self.reader = reader
        self._asked: tuple[list[Sentence], Filters] | None = None
        self.estimator = make_estimator(self.config.flow)

    @classmethod
    def load(
        cls, name: str = "lite", device: str = "cpu", runtime: RuntimeConfig | None = None
    ) -> Self:
        """From a preset that ships with weights, or from the path of a .safetensors checkpoint.

        Args:
            name: Preset or path.
            device: As torch names it.
            runtime: What runs the network; None: the fastest that answers as PyTorch does.

        Raises:
            BackendError: If the named runtime cannot be used.
            CheckpointError: If there is no such preset or file, or it does not fit.
            VocabularyError: If the word vectors are missing or others than those trained with.
        """
        checkpoint = load_checkpoint(checkpoint_path(name))
        reader = load_reader(checkpoint.config.text, checkpoint.words)
        return cls(checkpoint.model, reader, device, runtime or RuntimeConfig())

    def read(self, text: str) -> Sentence:
        """Tokenise a sentence and look its words up.

        Raises:
            VocabularyError: If the text has no word or holds undecodable characters.
        """
        return self.reader.read(text)

    def predict(
        self,
        clip: Clip,
        sentences: Sequence[Sentence],
        thresholds: Thresholds = MODEL_THRESHOLDS,
    ) -> list[MaskResult]:
        """Masks of the labelled frame of one clip, one for each sentence.

        Args:
            clip: `config.frames` frames of any size. Its flow is the motion in the image as any
                estimator gives it; it is computed where it is missing, and not looked at by a
                network without a flow stream.
            sentences: As returned by `read`.
            thresholds: In place of the network's own.

        Raises:
            ShapeError: If the clip has another number of frames than the network wants, or its
                flow is not finite.
        """
        if len(clip) != self.config.frames:
            raise ShapeError(
                f"{self.config.name} reads clips of {self.config.frames} frames, got {len(clip)}"
            )
        placed = [resize_and_pad(frame, self.config.size) for frame in clip.rgb]
        frames = np.stack([frame for frame, _ in placed])
        features = self.encode(frames, self._given_flow(clip))
        return self.answer(features, sentences, placed[0][1], thresholds)

    def _given_flow(self, clip: Clip) -> NDArray[np.float32] | None:
        """(T, S, S, 2) [px]: a clip's own flow as the network sees it; None: to be computed.

        Raises:
            ShapeError: If it is not finite.
        """
        if clip.flow is None or "flow" not in self.config.streams:
            return None
        fields = [resize_and_pad_flow(field, self.config.size) for field in clip.flow]
        return np.stack([network_field(field, self.config.flow) for field in fields])

    @torch.inference_mode()
    def encode(self, frames: NDArray[np.uint8], flow: NDArray[np.float32] | None) -> Features:
        """Sentence-independent features of prepared frames.

        Args:
            frames: (T, S, S, 3) uint8, as `resize_and_pad` makes them.
            flow: (T, S, S, 2) float32 [px] between them; None: computed if a stream needs it.
        """
        clips: dict[Stream, Tensor] = {}
        if "rgb" in self.config.streams:
            clips["rgb"] = rgb_to_tensor(frames).to(self.device)
        if "flow" in self.config.streams:
            if flow is None:
                flow = clip_flow(frames, self.estimator)
            clips["flow"] = flow_to_tensor(flow, self.config.flow.clip_px).to(self.device)
        return self.executor.encode(clips)

    def answer(
        self,
        features: Features,
        sentences: Sequence[Sentence],
        placement: Placement,
        thresholds: Thresholds = MODEL_THRESHOLDS,
    ) -> list[MaskResult]:
        """Masks at camera resolution from encoded features.

        A sentence without any known word is answered NOT_FOUND: a zero vector is no question.
        """
        return self.decide(self.respond(features, sentences), sentences, placement, thresholds)

    @torch.inference_mode()
    def respond(self, features: Features, sentences: Sequence[Sentence]) -> Responses:
        """What the network answers to those sentences that have a known word."""
        known = [sentence for sentence in sentences if sentence.is_known]
        if not known:
            return {}
        responses = self.executor.respond(features, self._filters(known))
        scores = presence_score(responses).cpu()
        maps = responses[-1].float().cpu().numpy()
        return {
            sentence: Response(maps[index], float(scores[index]))
            for index, sentence in enumerate(known)
        }

    def _filters(self, sentences: list[Sentence]) -> Filters:
        """The sentences' filters, made anew only when the sentences change."""
        asked = self._asked
        if self.executor.follows_weights or asked is None or asked[0] != sentences:
            words = torch.from_numpy(np.stack([item.vectors for item in sentences]))
            asked = sentences, self.executor.filters(words.to(self.device))
            self._asked = asked
        return asked[1]

    def decide(
        self,
        responses: Responses,
        sentences: Sequence[Sentence],
        placement: Placement,
        thresholds: Thresholds = MODEL_THRESHOLDS,
    ) -> list[MaskResult]:
        """Masks and confidences at camera resolution, one for each sentence."""
        rules = thresholds.over(self.config)
        absent = MaskResult(_empty(placement), found=False, confidence=0.0)
        return [
            postprocess(responses[item], rules, placement) if item in responses else absent
            for item in sentences
        ]


def postprocess(response: Response, config: ModelConfig, placement: Placement) -> MaskResult:
    """Mask and confidence at camera resolution of one response, by the network's own rules."""
    rule = config.presence
    confidence = _sigmoid((response.score - rule.bias) / rule.temperature)
    mask = _threshold(response.map, config, placement)
    if not mask.any():
        # No pixel answers: then the actor is no more likely than the best pixel says.
        best = float(response.map.max())
        confidence = min(confidence, _sigmoid(best - config.threshold))
    found = confidence >= rule.threshold and bool(mask.any())
    return MaskResult(mask if found else _empty(placement), found, confidence)


def _threshold(
    response: NDArray[np.float32], config: ModelConfig, placement: Placement
) -> NDArray[np.uint8]:
    if config.threshold_mode == "absolute":
        return mask_above(response, config.threshold, placement)
    probability = 1.0 / (1.0 + np.exp(-restore(response, placement)))
    return np.where(probability > 0.5 * probability.max(), np.uint8(MASK_VALUE), np.uint8(0))


def _sigmoid(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))))


def _empty(placement: Placement) -> NDArray[np.uint8]:
    return np.zeros((placement.height, placement.width), np.uint8)
