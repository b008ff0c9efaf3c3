"""A small recording, and a player of it whose client misses nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actseg_ros.demo.generated_bag import BagFrame, Storage, write_bag

CLIENT = Path(__file__).parents[1] / "ros" / "players" / "bag_client.py"
S = 10**9
FRAMES = 12


def picture(number: int) -> Any:
    """Of one frame, (48, 64, 3) uint8 RGB."""
    image = np.random.default_rng(number).integers(0, 90, (48, 64, 3), np.uint8)
    image[16:32, 3 * number : 3 * number + 16] = (200, 40, 40)
    return image


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red square that moves over noise, 10 frames per second from 100 s on, with depth."""
    path = tmp_path_factory.mktemp("bag") / "square"

    def frame(number: int) -> BagFrame:
        depth = np.full((48, 64), 2000, np.uint16)
        return BagFrame(picture(number), 100 * S + number * S // 10, depth)

    write_bag(path, [frame(number) for number in range(FRAMES)], Storage.SQLITE3)
    return path


def camera(path: Path, **values: Any) -> list[str]:
    """Arguments of Python; its history spares a client that is held up from losing messages."""
    given = {"path": path, "image": "/camera/image_raw", "depth_qos": 1000, **values}
    pairs = [item for name, value in given.items() for item in ("-p", f"{name}:={value}")]
    return ["-m", "actseg_ros.players.bag_camera", "--ros-args", *pairs]


def stamps(client: Any, kind: str) -> list[int]:
    return [event["stamp_ns"] for event in client.events(kind)]
