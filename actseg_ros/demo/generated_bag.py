"""Writes a rosbag2 recording to try the nodes with: a generated clip with depth and camera_info.

python -m actseg_ros.demo.generated_bag FOLDER [--storage sqlite3] [--compressed]

The depth is made up but consistent: a floor, a wall, and each actor upright at its own distance.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from actseg_core.errors import ActSegError
from actseg_core.generator import GeneratedClip, SceneConfig, render_clip
from actseg_core.geometry import Pinhole
from actseg_core.live.frame_checks import NANOSECONDS
from actseg_ros.players.bag import CAMERA_INFO, COMPRESSED, IMAGE, BagError

IMAGE_TOPIC = "/camera/image_raw"
DEPTH_TOPIC = "/camera/depth/image_raw"
INFO_TOPIC = "/camera/camera_info"
FRAME_ID = "camera_optical_frame"
START_NS = 1_700_000_000 * NANOSECONDS
FPS = 15.0
WALL_M = 8.0
CAMERA_HEIGHT_M = 1.2
NEAREST_ACTOR_M = 2.0
ACTOR_STEP_M = 1.5
HOLES = 0.02
FIELD_OF_VIEW_DEG = 60.0
EXIT_USER = 2


class Storage(str, Enum):
    """File formats of rosbag2."""

    MCAP = "mcap"
    SQLITE3 = "sqlite3"


@dataclass(frozen=True, eq=False)
class BagFrame:
    """What one moment of a recording holds.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        stamp_ns: Of all its messages [ns].
        depth_mm: (H, W) uint16 [mm], 0 = not measured; None: no depth.
    """

    image: NDArray[np.uint8]
    stamp_ns: int
    depth_mm: NDArray[np.uint16] | None = None


def write_bag(
    path: Path,
    frames: Iterable[BagFrame],
    storage: Storage = Storage.MCAP,
    compressed: bool = False,
) -> None:
    """Write frames on IMAGE_TOPIC, and their depth and camera_info where they have depth.

    The folder appears when it is complete.

    Args:
        path: Folder, which must not exist yet.
        frames: In the order of their stamps.
        storage: File format.
        compressed: Images as JPEG on IMAGE_TOPIC/compressed.

    Raises:
        BagError: If the folder exists or cannot be written.
    """
    if path.exists():
        raise BagError(f"{path} exists already; give a new folder")
    part = path.with_name(f"{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with Writer(part, version=9, storage_plugin=StoragePlugin[storage.name]) as writer:
            _write(writer, frames, compressed)
        for file in part.glob(f"{part.name}*"):  # rosbags names them after the folder
            file.rename(part / file.name.replace(part.name, path.name))
        metadata = part / "metadata.yaml"
        metadata.write_text(metadata.read_text().replace(part.name, path.name))
        part.rename(path)
    except OSError as error:
        raise BagError(f"cannot write the recording {path}: {error}; is the disk full?") from error
    finally:
        with suppress(OSError):
            shutil.rmtree(part)


def with_depth(clip: GeneratedClip, seed: int = 0) -> Iterator[BagFrame]:
    """A clip with depth: its n-th actor stands at NEAREST_ACTOR_M + (n - 1) * ACTOR_STEP_M."""
    random = np.random.default_rng(seed)
    height, width = clip.instances.shape[1:]
    room = room_depth(height, width)
    for number, (image, instances) in enumerate(zip(clip.frames, clip.instances, strict=True)):
        depth = room.copy()
        for actor in range(1, len(clip.actors) + 1):
            depth[instances == actor] = 1000 * (NEAREST_ACTOR_M + (actor - 1) * ACTOR_STEP_M)
        depth[random.random(depth.shape) < HOLES] = 0
        yield BagFrame(image, START_NS + round(number * NANOSECONDS / FPS), depth)


def room_depth(height: int, width: int) -> NDArray[np.uint16]:
    """(H, W) uint16 [mm] of a floor CAMERA_HEIGHT_M below the camera and a wall at WALL_M."""
    camera = pinhole(height, width)
    below = np.maximum(np.arange(height) - camera.cy, 1e-6)
    rows_m = np.minimum(WALL_M, CAMERA_HEIGHT_M * camera.fy / below)
    depth = np.repeat(np.round(rows_m * 1000)[:, None], width, axis=1)
    return depth.astype(np.uint16)


def pinhole(height: int, width: int) -> Pinhole:
    """The camera that camera_info describes."""
    focal_px = width / 2 / np.tan(np.radians(FIELD_OF_VIEW_DEG / 2))
    return Pinhole(focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)


def _write(writer: Any, frames: Iterable[BagFrame], compressed: bool) -> None:
    types = get_typestore(Stores.ROS2_KILTED)
    image_type, topic = (
        (COMPRESSED, f"{IMAGE_TOPIC}/compressed") if compressed else (IMAGE, IMAGE_TOPIC)
    )
    places = {
        name: writer.add_connection(name, kind, typestore=types)
        for name, kind in ((topic, image_type), (DEPTH_TOPIC, IMAGE), (INFO_TOPIC, CAMERA_INFO))
    }
    make = _Messages(types)

    def add(name: str, message: Any, stamp_ns: int) -> None:
        data = types.serialize_cdr(message, places[name].msgtype)
        writer.write(places[name], stamp_ns, data)

    for frame in frames:
        picture = make.jpeg(frame) if compressed else make.image(frame, frame.image, "rgb8")
        if frame.depth_mm is not None:
            add(INFO_TOPIC, make.camera_info(frame), frame.stamp_ns)
            add(DEPTH_TOPIC, make.image(frame, frame.depth_mm, "16UC1"), frame.stamp_ns)
        add(topic, picture, frame.stamp_ns)


class _Messages:
    """rosbags' own message classes, filled."""

    def __init__(self, types: Any) -> None:
        self._types = types.types

    def header(self, frame: BagFrame) -> Any:
        time = self._types["builtin_interfaces/msg/Time"]
        stamp = time(frame.stamp_ns // NANOSECONDS, frame.stamp_ns % NANOSECONDS)
        return self._types["std_msgs/msg/Header"](stamp, FRAME_ID)

    def image(self, frame: BagFrame, pixels: NDArray[Any], encoding: str) -> Any:
        height, width = pixels.shape[:2]
        data = np.ascontiguousarray(pixels).view(np.uint8).reshape(-1)
        step = len(data) // height
        return self._types[IMAGE](self.header(frame), height, width, encoding, 0, step, data)

    def jpeg(self, frame: BagFrame) -> Any:
        _, data = cv2.imencode(".jpg", frame.image[..., ::-1])
        return self._types[COMPRESSED](self.header(frame), "jpeg", data.reshape(-1))

    def camera_info(self, frame: BagFrame) -> Any:
        height, width = frame.image.shape[:2]
        camera = pinhole(height, width)
        roi = self._types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
        k = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1])
        p = np.insert(k.reshape(3, 3), 3, 0.0, axis=1).reshape(-1)
        return self._types[CAMERA_INFO](
            self.header(frame),
            height,
            width,
            "plumb_bob",
            np.zeros(5),
            k,
            np.eye(3).reshape(-1),
            p,
            0,
            0,
            roi,
        )


