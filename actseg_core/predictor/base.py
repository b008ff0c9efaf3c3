"""Arrays and sentences in, masks at camera resolution out: what every predictor offers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import ModelConfig, RuntimeConfig
from actseg_core.errors import ConfigError, ShapeError
from actseg_core.flow.moving import warp
from actseg_core.image import Placement, mask_above, resize_and_pad, restore
from actseg_core.objects.tracking import SceneTracker
from actseg_core.text.sentence import SentenceReader
from actseg_core.types import Actor, Clip, Evidence, MaskResult, Sentence

MASK_VALUE = 255
Features = Any
"""What a predictor makes of a clip before it knows a sentence; its own affair."""


@dataclass(frozen=True, eq=False)
class ActorResponse:
    """One actor of a response.

    Attributes:
        map: (r, r) float32 logits over the network's square input.
        track_id: See `types.Actor`.
        confidence: See `types.Actor`.
        box: x, y of the upper left corner, width, height as shares of the image's sides.
        evidence: See `types.Actor`.
    """

    map: NDArray[np.float32]
    track_id: int
    confidence: float
    box: tuple[float, float, float, float]
    evidence: tuple[Evidence, ...]

    def at(self, placement: Placement, threshold: float) -> Actor:
        """The actor at camera resolution."""
        x, y, width, height = self.box
        return Actor(
            self.track_id,
            self.confidence,
            (
                x * placement.width,
                y * placement.height,
                width * placement.width,
                height * placement.height,
            ),
            self.evidence,
            partial(mask_above, self.map, threshold, placement),
        )


@dataclass(frozen=True, eq=False)
class Response:
    """What the network answers to one sentence, before a mask is made of it.

    Attributes:
        map: (r, r) float32 logits over the network's square input.
        score: How strongly the sentence is answered anywhere, a logit.
        actors: Each actor that is meant, if the network knows them one by one.
        unused: See `types.MaskResult`.
        unknown: See `types.MaskResult`.
    """

    map: NDArray[np.float32]
    score: float
    actors: tuple[ActorResponse, ...] = ()
    unused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def warped(self, back: NDArray[np.float32]) -> "Response":
        """The response for a newer frame.

        Args:
            back: (S, S, 2) float32 [px] from the newer frame's pixels to this one's.
        """
        actors = tuple(replace(actor, map=warp(actor.map, back)) for actor in self.actors)
        return replace(self, map=warp(self.map, back), actors=actors)


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


class Predictor(ABC):
    """A network with its vocabulary: encode a clip once, ask any number of sentences.

    Attributes:
        config: Of the network.
        reader: Turns text into sentences.
        runtime: Name of what runs the network.
    """

    config: ModelConfig
    reader: SentenceReader
    runtime: str

    @staticmethod
    def load(
        name: str = "lite", device: str = "cpu", runtime: RuntimeConfig | None = None
    ) -> "Predictor":
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
        from actseg_core.predictor.load import load_predictor  # it knows the kinds of networks

        return load_predictor(name, device, runtime or RuntimeConfig())

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
        features = self.encode(frames, self.given_flow(clip))
        return self.answer(features, sentences, placed[0][1], thresholds)

    def given_flow(self, clip: Clip) -> NDArray[np.float32] | None:
        """(T, S, S, 2) [px]: a clip's own flow as the network sees it; None: not looked at, or
        to be computed."""
        return None

    def tracker(self) -> SceneTracker | None:
        """What looks at each frame of one camera once; None: whole windows are encoded."""
        return None

    @abstractmethod
    def encode(self, frames: NDArray[np.uint8], flow: NDArray[np.float32] | None) -> Features:
        """Sentence-independent features of prepared frames.

        Args:
            frames: (T, S, S, 3) uint8, as `resize_and_pad` makes them.
            flow: (T, S, S, 2) float32 [px] between them; None: computed if a stream needs it.
        """

    @abstractmethod
    def respond(self, features: Features, sentences: Sequence[Sentence]) -> Responses:
        """What the network answers to those sentences that it can answer."""

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
    actors = tuple(actor.at(placement, config.threshold) for actor in response.actors)
    return MaskResult(
        mask if found else _empty(placement),
        found,
        confidence,
        actors=actors,
        unused=response.unused,
        unknown=response.unknown,
    )


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
