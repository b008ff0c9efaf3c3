"""The frame that poses are wanted in: through tf2 where it is installed, or why not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.time import Time

from actseg_core.errors import ActSegError
from actseg_core.live.frame_checks import NANOSECONDS
from actseg_ros.camera_node import CameraNode

try:
    import tf2_ros
except ImportError:  # not on PyPI; a robot without tf has no other frame to name
    tf2_ros = None

NOT_INSTALLED = (
    "spatial.target_frame is {target!r}, but Python's tf2_ros is not installed: install "
    "ros-$ROS_DISTRO-tf2-ros-py, or leave the parameter empty for poses in the camera's frame"
)


class NoTransform(ActSegError):
    """There is no transform for an image; the text says which, since when, and what to do."""


@dataclass(frozen=True, eq=False)
class Rigid:
    """A transform: p in the target frame = rotation @ p + translation.

    Attributes:
        rotation: x, y, z, w of the unit quaternion.
        translation: (3,) [m].
    """

    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def matrix(self) -> NDArray[np.float64]:
        """(3, 3) rotation matrix."""
        x, y, z, w = self.rotation
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )

    def apply(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """A point of (3,) [m] in the target frame."""
        return np.asarray(self.matrix() @ point + np.array(self.translation))


class TargetFrame:
    """Looks transforms up at the stamps of images; it never takes one of another time.

    Made and ended by the executor, which feeds tf's buffer; asked by another thread, which is
    what the buffer is made for.

    Args:
        node: Gets the subscriptions to /tf and /tf_static.
        name: Of the frame; empty: the images' own.
    """

    def __init__(self, node: CameraNode, name: str) -> None:
        self.name = name.lstrip("/")
        self._buffer: Any = None
        self._listener: Any = None
        if self.name and tf2_ros is None:
            node.get_logger().warning(NOT_INSTALLED.format(target=self.name))
        elif self.name:
            self._buffer = tf2_ros.Buffer()
            self._listener = tf2_ros.TransformListener(self._buffer, node.node)

    def end(self) -> None:
        """Take the subscriptions away."""
        if self._listener is not None:
            self._listener.unregister()
            self._listener = None

    def forget(self) -> None:
        """The clock was set back: what is known lies in the future and would keep out the rest."""
        if self._buffer is not None:
            self._buffer.clear()

    def at(self, source: str, stamp_ns: int) -> Rigid:
        """The transform from a frame to this one at an image's stamp [ns].

        Raises:
            NoTransform: If tf does not know it, not yet or not any more.
        """
        if not self.name or source == self.name:
            return Rigid()
        if self._buffer is None:
            raise NoTransform(NOT_INSTALLED.format(target=self.name))
        try:
            found = self._buffer.lookup_transform(self.name, source, Time(nanoseconds=stamp_ns))
        except tf2_ros.TransformException as error:
            raise NoTransform(self._reason(source, stamp_ns, error)) from error
        at, turn = found.transform.translation, found.transform.rotation
        return Rigid((turn.x, turn.y, turn.z, turn.w), (at.x, at.y, at.z))

    def _reason(self, source: str, stamp_ns: int, error: Exception) -> str:
        what = f"tf from {source!r} to spatial.target_frame {self.name!r}"
        try:
            newest = self._buffer.get_latest_common_time(self.name, source)
        except tf2_ros.TransformException:
            return f"there is no {what}: {error}"
        apart_s = (newest.nanoseconds - stamp_ns) / NANOSECONDS
        if apart_s < 0:
            return (
                f"{what} ends {-apart_s:.2f} s before the image: it lags or has stopped; let it "
                "be published at least as fast as images come, or raise spatial.tf_timeout_s"
            )
        return (
            f"{what} is not known any more for an image that is {apart_s:.2f} s older than its "
            "newest: are the image's stamps right?"
        )
