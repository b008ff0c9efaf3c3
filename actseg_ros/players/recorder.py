"""Writes an image topic, such as the overlay, to an MP4 and to PNG pictures."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from actseg_core.config import StreamConfig
from actseg_core.errors import ActSegError, ConfigError, VideoError
from actseg_core.live.frame_checks import NANOSECONDS, StampGate, StampRefused, stamp_to_ns
from actseg_core.live.frame_queue import Arrival, FrameQueue
from actseg_core.video import VideoWriter
from actseg_core.visualize import save_png
from actseg_ros import graph, qos
from actseg_ros.convert import decode
from actseg_ros.players.side_node import SideNode
from actseg_ros.process import run
from actseg_ros.settings import RecorderConfig

QUEUE_FRAMES = 30
DEPTH = 10
NOMINAL_FPS = 30.0
STEP_S = 0.1
MISSED_AFTER_S = 5.0
MAX_PIXELS = StreamConfig().max_pixels


class Recording:
    """One MP4 and its pictures.

    Args:
        config: Names, folder, how often a picture.

    Raises:
        VideoError: If the folder cannot be made.
    """

    def __init__(self, config: RecorderConfig) -> None:
        self._config = config
        self._folder = Path(config.folder).expanduser()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VideoError(f"cannot make the folder {self._folder}: {error}") from error
        self._writer: VideoWriter | None = None
        self._gate = StampGate(0.0, 0.0, check_clock=False)
        self._first_ns = self._newest_ns = self._picture_due_ns = 0
        self._interval_ns = round(NANOSECONDS / NOMINAL_FPS)
        self._shift_ns = 0
        self.frames = self.pictures = self.left_out = 0

    @property
    def video_path(self) -> Path:
        """Where the MP4 appears when it is complete."""
        return self._folder / f"{self._config.name}.mp4"

    def add(self, image: NDArray[np.uint8], stamp_ns: int) -> None:
        """Append a frame; one whose stamp does not rise is left out.

        Where stamps begin anew, as those of a recording that starts over, the video goes on; the
        frames that it takes to tell that from a frame in the wrong order are left out.

        Args:
            image: (H, W, 3) uint8 RGB.
            stamp_ns: Of its header [ns].

        Raises:
            VideoError: If the disk is full or unwritable.
            ShapeError: If the image has another size than the first.
        """
        resets = self._gate.resets
        try:
            self._gate.check(stamp_ns, 0)
        except StampRefused:
            self.left_out += 1
            return
        if self._gate.resets != resets:
            self._shift_ns = self._newest_ns + self._interval_ns - stamp_ns
        time_ns = stamp_ns + self._shift_ns
        if self.frames:
            self._interval_ns = time_ns - self._newest_ns
        else:
            self._first_ns = self._picture_due_ns = time_ns
        if self._config.video:
            self._writer = self._writer or VideoWriter(self.video_path, NOMINAL_FPS, keep=True)
            self._writer.write(image, (time_ns - self._first_ns) / NANOSECONDS)
        self.frames += 1
        self._newest_ns = time_ns
        self._picture(image, time_ns)

    def close(self) -> None:
        """Finish the MP4; of one that could not be written further, what there is stays.

        Raises:
            VideoError: If the rest cannot be written.
        """
        if self._writer is not None:
            self._writer.close()

    def summary(self) -> str:
        """What was written, in one line."""
        written = []
        if self._writer is not None and self._writer.placed:
            written.append(f"{self.frames} frames in {self.video_path}")
        if self.pictures:
            written.append(f"{self.pictures} pictures in {self._folder}")
        return ", ".join(written) or "nothing was written"

    def _picture(self, image: NDArray[np.uint8], time_ns: int) -> None:
        every_ns = round(self._config.picture_every_s * NANOSECONDS)
        wanted = every_ns > 0 and self.pictures < self._config.max_pictures
        if wanted and time_ns >= self._picture_due_ns:
            self.pictures += 1
            name = f"{self._config.name}_{self.pictures:05d}.png"
            save_png(self._folder / name, image)
            self._picture_due_ns = time_ns + every_ns


class Recorder(SideNode[RecorderConfig]):
    """Subscribes to `~/image`; the thread encodes, so that callbacks stay quick.

    A full disk ends the recording with a warning, not the process; what was written until then
    stays. Of a recorder that is killed, all but the last seconds are in a hidden .part file.

    Args:
        options: Passed to rclpy's Node.

    Raises:
        ConfigError: If a parameter is wrong.
        VideoError: If the folder cannot be made.
    """

    stop_timeout_s = 10.0
    topics = ("~/image",)

    def __init__(self, **options: Any) -> None:
        super().__init__("recorder", RecorderConfig, **options)
        if not (self.settings.video or self.settings.picture_every_s):
            raise ConfigError(
                "with video: false and picture_every_s: 0 nothing is recorded; set one of them"
            )
        self._recording = Recording(self.settings)
        self._frames = FrameQueue(QUEUE_FRAMES)
        self._broken = False
        profile = qos.images(self.settings.reliability, DEPTH)
        self._topic = self.create_subscription(
            Image, "~/image", self._on_image, profile
        ).topic_name

    def close(self) -> None:
        """Write what waits, and finish the file."""
        self.stopping.set()
        self._frames.wake()
        super().close()
        if not self._frames.received:
            self.get_logger().warning(f"no image came on {self._topic}, nothing was written")
            return
        left_out = self._frames.dropped + self._recording.left_out
        self.get_logger().info(f"{self._recording.summary()}, {left_out} frames left out")

    def _on_image(self, message: Image) -> None:
        self._frames.put(Arrival(message, time.monotonic(), 0))

    def work(self) -> None:
        """Record until the node is stopped, then what still waits."""
        told_s = time.monotonic()
        while not self.stopping.is_set() or len(self._frames):
            arrival = self._frames.get(STEP_S)
            if not self._frames.received and time.monotonic() - told_s > MISSED_AFTER_S:
                told_s = time.monotonic()
                self.get_logger().warning(f"nothing to record: {self._whereabouts()}")
            if arrival is not None and not self._broken:
                self._record(arrival.message)
        self._finish()

    def _finish(self) -> None:
        try:
            self._recording.close()
        except ActSegError as error:
            self.get_logger().warning(str(error))

    def _whereabouts(self) -> str:
        others = graph.others(self, self._topic, (graph.IMAGE,), "~/image")
        return f"{graph.publishers(self, self._topic)}; {others}"

    def _record(self, message: Image) -> None:
        try:
            stamp_ns = stamp_to_ns(message.header.stamp.sec, message.header.stamp.nanosec)
            self._recording.add(decode(message, MAX_PIXELS), stamp_ns)
        except VideoError as error:
            self._broken = True
            self.get_logger().warning(f"recording stopped: {error}")
            self._finish()
        except ActSegError as error:
            self.get_logger().warning(f"frame left out: {error}", throttle_duration_sec=5.0)


def main(args: list[str] | None = None) -> int:
    """Entry point of `recorder`; 0 after a signal, 2 if it could not start."""
    return run(Recorder, args)


if __name__ == "__main__":
    raise SystemExit(main())
