"""Plays a video, a folder, a webcam or a stream as a camera, stamped with the time of sending."""

import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from actseg_core.errors import ConfigError
from actseg_core.video import open_source
from actseg_core.video.playing import Pacer, played
from actseg_core.video.stream import READ_TIMEOUT_S
from actseg_ros import qos
from actseg_ros.convert import encode
from actseg_ros.players.side_node import SideNode
from actseg_ros.process import run
from actseg_ros.settings import CameraConfig

LONG_WAIT_S = 5.0


class VideoCamera(SideNode[CameraConfig]):
    """Publishes `~/image_raw`.

    Args:
        options: Passed to rclpy's Node.

    Raises:
        ConfigError: If a parameter is wrong or no source is given.
        VideoError: If the source cannot be read.
    """

    topics = ("~/image_raw",)
    stop_timeout_s = READ_TIMEOUT_S + 1.0

    def __init__(self, **options: Any) -> None:
        super().__init__("camera", CameraConfig, **options)
        if not self.settings.source:
            raise ConfigError(
                "parameter source is empty; give a video file, an image folder, a webcam (0) or "
                "a stream (rtsp://...)"
            )
        self._source = open_source(self.settings.source)
        profile = qos.images(self.settings.reliability, self.settings.depth)
        self._publisher = self.create_publisher(Image, "~/image_raw", profile)
        self.sent = 0

    def close(self) -> None:
        """Stop playing; what was sent reliably gets a moment to arrive."""
        self.close_after([self._publisher])
        if not self._thread.is_alive():  # else it waits for the device, which goes with us
            self._source.close()
        self.get_logger().info(f"{self.sent} frames sent")

    def work(self) -> None:
        """Play the source, over and over with `loop`."""
        self.wait_for_subscribers(self._publisher, self.settings.wait_for_subscribers)
        self.get_logger().info(
            f"{self._source.name} at {self._pace()} on {self._publisher.topic_name}"
        )
        self.wait_for_clock()
        pacer = Pacer(time.monotonic())
        for image, interval_s in played(self._source, self.settings.rate_hz, self.settings.loop):
            if not self._source.is_live and not self._wait(pacer, interval_s):
                return
            if self.stopping.is_set():
                return
            self._send(image)

    def _pace(self) -> str:
        if self.settings.rate_hz and not self._source.is_live:
            return f"{self.settings.rate_hz:.4g} Hz"
        return f"its own times, about {self._source.fps:.4g} Hz"

    def _wait(self, pacer: Pacer, interval_s: float) -> bool:
        """Wait until a frame is due; False: the node is to end."""
        wait_s = pacer.wait_s(time.monotonic(), interval_s)
        if wait_s > LONG_WAIT_S:
            self.get_logger().info(
                f"the next frame is due in {wait_s:.1f} s; set rate_hz to play it at a steady rate"
            )
        return not self.stopping.wait(wait_s)

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
