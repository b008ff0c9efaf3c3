"""Small scenes, actors with known facts, and a miniature cut-out folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from actseg_core.generator import ActorRecord, GeneratedClip, SceneConfig, render_clip
from actseg_core.generator.looks import Look
from actseg_core.labels import ACTIONS, ACTORS, Pair


@pytest.fixture(scope="session")
def clips() -> list[GeneratedClip]:
    """Forty small clips with all kinds of scenes."""
    config = SceneConfig(frames=8, height=64, width=80)
    return [render_clip(seed, config) for seed in range(40)]


@pytest.fixture
def record() -> Callable[..., ActorRecord]:
    """Makes an actor of whom everything is known."""

    def make(actor: str, action: str, instance_id: int = 1, **facts: Any) -> ActorRecord:
        look = facts.pop("look", Look(actor, facts.pop("kind", actor), facts.pop("colour", "red")))
        values: dict[str, Any] = {
            "colours": tuple(word for word in (look.colour, look.second, look.hat) if word),
            "size": 50.0,
            "size_words": (),
            "side_words": (),
            "size_share": 0.5,
            "x_range": (0.4, 0.6),
            "heading": "",
            "posture": "stand",
            "airborne": False,
            "visible_frames": (0, 1),
        }
        pair = Pair(ACTORS.index(actor) + 1, ACTIONS.index(action) + 1)
        return ActorRecord(instance_id, pair, look, **(values | facts))

    return make


def rectangle(x: int, y: int, w: int, h: int) -> list[list[float]]:
    return [[float(v) for v in (x, y, x + w, y, x + w, y + h, x, y + h)]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photographs: a person in red and blue beside a green ball, and an empty one."""
    return write_photos(tmp_path / "photos")


@pytest.fixture(scope="session")
def photos_to_change(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for a test that changes its index over and over."""
    return write_photos(tmp_path_factory.mktemp("photos") / "photos")


def write_photos(folder: Path) -> Path:
    (folder / "images").mkdir(parents=True)
    person = np.full((200, 300, 3), 128, np.uint8)
    person[20:110, 40:100] = (200, 30, 35)
    person[110:180, 40:100] = (35, 70, 190)
    person[60:100, 200:240] = (40, 140, 60)
    empty = np.full((150, 250, 3), 90, np.uint8)
    for name, image in (("person.png", person), ("empty.png", empty)):
        cv2.imwrite(str(folder / "images" / name), image[..., ::-1])
    content = {
        "images": [
            {"id": 1, "file_name": "person.png", "width": 300, "height": 200, "license": 4},
            {"id": 2, "file_name": "empty.png", "width": 250, "height": 150, "license": 1},
        ],
        "annotations": [
            {
                **{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 9600.0},
                **{"bbox": [40, 20, 60, 160], "segmentation": rectangle(40, 20, 60, 160)},
            },
            {
                **{"id": 2, "image_id": 1, "category_id": 37, "iscrowd": 0, "area": 1600.0},
                **{"bbox": [200, 60, 40, 40], "segmentation": rectangle(200, 60, 40, 40)},
            },
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 37, "name": "sports ball"}],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return folder
