import numpy as np
import pytest
import torch

from actseg_core.config import ModelConfig, RuntimeConfig, StreamConfig
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.predictor import ObjectPredictor
from actseg_core.predictor.in_torch import object_predictor
from actseg_core.predictor.objects import content_of, corner_box, logit
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.text.sentence import load_reader
from actseg_core.types import Clip, Frame, MaskResult

FRAMES = 4
SIZE = 96
STEP_NS = round(1e9 / 15)


@pytest.fixture(scope="module")
def model() -> ObjectsModel:
    """Random weights, made to see something everywhere."""
    torch.manual_seed(3)
    config = ModelConfig(
        name="small",
        kind="objects",
        streams=("rgb",),
        frames=FRAMES,
        label_frame="newest",
        size=SIZE,
    )
    model = ObjectsModel(config).eval()
    with torch.no_grad():
        for head in model.frame.detector.heads:
            head.objectness.bias.fill_(2.0)
            head.classes.bias[:3] = 2.0
            head.box.bias[2:] = 1.0
        model.objects.second.to_filters[-1].bias[-1] = 3.0  # masks that are not empty
    return model


@pytest.fixture(scope="module")
def predictor(model: ObjectsModel) -> ObjectPredictor:
    return object_predictor(model, load_reader(model.config.text))


def frames(count: int) -> np.ndarray:
    """(count, 72, 96, 3): a bright patch wanders over noise."""
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 90, (72, 96, 3), np.uint8)
    patch = rng.integers(150, 255, (24, 24, 3), np.uint8)
    pictures = np.stack([ground] * count)
    for index, picture in enumerate(pictures):
        picture[20:44, 10 + 3 * index : 34 + 3 * index] = patch
    return pictures


def same(one: MaskResult, other: MaskResult) -> bool:
    return (
        one.found == other.found
        and one.confidence == pytest.approx(other.confidence, abs=1e-5)
        and np.array_equal(one.mask, other.mask)
        and [a.track_id for a in one.actors] == [a.track_id for a in other.actors]
    )


SENTENCES = ("a person on the left", "car", "the red bicycle next to a person")


def test_stepping_answers_as_the_whole_window_does(predictor: ObjectPredictor) -> None:
    pictures = frames(FRAMES)
    sentences = [predictor.read(text) for text in SENTENCES]
    engine = StreamingEngine(predictor)
    engine.set_queries([(str(k), sentence) for k, sentence in enumerate(sentences)])
    for index, picture in enumerate(pictures):
        engine.push(Frame(picture, (index + 1) * STEP_NS))

    stepped = engine.answer()
    whole = predictor.predict(Clip(pictures), sentences)

    assert any(result.actors for result in whole)
    for index, result in enumerate(whole):
        assert same(stepped[str(index)], result)


def test_two_engines_on_one_predictor_do_not_disturb_each_other(
    predictor: ObjectPredictor,
) -> None:
    pictures = frames(FRAMES)
    alone, first, second = (StreamingEngine(predictor) for _ in range(3))
    for engine in (alone, first, second):
        engine.set_queries([("q", predictor.read("person"))])
    for index, picture in enumerate(pictures):
        alone.push(Frame(picture, (index + 1) * STEP_NS))
    for index, picture in enumerate(pictures):
        first.push(Frame(picture, (index + 1) * STEP_NS))
        second.push(Frame(pictures[-1 - index], (index + 1) * STEP_NS))
        second.answer()

    assert same(alone.answer()["q"], first.answer()["q"])


def test_a_break_in_the_stream_begins_new_tracks(predictor: ObjectPredictor) -> None:
    engine = StreamingEngine(predictor)
    engine.set_queries([("q", predictor.read("person"))])
    pictures = frames(FRAMES)
    for index, picture in enumerate(pictures):
        engine.push(Frame(picture, (index + 1) * STEP_NS))
    before = {actor.track_id for actor in engine.answer()["q"].actors}
    for index, picture in enumerate(pictures):
        engine.push(Frame(picture, (100 + index) * STEP_NS))
    after = {actor.track_id for actor in engine.answer()["q"].actors}

    assert engine.resets == 1
    assert before and after and not before & after


def test_every_answer_is_explained(predictor: ObjectPredictor) -> None:
    text = "the happy red bicycle on the left qwertz"
    (result,) = predictor.predict(Clip(frames(FRAMES)), [predictor.read(text)])

    assert result.unused == ("happy",)
    assert result.unknown == ("qwertz",)
    (actor, *_) = result.actors
    said = {item.part: item.words for item in actor.evidence}
    assert set(said) == {"who", "looks", "where"}
    assert said["who"] == ("bicycle",)
    assert "red" in said["looks"] and "left" in said["where"]
    x, y, width, height = actor.box
    assert x >= 0 and y >= 0 and x + width <= 96.01 and y + height <= 72.01
    assert actor.mask().shape == (72, 96)


