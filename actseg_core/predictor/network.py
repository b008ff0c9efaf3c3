"""The paper's networks and their like: clips in, response maps out."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actseg_core.config import ModelConfig, RuntimeConfig, Stream
from actseg_core.flow import make_estimator, network_field
from actseg_core.flow.field import clip_flow
from actseg_core.image import resize_and_pad_flow
from actseg_core.networks.segmenter import presence_score
from actseg_core.networks.tensors import flow_input, network_input
from actseg_core.networks.two_stream import Network, to_channels_last
from actseg_core.predictor.base import Predictor, Response, Responses
from actseg_core.runtime.executor import Executor, Features, Filters
from actseg_core.runtime.select import make_executor
from actseg_core.text.sentence import SentenceReader
from actseg_core.types import Clip, Sentence

SETS_KEPT = 8  # of sentences; a few kilobytes each


class NetworkPredictor(Predictor):
    """A network that answers whole windows by response maps.

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
        self.runtime = self.executor.name
        self._asked: tuple[tuple[list[Sentence], Filters], ...] = ()
        self.estimator = make_estimator(self.config.flow)

    def given_flow(self, clip: Clip) -> NDArray[np.float32] | None:
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
            clips["rgb"] = network_input(torch.from_numpy(frames[np.newaxis])).to(self.device)
        if "flow" in self.config.streams:
            if flow is None:
                flow = clip_flow(frames, self.estimator)
            fields = torch.from_numpy(flow[np.newaxis])
            clips["flow"] = flow_input(fields, self.config.flow.clip_px).to(self.device)
        return self.executor.encode(clips)

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
        """The sentences' filters, made anew only when the sentences change.

        Several cameras may ask in turns, each about its own.
        """
        if not self.executor.follows_weights:
            for asked, filters in self._asked:
                if asked == sentences:
                    return filters
        words = torch.from_numpy(np.stack([item.vectors for item in sentences]))
        made = self.executor.filters(words.to(self.device))
        if not self.executor.follows_weights:
            self._asked = ((sentences, made), *self._asked)[:SETS_KEPT]
        return made
