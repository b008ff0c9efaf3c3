"""Streams from the network, such as those of IP cameras, through PyAV (FFmpeg)."""

import math
import time
from collections.abc import Iterator

import av
from av.container import InputContainer
from av.video.frame import VideoFrame as DecodedFrame
from av.video.stream import VideoStream

from actseg_core.errors import VideoError
from actseg_core.video import facts
from actseg_core.video.container import TITLES, reason
from actseg_core.video.frames import VideoFrame
from actseg_core.video.names import scheme_of, without_password
from actseg_core.video.picture import pixel_aspect, size_changed, to_rgb

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 5.0
DAMAGED_S = 10.0
# No local file: what a server sends must not make FFmpeg open one.
_PROTOCOLS = "rtp,srtp,udp,tcp,tls,http,https,httpproxy,crypto,rtsp,rtsps,rtmp,rtmps,srt"
_OPTIONS = {"protocol_whitelist": _PROTOCOLS}
_RTSP_OPTIONS = {"rtsp_flags": "prefer_tcp"}  # over UDP large frames lose parts


class StreamSource:
    """A camera or a file at an address; a file is played at its own pace and over again.

    Of a live stream, damaged frames are left out, as a network loses parts now and then.

    Args:
        address: rtsp://, http:// and others, see `names.STREAM_SCHEMES`.

    Raises:
        VideoError: If nobody answers, or what comes is no video.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.name = without_password(address)
        self._container: InputContainer | None = self._open()
        try:
            stream = self._stream(self._container)
        except VideoError:
            self.close()
            raise
        is_file = scheme_of(address) in ("http", "https") and self._container.duration is not None
        self.is_live = not is_file
        self.fps = facts.header_rate_hz(stream)

    def __iter__(self) -> Iterator[VideoFrame]:
        container = self._container = self._container or self._open()
        stream = self._stream(container)
        aspect = pixel_aspect(stream.sample_aspect_ratio)
        longest_s = facts.JUMP_S if self.is_live else math.inf
        clock = facts.FrameClock(lambda: 1.0 / self.fps, longest_s)
        index, size, good_s = 0, None, time.monotonic()
        for frame in self._decode(container, stream):
            try:
                image = to_rgb(self.name, frame, index, aspect)
            except VideoError:
                if not self.is_live or time.monotonic() - good_s > DAMAGED_S:
                    raise
                continue
            size = size or image.shape
            if image.shape != size and not self.is_live:
                raise size_changed(self.name, index, size, image.shape)
            good_s = time.monotonic()
            yield VideoFrame(image, clock.time_s(frame.time), index)
            index += 1
        self.close()
        if self.is_live:
            raise VideoError(
                f"{self.name} ended after {index} frames; is the camera on and in reach?"
            )

    def close(self) -> None:
        """End the connection."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def _open(self) -> InputContainer:
        options = dict(_OPTIONS)
        if scheme_of(self.address) in ("rtsp", "rtsps"):
            options |= _RTSP_OPTIONS
        start_s = time.monotonic()
        try:
            opened: InputContainer = av.open(
                self.address,
                "r",
                container_options=options,
                timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
                **TITLES,
            )
            return opened
        except (av.FFmpegError, OSError) as error:
            if time.monotonic() - start_s >= OPEN_TIMEOUT_S:
                why = f"nothing came for {OPEN_TIMEOUT_S:.0f} s; is the camera on and in reach?"
            else:
                why = f"{reason(error)}; check the address, user and password"
            raise VideoError(f"cannot play {self.name}: {why}") from error

    def _stream(self, container: InputContainer) -> VideoStream:
        stream = facts.video_stream(self.name, container)
        stream.codec_context.thread_count = 1  # several threads would hold frames back
        return stream

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[DecodedFrame]:
        try:
            for packet in facts.demux(container, stream):
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    if not self.is_live:
                        raise
                    continue
                yield from frames
        except (av.FFmpegError, OSError) as error:
            silent = isinstance(error, av.error.ExitError)
            why = f"nothing came for {READ_TIMEOUT_S:.0f} s" if silent else reason(error)
            raise VideoError(
                f"{self.name} broke off ({why}); is the camera on and in reach?"
            ) from error
