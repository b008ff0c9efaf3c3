"""Whatever the stride, the breaks and the streams: a stream is answered as its clips are."""

from collections import deque
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actseg_core.config import ModelConfig, Stream, StreamConfig
from actseg_core.image import resize_and_pad
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import NetworkPredictor, Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors
from actseg_core.types import Frame

Camera = Callable[[int], Frame]
FRAMES = 5


@pytest.fixture(scope="module")
def predictors(
    small_config: ModelConfig, vectors: WordVectors
) -> dict[tuple[Stream, ...], Predictor]:
    """Networks with one stream and with both."""
    made: dict[tuple[Stream, ...], Predictor] = {}
    for streams in (("rgb",), ("flow",), ("rgb", "flow")):
        torch.manual_seed(len(made))
        config = small_config.model_copy(update={"streams": streams, "size": 32, "frames": FRAMES})
        made[streams] = NetworkPredictor(build_model(config), SentenceReader(config.text, vectors))
    return made


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    streams=st.sampled_from([("rgb",), ("flow",), ("rgb", "flow")]),
    stride=st.integers(1, 4),
    breaks=st.sets(st.integers(1, 13), max_size=2),
)
def test_the_window_holds_what_the_clip_since_the_break_shows(
    predictors: dict[tuple[Stream, ...], Predictor],
    camera: Camera,
    streams: tuple[Stream, ...],
    stride: int,
    breaks: set[int],
) -> None:
    predictor = predictors[streams]
    sentence = predictor.read("red dog running")
    engine = StreamingEngine(predictor, StreamConfig(slow_camera_intervals=0))
    since_break: deque[np.ndarray] = deque(maxlen=FRAMES)
    late_ns = 0
    for index in range(14):
        shot = camera(index)
        if index in breaks:
            late_ns += 2_000_000_000
            since_break.clear()
        engine.push(Frame(shot.image, shot.stamp_ns + late_ns, "cam"))
        since_break.append(resize_and_pad(shot.image, predictor.config.size)[0])
        assert engine.filled == len(since_break)
        if not engine.ready or index % stride:
            continue
        assert engine.snapshot is not None
        streamed = predictor.respond(engine.snapshot.encode(), [sentence])[sentence]
        features = predictor.encode(np.stack(since_break), None)  # makes its own flow
        whole = predictor.respond(features, [sentence])[sentence]
        np.testing.assert_allclose(streamed.map, whole.map, atol=1e-4, rtol=0)
        assert streamed.score == pytest.approx(whole.score, abs=1e-4)
    assert engine.resets == len(breaks)


def test_a_snapshot_is_not_changed_by_later_frames(
    small_predictor: Predictor, camera: Camera
) -> None:
    engine = StreamingEngine(small_predictor)
    for index in range(8):
        engine.push(camera(index))
    snapshot = engine.snapshot
    assert snapshot is not None
    before = snapshot.encode()
    for index in range(8, 12):
        engine.push(camera(index))
    engine.reset("test")
    after = snapshot.encode()
    for ours, theirs in zip(
        after["rgb"] + after["flow"], before["rgb"] + before["flow"], strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_frame_whose_flow_fails_leaves_no_window_with_a_hole(
    predictors: dict[tuple[Stream, ...], Predictor],
    camera: Camera,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = StreamingEngine(predictors["rgb", "flow"])
    for index in range(FRAMES):
        engine.push(camera(index))
    with monkeypatch.context() as patch:
        patch.setattr(engine._preparer, "with_flow", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.push(camera(FRAMES))
    assert engine.filled == 0 and engine.snapshot is None
    assert engine.last_reset == "a frame could not be processed"
    for index in range(FRAMES + 1, 2 * FRAMES + 1):
        assert not engine.ready
        engine.push(camera(index))
    assert engine.ready


def test_what_the_network_raises_is_raised_by_the_answer_and_the_stream_goes_on(
    predictors: dict[tuple[Stream, ...], Predictor],
    camera: Camera,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    predictor = predictors["rgb", "flow"]
    engine = StreamingEngine(predictor)
    engine.set_queries([("q", predictor.read("dog"))])
    for index in range(FRAMES):
        engine.push(camera(index))
    with monkeypatch.context() as patch:
        patch.setattr(predictor, "encode", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.answer()
    engine.push(camera(FRAMES))
    assert set(engine.answer()) == {"q"}


def test_a_window_of_one_frame_has_no_flow(
    small_config: ModelConfig, vectors: WordVectors
) -> None:
    config = ModelConfig(frames=1, size=32, text=small_config.text, video={"width": 0.125})
    engine = StreamingEngine(
        NetworkPredictor(build_model(config), SentenceReader(config.text, vectors))
    )
    engine.set_queries([("q", engine.predictor.read("dog"))])
    image = torch.zeros(20, 30, 3, dtype=torch.uint8).numpy()
    engine.push(Frame(image, 1))
    assert set(engine.answer()) == {"q"}
    assert not engine.snapshot.window.flow().any()  # type: ignore[union-attr]