def main(
    folder: Annotated[Path, typer.Argument(help="Of the recording; must not exist yet.")],
    storage: Annotated[Storage, typer.Option(help="File format.")] = Storage.MCAP,
    compressed: Annotated[bool, typer.Option(help="Images as JPEG.")] = False,
    seconds: Annotated[float, typer.Option(min=0.1, max=120.0, help="Length.")] = 6.0,
    seed: Annotated[int, typer.Option(help="Of the clip; another one, another clip.")] = 11,
) -> None:
    """Write a generated clip with depth and camera_info as a rosbag2 recording."""
    config = SceneConfig(
        frames=max(1, round(seconds * FPS)),
        min_actors=2,
        max_actors=2,
        pairs=(17, 78),
        camera="still",
        occlusion=0.0,
    )
    clip = render_clip(seed, config)
    try:
        write_bag(folder, with_depth(clip), storage, compressed)
    except ActSegError as error:
        typer.echo(f"actseg: {error}", err=True)
        raise typer.Exit(EXIT_USER) from None
    typer.echo(f"{folder}: {len(clip)} frames")
    for number, actor in enumerate(clip.actors):
        place = NEAREST_ACTOR_M + number * ACTOR_STEP_M
        typer.echo(f"  at {place:g} m: {'; '.join(actor.sentences)}")


if __name__ == "__main__":
    typer.run(main)
