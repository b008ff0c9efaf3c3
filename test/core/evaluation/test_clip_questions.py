"""Samples as questions, and a real small network that answers them."""

import shutil
from collections import Counter

import numpy as np
import pytest

from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.clips import load_clip
from actseg_core.datasets.custom import CustomDataset
from actseg_core.datasets.samples import Sample
from actseg_core.errors import DatasetError
from actseg_core.evaluation.clip_questions import ClipAnswerer, ClipQuestions, sample_id, select
from actseg_core.evaluation.run import evaluate
from actseg_core.evaluation.swaps import Swapper, describe, shown_pairs
from actseg_core.video.reader import ReaderPool


@pytest.fixture
def dataset(generated) -> A2DSentences:
    return A2DSentences(generated, "test")


@pytest.fixture
def make(dataset, small_predictor):
    def questions(**options) -> ClipQuestions:
        return ClipQuestions(dataset, small_predictor.config, small_predictor.read, **options)

    return questions


def test_every_sample_is_asked_once_with_its_own_clip_and_truth(
    make, dataset, small_config
) -> None:
    questions = {item.sample_id: item for item in make()}
    assert set(questions) == {sample_id(sample) for sample in dataset.samples}
    pool = ReaderPool()
    for sample in dataset.samples[:4]:
        question = questions[sample_id(sample)]
        wanted = load_clip(dataset, sample, small_config, pool)
        assert (question.sentence, question.frame) == (sample.sentence, sample.frame)
        np.testing.assert_array_equal(question.truth, wanted.mask)
        np.testing.assert_array_equal(question.clip.rgb, wanted.clip.rgb)
        assert question.truth.shape == (64, 80)  # the video's own size
        assert question.next_clip is None
    pool.close()


def test_questions_about_one_frame_come_together(make) -> None:
    places = [(item.video_id, item.frame) for item in make()]
    assert places == sorted(places)


def test_swapped_sentences_follow_theirs_and_have_an_empty_truth(make, dataset, generated) -> None:
    described = describe(dataset, dataset.layout, skip_bad=False)
    shown = shown_pairs(A2DPairs(generated, "test").video_labels)
    swapper = Swapper(described.values(), shown)
    questions = make(described=described, swapper=swapper)
    asked = list(questions)
    assert len(asked) == len(questions) > questions.asked == len(dataset.samples)
    for question in asked:
        if question.swapped is None:
            original = question
            assert question.truth.any()
            assert question.pair == described[question.video_id, int(question.sample_id[-1])].pair
        else:
            assert question.original == original.sample_id
            assert question.sample_id == f"{original.sample_id}#{question.swapped}"
            assert not question.truth.any()
            assert question.clip is original.clip


def test_a_limit_is_spread_over_the_data_set(make, dataset) -> None:
    assert len(make(limit=3)) == 3
    assert len(make(limit=10_000)) == len(make(limit=0)) == len(dataset.samples)
    samples = [Sample("a", "v", frame) for frame in range(11)]
    assert [item.frame for item in select(samples, 3)] == [0, 5, 10]


def test_a_frozen_clip_repeats_the_labelled_frame(make, small_config) -> None:
    moving, frozen = next(iter(make())), next(iter(make(frozen=True)))
    index = small_config.label_index
    np.testing.assert_array_equal(frozen.clip.rgb, moving.clip.rgb[[index] * 8])
    assert not (moving.clip.rgb == moving.clip.rgb[index]).all()


def test_the_next_frames_clip_is_loaded_on_demand_where_there_is_one(make, small_config) -> None:
    for question in make(following=True):
        if question.frame == 7:  # the last of 8
            assert question.next_clip is None
        else:
            # One frame on; the newest is labelled, so all but the first frame are shared.
            np.testing.assert_array_equal(question.next_clip.rgb[:-1], question.clip.rgb[1:])


