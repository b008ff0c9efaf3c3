"""Which frames make a clip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.config import ModelConfig
from actseg_core.datasets.sampling import clip_indices, evenly_spaced, span
from actseg_core.errors import ConfigError

PAPER = ModelConfig(frames=16)


def test_the_paper_clip_has_eight_frames_before_and_seven_after() -> None:
    assert clip_indices(50, 100, PAPER) == list(range(42, 58))


def test_edge_frames_are_repeated() -> None:
    assert clip_indices(2, 100, PAPER) == [0] * 7 + [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert clip_indices(99, 100, PAPER) == [*range(91, 100), *[99] * 7]
    assert clip_indices(1, 3, PAPER) == [0] * 8 + [1] + [2] * 7


@pytest.mark.parametrize(
    ("frames", "mode", "wanted"),
    [
        (1, "centre", [9]),
        (4, "centre", [7, 8, 9, 10]),
        (5, "centre", [7, 8, 9, 10, 11]),
        (8, "newest", [2, 3, 4, 5, 6, 7, 8, 9]),
        (1, "newest", [9]),
    ],
)
def test_any_number_of_frames_around_or_before_the_target(frames, mode, wanted) -> None:
    assert clip_indices(9, 30, ModelConfig(frames=frames, label_frame=mode)) == wanted


@given(st.data(), st.integers(1, 64), st.sampled_from(["centre", "newest"]), st.integers(1, 200))
def test_the_target_is_at_the_labelled_place_and_steps_are_0_or_1(
    data, frames, mode, length
) -> None:
    target = data.draw(st.integers(0, length - 1))
    config = ModelConfig(frames=frames, label_frame=mode)
    indices = clip_indices(target, length, config)
    assert len(indices) == frames
    assert indices[config.label_index] == target
    steps = [after - before for before, after in zip(indices, indices[1:], strict=False)]
    assert set(steps) <= {0, 1}
    assert all(
        step == 1 or index in (0, length - 1) for step, index in zip(steps, indices, strict=False)
    )


def test_a_target_outside_the_video_and_an_empty_video_are_refused() -> None:
    for target in (-1, 30):
        with pytest.raises(ConfigError, match=rf"frame {target} is not in a video of 30 frames"):
            clip_indices(target, 30, PAPER)
    with pytest.raises(ConfigError, match="got 4 frames of a video with 0"):
        span(0, 4, 0)


@pytest.mark.parametrize(
    ("length", "count", "wanted"),
    [(40, 3, [0, 19, 39]), (15, 3, [0, 7, 14]), (3, 3, [0, 1, 2]), (9, 1, [4]), (8, 2, [0, 7])],
)
def test_frames_are_spread_from_the_first_to_the_last(length, count, wanted) -> None:
    assert evenly_spaced(length, count) == wanted


@given(st.integers(1, 200), st.integers(1, 200))
def test_spread_frames_differ_and_rise(length, count) -> None:
    if count > length:
        with pytest.raises(ConfigError, match=f"cannot take {count} different frames"):
            evenly_spaced(length, count)
        return
    indices = evenly_spaced(length, count)
    assert indices == sorted(set(indices))
    assert len(indices) == count
    assert indices[0] >= 0 and indices[-1] < length
