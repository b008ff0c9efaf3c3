import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actseg_core.errors import ConfigError
from actseg_core.generator import GeneratedClip, SceneConfig, describe, generate, render_clip
from actseg_core.labels import PAIRS

TINY = SceneConfig(frames=4, height=48, width=64)


def same(one: GeneratedClip, other: GeneratedClip) -> bool:
    arrays = all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("frames", "instances", "flow")
    )
    return arrays and one.actors == other.actors


def test_a_seed_always_gives_the_same_clip_and_another_seed_another() -> None:
    assert same(render_clip(7, TINY), render_clip(7, TINY))
    assert not same(render_clip(7, TINY), render_clip(8, TINY))


@given(st.integers(0, 2**42), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_every_clip_keeps_its_promises(seed: int, frames: int) -> None:
    clip = render_clip(seed, TINY.model_copy(update={"frames": frames}))

    assert clip.frames.shape == (frames, 48, 64, 3)
    assert clip.frames.dtype == clip.instances.dtype == np.uint8
    assert clip.instances.shape == (frames, 48, 64)
    assert clip.flow.shape == (frames - 1, 48, 64, 2)
    assert clip.flow.dtype == np.float32
    assert np.isfinite(clip.flow).all()
    assert 1 <= len(clip.actors) <= 4
    assert [actor.instance_id for actor in clip.actors] == list(range(1, len(clip.actors) + 1))
    assert clip.instances.max() <= len(clip.actors)
    for actor in clip.actors:
        assert actor.pair in PAIRS
        assert actor.sentences
        assert len(actor.visible_frames) >= frames / 4
    assert clip.distractor_sentences


def test_boxes_enclose_masks_and_are_minus_one_where_nobody_is() -> None:
    ids = np.zeros((2, 10, 10), np.uint8)
    ids[0, 2:5, 3:9] = 1
    clip = render_clip(0, TINY)
    clip = GeneratedClip(clip.frames[:2], ids, clip.flow[:1], clip.actors, (), "road", 0)

    assert clip.boxes(1).tolist() == [[3, 2, 8, 4], [-1, -1, -1, -1]]


def test_true_flow_leads_each_pixel_to_its_likeness() -> None:
    config = SceneConfig(frames=6, height=96, width=128, degrade=False, camera="moving")
    errors = []
    for seed in range(8):
        clip = render_clip(seed, config)
        x, y = np.meshgrid(np.arange(128, dtype=np.float32), np.arange(96, dtype=np.float32))
        u, v = x + clip.flow[2, ..., 0], y + clip.flow[2, ..., 1]
        there = cv2.remap(clip.frames[3], u, v, cv2.INTER_LINEAR).astype(int)
        landed = cv2.remap(clip.instances[3], u, v, cv2.INTER_NEAREST, borderValue=255)
        kept = landed == clip.instances[2]
        moved = np.abs(there - clip.frames[2].astype(int)).mean(axis=2)[kept]
        stayed = np.abs(clip.frames[3].astype(int) - clip.frames[2]).mean(axis=2)[kept]
        errors.append((moved.mean(), stayed.mean()))
        assert kept.mean() > 0.75
    moved_error, still_error = np.mean(errors, axis=0)
    assert moved_error < 4.0, "gray levels of 255; what remains is interpolation"
    assert moved_error < 0.6 * still_error


def test_runs_of_seeds_have_all_pairs_equally_often() -> None:
    config = SceneConfig(frames=1, height=48, width=48, max_actors=1)

    pairs = [render_clip(seed, config).actors[0].pair for seed in range(100, 143)]

    assert sorted(pairs) == sorted(PAIRS)


def test_only_allowed_pairs_appear() -> None:
    config = SceneConfig(frames=2, height=48, width=64, pairs=(17, 77))

    seen = {actor.pair.label for seed in range(10) for actor in render_clip(seed, config).actors}

    assert seen == {17, 77}


def test_fresh_sentences_differ_by_seed_and_stay_true_to_the_clip(
    clips: list[GeneratedClip],
) -> None:
    texts = {describe(clips[0], 1, seed, count=1) for seed in range(12)}

    assert len(texts) > 3
    assert describe(clips[0], 1, 5) == describe(clips[0], 1, 5)


def test_a_scene_that_cannot_be_told_says_what_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "LEAST_VISIBLE", 2.0)

    with pytest.raises(ConfigError, match=r"30 tries with seed 3; allow more pairs, fewer actors"):
        render_clip(3, SceneConfig(frames=1, height=48, width=48))


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"pairs": (14,)}, "pairs must be A2D labels"),
        ({"min_actors": 3, "max_actors": 2}, "min_actors must not exceed max_actors, got 3 > 2"),
        ({"backgrounds": ()}, "at least one kind"),
        ({"hieght": 48}, "unknown setting 'hieght'; did you mean 'height'"),
    ],
)
def test_contradicting_settings_are_refused(settings_: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SceneConfig.from_mapping(settings_)


def test_actors_are_larger_by_the_scale() -> None:
    shares = []
    for scale in (1.0, 1.8):
        scene = TINY.model_copy(update={"min_actors": 2, "max_actors": 2, "actor_scale": scale})
        clips = [render_clip(seed, scene) for seed in range(20)]
        shares.append(np.mean([(clip.instances > 0).mean() for clip in clips]))
    # About the square of 1.8, less where actors overlap or would not fit into the frame.
    assert 2.0 < shares[1] / shares[0] < 3.3