def test_a_damaged_video_raises_or_is_counted_once_per_sample(
    generated, tmp_path, small_predictor
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(generated, copy)
    strict = A2DSentences(copy, "test")
    victim = strict.samples[0].video
    strict.layout.clip(victim).write_bytes(b"no video")
    read, config = small_predictor.read, small_predictor.config
    with pytest.raises(Exception, match=f"{victim}.mp4"):
        list(ClipQuestions(strict, config, read))
    tolerant = A2DSentences(copy, "test", skip_bad=True)
    asked = list(ClipQuestions(tolerant, config, read))
    lost = sum(sample.video == victim for sample in strict.samples)
    assert len(asked) == len(strict.samples) - lost
    assert len(tolerant.bad) == lost > 0


def test_a_sentence_that_cannot_be_read_is_named_by_sample(make, dataset, monkeypatch) -> None:
    sample = dataset.samples[0]
    monkeypatch.setattr(dataset, "samples", [Sample("...", *_place(sample))])
    with pytest.raises(DatasetError, match=f"sentence of {sample_id(sample)} cannot be asked"):
        list(make())


def _place(sample: Sample) -> tuple[str, int, int]:
    return sample.video, sample.frame, sample.instance


def test_answers_are_those_of_the_predictor(make, small_predictor) -> None:
    answerer = ClipAnswerer(small_predictor)
    for question in make(limit=3):
        (wanted,) = small_predictor.predict(question.clip, [question.asked])
        got = answerer(question)
        np.testing.assert_array_equal(got.mask, wanted.mask > 0)
        assert (got.found, got.confidence) == (wanted.found, wanted.confidence)


def test_a_clip_is_encoded_once_for_all_its_sentences(make, small_predictor, monkeypatch) -> None:
    encoded = []
    encode = small_predictor.encode
    monkeypatch.setattr(
        small_predictor, "encode", lambda *clip: encoded.append(1) or encode(*clip)
    )
    questions = list(make())
    answerer = ClipAnswerer(small_predictor)
    for question in questions:
        answerer(question)
    frames = Counter((item.video_id, item.frame) for item in questions)
    assert len(encoded) == len(frames) < len(questions)


def test_the_next_frames_answer_and_the_flow_to_it_are_given(make, small_predictor) -> None:
    answerer = ClipAnswerer(small_predictor)
    question = next(item for item in make(following=True) if item.next_clip is not None)
    (wanted,) = small_predictor.predict(question.next_clip, [question.asked])
    prediction = answerer(question)
    np.testing.assert_array_equal(prediction.next_mask, wanted.mask > 0)
    assert prediction.next_flow.shape == (64, 80, 2)
    result = evaluate([question], lambda _: prediction)
    if prediction.mask.any() or prediction.next_mask.any():
        assert result.consistency.samples == 1
    assert result.rows[0].steady is not None


def test_absent_actors_of_custom_data_have_an_empty_truth_of_the_frames_size(
    tmp_path, generated, dataset, small_predictor
) -> None:
    shutil.copyfile(dataset.layout.clip(dataset.samples[0].video), tmp_path / "v.mp4")
    (tmp_path / "sentences.csv").write_text("video,frame,sentence,mask\nv.mp4,2,red dog,\n")
    custom = CustomDataset(tmp_path)
    (question,) = ClipQuestions(custom, small_predictor.config, small_predictor.read)
    assert question.truth.shape == (64, 80)
    assert not question.truth.any()
    result = evaluate([question], ClipAnswerer(small_predictor))
    assert result.presence.absent_by_kind["annotated"].samples == 1


def test_the_labelled_frame_of_a_row_can_be_read_again(
    make, small_predictor, small_config
) -> None:
    questions = make(limit=2)
    asked = list(questions)
    result = evaluate(asked, ClipAnswerer(small_predictor))
    for question, row in zip(asked, result.rows, strict=True):
        wanted = question.clip.rgb[small_config.label_index]
        np.testing.assert_array_equal(questions.image(row), wanted)
    questions.close()
