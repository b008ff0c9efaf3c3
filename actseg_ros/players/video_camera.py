"""Plays a video, an image folder or a webcam as a camera, stamped with the time of sending."""

import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.duration import Duration
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from actseg_core.errors import ConfigError
from actseg_core.video import open_source
from actseg_ros import qos
from actseg_ros.convert import encode
from actseg_ros.players.side_node import SideNode
from actseg_ros.process import run
from actseg_ros.settings import CameraConfig

LAST_FRAMES_TIMEOUT_S = 1.0


class Pacer:
    """Due times at a steady rate; after a delay it goes on from now and does not catch up.

    Args:
        rate_hz: Frames per second [Hz].
        now_s: Steady clock [s] of the first frame.
    """

    def __init__(self, rate_hz: float, now_s: float) -> None:
        self._interval_s = 1.0 / rate_hz
        self._due_s = now_s

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next frame is due, and count it as sent."""
        if now_s - self._due_s > self._interval_s:
            self._due_s = now_s
        wait_s = max(0.0, self._due_s - now_s)
        self._due_s += self._interval_s
        return wait_s


class VideoCamera(SideNode[CameraConfig]):
    """Publishes `~/image_raw`.

    Args:
        options: Passed to rclpy's Node.

    Raises:
        ConfigError: If a parameter is wrong or no source is given.
        VideoError: If the source cannot be read.
    """

    topics = ("~/image_raw",)

    def __init__(self, **options: Any) -> None:
        super().__init__("camera", CameraConfig, **options)
        if not self.settings.source:
            raise ConfigError(
                "parameter source is empty; give a video file, an image folder or a webcam (0)"
            )
        self._source = open_source(self.settings.source)
        self._rate_hz = self.settings.rate_hz or self._source.fps
        profile = qos.images(self.settings.reliability, self.settings.depth)
        self._publisher = self.create_publisher(Image, "~/image_raw", profile)
        self.sent = 0

    def close(self) -> None:
        """Stop playing; what was sent reliably gets a moment to arrive."""
        super().close()
        self._source.close()
        self._publisher.wait_for_all_acked(Duration(seconds=LAST_FRAMES_TIMEOUT_S))
        self.get_logger().info(f"{self.sent} frames sent")

    def work(self) -> None:
        """Play the source, over and over with `loop`."""
        self.wait_for_subscribers(self._publisher, self.settings.wait_for_subscribers)
        topic = self._publisher.topic_name
        self.get_logger().info(f"{self._source.name} at {self._rate_hz:.4g} Hz on {topic}")
        self.wait_for_clock()
        pacer = Pacer(self._rate_hz, time.monotonic())
        for image in self._images():
            if not self._source.is_live and self.stopping.wait(pacer.wait_s(time.monotonic())):
                return
            if self.stopping.is_set():
                return
            self._send(image)

    def _images(self) -> Iterator[NDArray[np.uint8]]:
        while True:
            for frame in self._source:
                yield frame.image
            if not self.settings.loop:
                return

    def _send(self, image: NDArray[np.uint8]) -> None:
        """The stamp is the moment of sending, as it would be a camera's moment of capture."""
        picture = prepare(image, self.settings.max_side_px, self.settings.encoding == "mono8")
        stamp = self.get_clock().now().to_msg()
        header = Header(stamp=stamp, frame_id=self.settings.frame_id)
        self._publisher.publish(encode(picture, header, rgb=self.settings.encoding == "rgb8"))
        self.sent += 1


def prepare(image: NDArray[np.uint8], max_side_px: int, grey: bool) -> NDArray[np.uint8]:
    """Scale down to a longest side, and to grey.

    Args:
        image: (H, W, 3) uint8 RGB.
        max_side_px: Longest side allowed [px]; 0: any.
        grey: Whether (H, W) comes back.
    """
    scale = max_side_px / max(image.shape[:2]) if max_side_px else 1.0
    if scale < 1.0:
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    if grey:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    return image.astype(np.uint8, copy=False)


def main(args: list[str] | None = None) -> int:
    """Entry point of `video_camera`; 0 at the end of the video, 2 if it cannot be read."""
    return run(VideoCamera, args)


if __name__ == "__main__":
    raise SystemExit(main())
