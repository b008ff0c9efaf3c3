"""Whatever the stride, the breaks and the streams: stepping equals recomputing the window."""

import gc
import itertools
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patience import PATIENCE_S

from actseg_core.config import ModelConfig, Stream, StreamConfig
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import NetworkPredictor, Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.streaming.window_encoders import make_encoder
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors
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
        made[streams] = NetworkPredictor(build_model(config), SentenceReader(config.text, vectors))
    return made


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    streams=st.sampled_from([("rgb",), ("flow",), ("rgb", "flow")]),
    stride=st.integers(1, 4),
    side_by_side=st.booleans(),
    breaks=st.sets(st.integers(1, 13), max_size=2),
)
def test_stepping_equals_recomputing_the_window(
    predictors: dict[tuple[Stream, ...], Predictor],
    camera: object,
    streams: tuple[Stream, ...],
    stride: int,
    side_by_side: bool,
    breaks: set[int],
) -> None:
    predictor = predictors[streams]
    predictor.executor.side_by_side = side_by_side
    engine = StreamingEngine(predictor, StreamConfig(slow_camera_intervals=0))
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
        assert engine.snapshot is not None
        whole = predictor.encode(engine.snapshot.window.images(), _flow(engine, streams))
        stepped = engine.snapshot.encode()
        for name in streams:
            for ours, theirs in zip(stepped[name], whole[name], strict=True):
                torch.testing.assert_close(ours, theirs, atol=TOLERANCE, rtol=0)
    assert engine.resets == len(breaks)


def test_a_view_is_not_changed_by_later_frames(lite_predictor: Predictor, camera: object) -> None:
    engine = StreamingEngine(lite_predictor)
    for index in range(8):
        engine.push(camera(index))  # type: ignore[operator]
    snapshot = engine.snapshot
    assert snapshot is not None
    before = snapshot.encode()
    for index in range(8, 12):
        engine.push(camera(index))  # type: ignore[operator]
    engine.reset("test")
    after = snapshot.encode()
    for ours, theirs in zip(
        after["rgb"] + after["flow"], before["rgb"] + before["flow"], strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.fixture
def beside(predictors: dict[tuple[Stream, ...], Predictor]) -> Iterator[Predictor]:
    """Two streams, the RGB one in a thread of its own."""
    predictor = predictors["rgb", "flow"]
    predictor.executor.side_by_side = True
    yield predictor
    predictor.executor.side_by_side = False


def test_streams_side_by_side_run_in_two_threads(
    beside: Predictor, camera: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, set[int]] = {"rgb": set(), "flow": set()}
    for part in ("step", "join"):
        run = getattr(beside.executor, part)

        def noting(name: Stream, *inputs: Any, run: Any = run) -> Any:
            threads[name].add(threading.get_ident())
            return run(name, *inputs)

        monkeypatch.setattr(beside.executor, part, noting)
    engine = StreamingEngine(beside)
    for index in range(6):
        engine.push(camera(index))
    assert engine.snapshot is not None
    engine.snapshot.encode()
    assert threads["flow"] == {threading.get_ident()}
    assert len(threads["rgb"]) == 1 and threads["rgb"] != threads["flow"]


def test_what_a_stream_beside_raises_is_raised_by_the_answer_and_by_the_next_push(
    beside: Predictor, camera: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, steps = beside.executor.step, itertools.count(1)

    def fail_at_the_fifth(name: Stream, picture: Any) -> Any:
        if name == "rgb" and next(steps) == 5:
            raise FloatingPointError("broken weights")
        return step(name, picture)

    monkeypatch.setattr(beside.executor, "step", fail_at_the_fifth)
    engine = StreamingEngine(beside)
    engine.set_queries([("q", beside.read("dog"))])
    for index in range(5):
        engine.push(camera(index))
    with pytest.raises(FloatingPointError, match="broken weights"):
        engine.answer()
    with pytest.raises(FloatingPointError, match="broken weights"):
        engine.push(camera(5))
    assert engine.filled == 0 and engine.last_reset == "a frame could not be processed"
    for index in range(6, 11):
        engine.push(camera(index))
    assert set(engine.answer()) == {"q"}


def test_a_frame_whose_flow_fails_leaves_no_window_with_a_hole(
    beside: Predictor, camera: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = StreamingEngine(beside)
    for index in range(5):
        engine.push(camera(index))
    with monkeypatch.context() as patch:
        patch.setattr(engine._preparer, "with_flow", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.push(camera(5))
    assert engine.filled == 0 and engine.snapshot is None
    for index in range(6, 11):
        engine.push(camera(index))
    assert engine.snapshot is not None
    whole = beside.encode(engine.snapshot.window.images(), engine.snapshot.window.flow())
    for ours, theirs in zip(engine.snapshot.encode()["rgb"], whole["rgb"], strict=True):
        torch.testing.assert_close(ours, theirs, atol=TOLERANCE, rtol=0)


def test_the_thread_of_a_stream_ends_with_its_engine(beside: Predictor, camera: Any) -> None:
    engine = StreamingEngine(beside)
    engine.push(camera(0))
    before = {item for item in threading.enumerate() if item.name.startswith("actseg_rgb")}
    assert before
    del engine
    gc.collect()
    for thread in before:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_the_lite_network_is_stepped_and_the_papers_is_not(
    lite_predictor: Predictor, paper_predictor: Predictor
) -> None:
    assert type(make_encoder(lite_predictor)).__name__ == "SteppingEncoder"
    assert type(make_encoder(paper_predictor)).__name__ == "WholeWindowEncoder"


def test_a_window_of_one_frame_has_no_flow(lite_config: ModelConfig, vectors: WordVectors) -> None:
    config = ModelConfig(frames=1, size=32, text=lite_config.text, video={"width": 0.125})
    engine = StreamingEngine(
        NetworkPredictor(build_model(config), SentenceReader(config.text, vectors))
    )
    engine.set_queries([("q", engine.predictor.read("dog"))])
    image = torch.zeros(20, 30, 3, dtype=torch.uint8).numpy()
    engine.push(Frame(image, 1))
    assert set(engine.answer()) == {"q"}
    assert not engine.snapshot.window.flow().any()  # type: ignore[union-attr]


def _flow(engine: StreamingEngine, streams: tuple[Stream, ...]) -> object:
    assert engine.snapshot is not None
    return engine.snapshot.window.flow() if "flow" in streams else None