@pytest.mark.parametrize(
    "text",
    ["qwertz asdfgh", "没有人", "😀 dog", "not a dog", "3 dogs", "dog " * 200, "el perro negro"],
)
def test_odd_sentences_are_answered_with_what_was_understood(
    predictor: ObjectPredictor, text: str
) -> None:
    sentence = predictor.read(text[:500] if "😀" in text else " ".join(text.split()[:20]))

    (result,) = predictor.predict(Clip(frames(FRAMES)), [sentence])

    assert 0 <= result.confidence <= 1
    if not sentence.is_known:
        assert not result.found


def test_a_sentence_that_was_found_is_remembered_for_the_next_frame(
    predictor: ObjectPredictor,
) -> None:
    tracker = predictor.tracker()
    sentence = predictor.read("person")
    for picture in frames(FRAMES):
        square = np.zeros((SIZE, SIZE, 3), np.uint8)
        square[12:84] = picture
        tracker.push(square, (slice(12, 84), slice(0, SIZE)), 1 / 15)
    seen = tracker.seen()
    sure = predictor.respond(seen, [sentence])[sentence].score > 0.41  # logit of 0.6

    assert seen.memory(sentence).found == sure
    assert seen.memory(sentence).tracks


def test_a_frame_without_an_object_is_not_found(model: ObjectsModel) -> None:
    blind = ObjectsModel(model.config).eval()
    with torch.no_grad():
        for head in blind.frame.detector.heads:
            head.objectness.bias.fill_(-20.0)
    predictor = object_predictor(blind, load_reader(model.config.text))

    (result,) = predictor.predict(Clip(frames(FRAMES)), [predictor.read("dog")])

    assert (result.found, result.actors) == (False, ())
    assert result.confidence < 0.01


def test_onnx_runtime_answers_as_pytorch_does(
    model: ObjectsModel, predictor: ObjectPredictor, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTSEG_CACHE", str(tmp_path))
    fast = object_predictor(
        model, load_reader(model.config.text), runtime=RuntimeConfig(runtime="onnxruntime")
    )
    clip = Clip(frames(FRAMES))

    (slow_result,) = predictor.predict(clip, [predictor.read("person")])
    (fast_result,) = fast.predict(clip, [fast.read("person")])

    assert fast.runtime == "onnxruntime"
    assert fast_result.confidence == pytest.approx(slow_result.confidence, abs=1e-3)
    assert (fast_result.mask != slow_result.mask).mean() < 0.01


def test_masks_and_actors_are_moved_to_the_newest_frame(predictor: ObjectPredictor) -> None:
    config = StreamConfig(mask_frame="newest", stride_frames=2)
    engine = StreamingEngine(predictor, config)
    engine.set_queries([("q", predictor.read("person"))])
    results = []
    for index, picture in enumerate(frames(FRAMES + 1)):
        engine.push(Frame(picture, (index + 1) * STEP_NS))
        results.append(engine.answer())

    moved = results[-1]["q"]
    assert moved.warped and moved.stamp_ns == (FRAMES + 1) * STEP_NS
    assert len(moved.actors) == len(results[-2]["q"].actors)


def test_content_is_what_is_not_padding() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[2:6] = 9

    assert content_of(picture) == (slice(2, 6), slice(0, 8))
    assert content_of(np.zeros((8, 8, 3), np.uint8)) == (slice(0, 8), slice(0, 8))


def test_boxes_stay_within_the_picture_and_logits_finite() -> None:
    box = corner_box(np.array([0.9, 0.5, 0.4, 0.2], np.float32))
    assert box == pytest.approx((0.7, 0.4, 0.3, 0.2))
    assert np.isfinite(logit(np.array([0.0, 1.0], np.float32))).all()


def test_what_is_understood_and_cannot_be_seen_is_told(predictor: ObjectPredictor) -> None:
    said = {
        "a man with a hat on the grass": ("with", "hat", "on", "grass"),
        "a man with a red hat": (),
        "a shirtless man in shorts": (),
    }
    asked = [predictor.read(text) for text in said]
    results = predictor.predict(Clip(frames(FRAMES)), asked)

    assert [result.unused for result in results] == list(said.values())
