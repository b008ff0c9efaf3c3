"""Whatever the stride, the breaks and the streams: stepping equals recomputing the window."""

from collections import deque

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actseg_core.config import ModelConfig, Stream
from actseg_core.model import build_model
from actseg_core.predictor import Predictor
from actseg_core.streaming.encoders import make_encoder
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.text.embeddings import WordVectors
from actseg_core.text.sentence import SentenceReader
from actseg_core.types import Frame

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def predictors(
    lite_config: ModelConfig, vectors: WordVectors
) -> dict[tuple[Stream, ...], Predictor]:
    """Lite networks with one stream and with both."""
    made: dict[tuple[Stream, ...], Predictor] = {}
    for streams in (("rgb",), ("flow",), ("rgb", "flow")):
        torch.manual_seed(len(made))
        config = lite_config.model_copy(update={"streams": streams, "size": 32, "frames": 5})
        made[streams] = Predictor(build_model(config), SentenceReader(config.text, vectors))
    return made


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    streams=st.sampled_from([("rgb",), ("flow",), ("rgb", "flow")]),
    stride=st.integers(1, 4),
    breaks=st.sets(st.integers(1, 13), max_size=2),
)
def test_stepping_equals_recomputing_the_window(
    predictors: dict[tuple[Stream, ...], Predictor],
    camera: object,
    streams: tuple[Stream, ...],
    stride: int,
    breaks: set[int],
) -> None:
    predictor = predictors[streams]
    engine = StreamingEngine(predictor)
    since_break: deque[Frame] = deque(maxlen=5)
    late_ns = 0
    for index in range(14):
        shot = camera(index)  # type: ignore[operator]
        if index in breaks:
            late_ns += 2_000_000_000
            since_break.clear()
        frame = Frame(shot.image, shot.stamp_ns + late_ns, "cam")
        engine.push(frame)
        since_break.append(frame)
        assert engine.filled == len(since_break)
        if not engine.ready or index % stride:
            continue
        assert engine.view is not None
        whole = predictor.encode(engine.view.window.images(), _flow(engine, streams))
        stepped = engine.view.encode()
        for name in streams:
            for ours, theirs in zip(stepped[name], whole[name], strict=True):
                torch.testing.assert_close(ours, theirs, atol=TOLERANCE, rtol=0)
    assert engine.resets == len(breaks)


def test_a_view_is_not_changed_by_later_frames(lite_predictor: Predictor, camera: object) -> None:
    engine = StreamingEngine(lite_predictor)
    for index in range(8):
        engine.push(camera(index))  # type: ignore[operator]
    view = engine.view
    assert view is not None
    before = view.encode()
    for index in range(8, 12):
        engine.push(camera(index))  # type: ignore[operator]
    engine.reset("test")
    after = view.encode()
    for ours, theirs in zip(
        after["rgb"] + after["flow"], before["rgb"] + before["flow"], strict=True
    ):
        assert torch.equal(ours, theirs)


def test_the_lite_network_is_stepped_and_the_papers_is_not(
    lite_predictor: Predictor, paper_predictor: Predictor
) -> None:
    assert type(make_encoder(lite_predictor)).__name__ == "SteppingEncoder"
    assert type(make_encoder(paper_predictor)).__name__ == "WholeWindowEncoder"


def test_a_window_of_one_frame_has_no_flow(lite_config: ModelConfig, vectors: WordVectors) -> None:
    config = ModelConfig(frames=1, size=32, text=lite_config.text, video={"width": 0.125})
    engine = StreamingEngine(Predictor(build_model(config), SentenceReader(config.text, vectors)))
    engine.set_queries([("q", engine.predictor.read("dog"))])
    image = torch.zeros(20, 30, 3, dtype=torch.uint8).numpy()
    engine.push(Frame(image, 1))
    assert set(engine.answer()) == {"q"}
    assert not engine.view.window.flow().any()  # type: ignore[union-attr]


def _flow(engine: StreamingEngine, streams: tuple[Stream, ...]) -> object:
    assert engine.view is not None
    return engine.view.window.flow() if "flow" in streams else None
