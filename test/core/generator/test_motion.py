import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.generator.figures.base import Motion
from actseg_core.generator.motion import SPEED, fold, perform
from actseg_core.labels import PAIRS, Pair

SEEDS = st.integers(0, 2**32)


def motion(action: str, actor: str, seed: int, frames: int = 16, span: float = 100.0) -> Motion:
    return perform(action, actor, frames, span, np.random.default_rng(seed))


def test_walking_to_and_fro_turns_at_the_ends_of_the_room() -> None:
    position, facing = fold(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), 1.0, 4.0)

    assert position.tolist() == [0, 1, 2, 1, 0, -1]
    assert facing[0] > 0
    assert facing[5] == -1
    assert np.all(np.abs(facing) >= 0.2), "edge-on figures have no way back to their pixels"


@given(SEEDS)
def test_a_still_picture_is_drawn_alike_for_all_upright_actions(seed: int) -> None:
    first, *others = (motion(action, "dog", seed) for action in ("walking", "running", "jumping"))

    for other in others:
        assert (other.swing, other.bend) == (first.swing, first.bend)


@given(SEEDS)
def test_running_is_faster_in_step_and_way_than_walking(seed: int) -> None:
    walk, run = motion("walking", "cat", seed), motion("running", "cat", seed)

    assert np.abs(np.diff(run.x)).min() > 2 * np.abs(np.diff(walk.x)).max()
    assert np.diff(run.phase).min() > 1.9 * np.diff(walk.phase).max()


@given(SEEDS)
def test_who_does_nothing_stays_and_keeps_its_limbs(seed: int) -> None:
    still = motion("none", "adult", seed)

    assert np.ptp(still.x) == 0
    assert np.ptp(still.up) == 0
    assert np.ptp(still.phase) <= 0.06  # a slow sway of at most 0.03 cycles


@given(SEEDS)
def test_a_jump_is_a_ballistic_arc(seed: int) -> None:
    up = motion("jumping", "ball", seed, frames=40).up

    assert up.min() >= 0
    fall = np.diff(up, 2)
    gravity = np.median(fall)
    assert gravity < 0
    in_the_air = np.isclose(fall, gravity, rtol=1e-6)
    assert in_the_air.mean() > 0.7, "all but the frames around a bounce fall alike"
    assert (fall[~in_the_air] > gravity).all()


@given(SEEDS)
def test_a_rolling_ball_turns_as_far_as_it_goes(seed: int) -> None:
    roll = motion("rolling", "ball", seed)

    np.testing.assert_allclose(np.abs(np.diff(roll.x)), 0.5 * np.diff(roll.spin), rtol=1e-9)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.actor_name}-{pair.action_name}")
def test_every_valid_pair_can_be_performed_at_any_length(pair: Pair) -> None:
    for frames in (1, 2, 150):
        done = motion(pair.action_name, pair.actor_name, 3, frames, span=2.0)
        tracks = np.stack([done.x, done.up, done.spin, done.facing, done.phase, done.depth])
        assert tracks.shape == (6, frames)
        assert np.isfinite(tracks).all()
        assert np.abs(done.x).max() <= 1.0 + 1e-9, "nobody leaves the room it was given"


def test_speeds_of_walking_and_running_lie_apart() -> None:
    assert SPEED["running"][0] > 2 * SPEED["walking"][1]
