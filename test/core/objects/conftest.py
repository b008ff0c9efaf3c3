from collections.abc import Callable

import numpy as np
import pytest

from actseg_core.objects.evidence import Scene, SceneNaming, make_scene, weigh
from actseg_core.objects.naming import FEATURES, HIDDEN, NamingModel
from actseg_core.objects.scene import Objects
from actseg_core.objects.tracks import Tracker
from actseg_core.text.nouns import Nouns
from actseg_core.text.parts import read_parts
from actseg_core.text.sentence import tokenize
from actseg_core.text.word_vectors import WordVectors, load_word_vectors

SIDE = 104
CONTENT = (slice(0, 416), slice(0, 416))


def make_objects(*items: dict) -> Objects:
    """Objects from x, y (centre), size, class, objectness, colour; the rest is filled in."""
    count = len(items)
    masks = np.zeros((count, SIDE, SIDE), np.float32)
    boxes = np.zeros((count, 4), np.float32)
    classes = np.full((count, 80), 0.01, np.float32)
    names = np.full((count, 1000), 1e-4, np.float32)
    colours = np.zeros((count, 5, 11), np.float32)
    skin = np.zeros((count, 2), np.float32)
    embeddings = np.zeros((count, 8), np.float32)
    for row, item in enumerate(items):
        x, y, size = item["x"], item["y"], item.get("size", 80)
        boxes[row] = x, y, size, size
        low, high = (y - size / 2) / 4, (y + size / 2) / 4
        left, right = (x - size / 2) / 4, (x + size / 2) / 4
        masks[row, int(low) : int(high), int(left) : int(right)] = 0.9
        classes[row, item.get("coco", 0)] = item.get("sure", 0.9)
        for name, probability in item.get("names", {}).items():
            names[row, name] = probability
        colours[row, :, item.get("colour", 0)] = 1.0
        skin[row] = item.get("skin", (0.0, 0.0))
        embeddings[row, item.get("looks", 0)] = 1.0
    objectness = np.array([item.get("objectness", 0.9) for item in items], np.float32)
    return Objects(boxes, masks, objectness, classes, names, embeddings, colours, skin)


@pytest.fixture
def objects():
    return make_objects


@pytest.fixture(scope="session")
def words() -> WordVectors:
    return load_word_vectors("glove")


@pytest.fixture(scope="session")
def nouns() -> Nouns:
    return Nouns.load()


@pytest.fixture
def ask(
    nouns: Nouns, words: WordVectors, by_class: NamingModel
) -> Callable[..., dict[str, np.ndarray]]:
    """Log-odds by part of a sentence about objects that were seen for long."""

    def answer(sentence: str, scene: Scene) -> dict[str, np.ndarray]:
        parts = read_parts(tokenize(sentence), nouns, words)
        return {item.part: item.log_odds for item in weigh(parts, SceneNaming(scene, by_class))}

    return answer


@pytest.fixture
def by_class() -> NamingModel:
    """Ten times the second feature: the logarithm of the noun's best COCO class / 3 + 1."""
    hidden = np.zeros((HIDDEN, FEATURES), np.float32)
    hidden[0, 1], hidden[1, 1] = 1, -1
    out = np.zeros((1, HIDDEN), np.float32)
    out[0, 0], out[0, 1] = 10, -10
    return NamingModel(
        {
            "hidden.weight": hidden,
            "hidden.bias": np.zeros(HIDDEN, np.float32),
            "out.weight": out,
            "out.bias": np.full(1, -3, np.float32),
        }
    )


def make_long_seen(found: Objects, moves: tuple[float, ...] | None = None) -> Scene:
    """Objects as a scene in which each has been for long; `moves`: heights per second."""
    tracker = Tracker()
    tracks = tracker.update(found, None)
    for index, track in enumerate(tracks):
        track.frames = 1000
        if moves is not None:
            track.moved = True
            track.motion = np.array([moves[index], 0, 0.1, 3.0 * abs(moves[index]), 1], np.float32)
    return make_scene(tracks, CONTENT)


@pytest.fixture
def scene_of() -> Callable[..., Scene]:
    return make_long_seen
