"""The default model: objects followed over time, and what of a sentence speaks for each."""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import ModelConfig
from actseg_core.objects.answers import ObjectAnswer, answer
from actseg_core.objects.evidence import SceneNaming, unseen_words
from actseg_core.objects.naming import NamingModel
from actseg_core.objects.perception import ObjectRunner, Perception
from actseg_core.objects.tracking import SceneTracker, Seen
from actseg_core.predictor.base import ActorResponse, Predictor, Response, Responses
from actseg_core.text.nouns import Nouns
from actseg_core.text.parts import read_parts
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.sentence_parts import SentenceParts
from actseg_core.types import Evidence, Sentence

SECONDS_BETWEEN_FRAMES = 1 / 15  # of a clip that does not say
EDGE = 1e-4  # keeps logits finite


class ObjectPredictor(Predictor):
    """Answers from objects and their tracks.

    Args:
        config: Of the model.
        reader: Turns text into words; its vectors say which words are known.
        runner: The networks behind their runtime.
        naming: How well a noun names an object.
        runtime: Name of what runs the networks.

    Attributes:
        runner: As given.
        perception: Finds the objects of one frame with it.
    """

    def __init__(
        self,
        config: ModelConfig,
        reader: SentenceReader,
        runner: ObjectRunner,
        naming: NamingModel,
        runtime: str,
    ) -> None:
        self.config, self.reader = config, reader
        self.runner, self.runtime = runner, runtime
        self.perception = Perception(runner)
        self._naming = naming
        self._nouns = Nouns.load()
        self._parts: WeakKeyDictionary[Sentence, SentenceParts] = WeakKeyDictionary()

    def tracker(self) -> SceneTracker:
        """A new tracker for one camera."""
        return SceneTracker(self.perception)

    def parts(self, sentence: Sentence) -> SentenceParts:
        """What a sentence says; read once."""
        found = self._parts.get(sentence)
        if found is None:
            found = read_parts(sentence.words, self._nouns, self.reader.vectors)
            self._parts[sentence] = found
        return found

    def encode(self, frames: NDArray[np.uint8], flow: NDArray[np.float32] | None) -> Seen:
        """The scene that the last of some prepared frames shows after the others.

        Args:
            frames: (T, S, S, 3) uint8, as `resize_and_pad` makes them.
            flow: Not looked at; motion is measured by the tracker.
        """
        tracker = self.tracker()
        content = content_of(frames[-1])
        for image in frames:
            tracker.push(image, content, SECONDS_BETWEEN_FRAMES)
        return tracker.seen()

    def respond(self, features: Seen, sentences: Sequence[Sentence]) -> Responses:
        """What the scene answers to the sentences, also to those of which no word is known."""
        if features.scene is None:
            side = self.config.size // 4
            nothing = ObjectAnswer(0.0, np.zeros((side, side), np.float32))
            return {sentence: self._response(sentence, nothing) for sentence in sentences}
        naming = SceneNaming(features.scene, self._naming)
        responses = {}
        for sentence in sentences:
            memory = features.memory(sentence)
            found = answer(self.parts(sentence), naming, memory)
            memory.found = found.confidence >= self.config.presence.threshold
            responses[sentence] = self._response(sentence, found)
        return responses

    def _response(self, sentence: Sentence, found: ObjectAnswer) -> Response:
        words = sentence.words
        actors = tuple(
            ActorResponse(
                logit(item.mask),
                item.track,
                item.confidence,
                corner_box(item.box),
                tuple(
                    Evidence(part.part, tuple(words[k] for k in part.words), odds)
                    for part, odds in zip(found.evidence, item.log_odds, strict=True)
                ),
            )
            for item in found.meant
        )
        parts = self.parts(sentence)
        return Response(
            logit(found.mask),
            float(logit(found.confidence)),
            actors,
            tuple(words[k] for k in sorted({*parts.unused, *unseen_words(parts)})),
            tuple(words[k] for k in parts.unknown),
        )


def logit(probability: NDArray[np.float32] | float) -> NDArray[np.float32]:
    """Natural log-odds, finite."""
    inside = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside / (1 - inside)), np.float32)


def corner_box(box: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Centre and sides, as shares, to corner and sides within the picture."""
    low = np.clip(box[:2] - box[2:] / 2, 0, 1)
    high = np.clip(box[:2] + box[2:] / 2, 0, 1)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def content_of(image: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns of a prepared (S, S, 3) frame that are not its black padding."""
    lit = image.max(axis=2) > 0
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    if not len(rows):
        return slice(0, image.shape[0]), slice(0, image.shape[1])
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
