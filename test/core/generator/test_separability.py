"""Motion carries the action: a still picture does not tell it, sixteen frames do.

Two classifiers of the same kind see the same actors: one sees a single frame (gradients of the
actor with its surroundings, its mask, where and how large it is), the other adds what changes
over the clip (how its centre, outline and true flow move against the background). Run with `-s`
to see the accuracies.
"""

import os
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import cross_val_predict

from actseg_core.generator import ActorRecord, GeneratedClip, SceneConfig, render_clip

CLIPS = int(os.environ.get("ACTSEG_SEPARABILITY_CLIPS", "700"))
SIDE = 96
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    still: Vector
    moving: Vector
    actor: str
    action: str
    posture: str


def crop(image: NDArray[np.uint8], box: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The square of 1.6 times the actor's size around it, 64x64."""
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    reach = 1.6 * max(4.0, float(max(box[2] - box[0], box[3] - box[1])))
    scale = 64 / reach
    matrix = np.array([[scale, 0, 32 - scale * centre[0]], [0, scale, 32 - scale * centre[1]]])
    return np.asarray(cv2.warpAffine(image, matrix, (64, 64)))


def oriented_gradients(image: NDArray[np.uint8]) -> Vector:
    """Strength of 8 gradient directions in 8x8 cells of a 64x64 picture."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    x, y = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    strength, angle = np.hypot(x, y), np.mod(np.arctan2(y, x), np.pi)
    bins = np.minimum(7, (angle * 8 / np.pi).astype(int))
    cells = [
        np.where(bins == k, strength, 0).reshape(8, 8, 8, 8).sum(axis=(1, 3)) for k in range(8)
    ]
    stack = np.stack(cells, axis=2).astype(np.float64)
    return (stack / (np.linalg.norm(stack, axis=2, keepdims=True) + 50.0)).ravel()


def still_features(clip: GeneratedClip, actor: ActorRecord, t: int) -> Vector:
    box = clip.boxes(actor.instance_id)[t]
    mask = (clip.instances[t] == actor.instance_id).astype(np.uint8) * 255
    shape = cv2.resize(crop(mask, box), (16, 16), interpolation=cv2.INTER_AREA).ravel() / 255
    place = np.array([*(box / SIDE), (box[2] - box[0]) / (box[3] - box[1] + 1), mask.mean() / 255])
    return np.concatenate([oriented_gradients(crop(clip.frames[t], box)), shape, place])


def motion_features(clip: GeneratedClip, actor: ActorRecord) -> Vector:
    """Statistics over time of centre, outline and flow against the background."""
    rows = []
    for t in actor.visible_frames[:-1]:
        mask = clip.instances[t] == actor.instance_id
        ground = np.median(clip.flow[t][clip.instances[t] == 0], axis=0)
        flow = (clip.flow[t][mask] - ground) / actor.size
        y, x = np.nonzero(mask)
        offset = np.stack([x - x.mean(), y - y.mean()]) / actor.size
        curl = offset[0] * flow[:, 1] - offset[1] * flow[:, 0]
        rows.append(
            [
                *flow.mean(axis=0),
                *flow.std(axis=0),
                curl.sum() / max(1e-6, (offset**2).sum()),
                np.ptp(x) / actor.size,
                np.ptp(y) / actor.size,
                mask.mean(),
            ]
        )
    track = np.array(rows)
    steps = np.diff(track, axis=0) if len(track) > 1 else np.zeros_like(track)
    path = np.cumsum(track[:, :2], axis=0)
    fit = np.polynomial.polynomial.polyfit(np.arange(len(path)), path, 2)
    return np.concatenate(
        [
            *(track.mean(axis=0), track.std(axis=0), np.abs(track).mean(axis=0)),
            *(steps.std(axis=0), np.ptp(path, axis=0), fit.ravel()),
        ]
    )


def examples() -> list[Example]:
    config = SceneConfig(height=SIDE, width=SIDE, max_actors=2, occlusion=0.2)
    found = []
    for seed in range(CLIPS):
        clip = render_clip(seed, config)
        for actor in clip.actors:
            if len(actor.visible_frames) < 12:
                continue
            t = actor.visible_frames[len(actor.visible_frames) // 2]
            still = still_features(clip, actor, t)
            moving = np.concatenate([still, motion_features(clip, actor)])
            names = actor.pair.actor_name, actor.pair.action_name
            found.append(Example(still, moving, *names, actor.posture))
    return found


def accuracy(chosen: list[Example], kind: str) -> float:
    """Mean recall over the actions, cross-validated."""
    data = np.stack([getattr(item, kind) for item in chosen])
    actions = np.array([item.action for item in chosen])
    model = ExtraTreesClassifier(150, class_weight="balanced", random_state=0, n_jobs=1)
    said = cross_val_predict(model, data, actions, cv=4)
    recalls = [float((said[actions == name] == name).mean()) for name in np.unique(actions)]
    return float(np.mean(recalls))


@pytest.mark.slow
def test_one_frame_does_not_tell_gait_from_standing_but_sixteen_do() -> None:
    everyone = examples()
    gaits = [
        item
        for item in everyone
        if item.actor in ("adult", "cat", "dog")
        and item.action in ("walking", "running", "none")
        and item.posture == "stand"
    ]
    still, moving = accuracy(gaits, "still"), accuracy(gaits, "moving")
    all_still, all_moving = accuracy(everyone, "still"), accuracy(everyone, "moving")
    print(
        f"\nwalking/running/none, {len(gaits)} actors, chance 33 %: one frame {still:.0%}, "
        f"16 frames {moving:.0%}; all 9 actions, {len(everyone)} actors, chance 11 %: one frame "
        f"{all_still:.0%}, 16 frames {all_moving:.0%}"
    )
    assert still < 0.5, "a single frame must not tell walking from running from standing"
    assert moving > 0.8
    assert all_moving > all_still + 0.2
