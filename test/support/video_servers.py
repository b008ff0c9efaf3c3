"""Small servers in threads: HTTP as a web site and a camera serve video, RTSP as a camera does."""

import base64
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext

BOUNDARY = b"frame"
RTP_H264 = 96
TICKS_PER_S = 90_000


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class _Camera(BaseHTTPRequestHandler):
    """Motion JPEG in parts, as IP cameras and MJPG-streamer send it."""

    pictures: list[bytes]

    def do_GET(self) -> None:
        self.send_response(200)
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()}"
        self.send_header("Content-Type", kind)
        self.end_headers()
        for picture in self.pictures:
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n".encode()
            self.wfile.write(b"--" + BOUNDARY + b"\r\n" + head + picture + b"\r\n")

    def log_message(self, *_: Any) -> None:
        pass


class _Rtsp(socketserver.StreamRequestHandler):
    """Describes one H.264 track, and sends its frames as RTP within the connection."""

    frames: list[list[bytes]]
    parameters: str

    def handle(self) -> None:
        while request := self._request():
            method, headers = request
            replies = {
                "OPTIONS": ("Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""),
                "DESCRIBE": ("Content-Type: application/sdp\r\n", self._description()),
                "SETUP": (
                    f"Transport: {headers.get('transport', '')}\r\nSession: 1\r\n",
                    "",
                ),
                "PLAY": ("Session: 1\r\n", ""),
            }
            more, body = replies.get(method, ("", ""))
            self.wfile.write(
                f"RTSP/1.0 200 OK\r\nCSeq: {headers.get('cseq', '0')}\r\n{more}"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            if method == "PLAY":
                self._play()
                return

    def _request(self) -> tuple[str, dict[str, str]] | None:
        first = self.rfile.readline().decode()
        if not first:
            return None
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return first.split()[0], headers

    def _description(self) -> str:
        lines = (
            *("v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0"),
            *(f"m=video 0 RTP/AVP {RTP_H264}", f"a=rtpmap:{RTP_H264} H264/{TICKS_PER_S}"),
            f"a=fmtp:{RTP_H264} packetization-mode=1;sprop-parameter-sets={self.parameters}",
            "a=control:track1",
        )
        return "\r\n".join(lines) + "\r\n"

    def _play(self) -> None:
        number = 0
        for index, units in enumerate(self.frames):
            for unit in units:
                marker = 0x80 if unit is units[-1] else 0
                head = bytes([0x80, marker | RTP_H264]) + number.to_bytes(2, "big")
                packet = head + (index * 3600).to_bytes(4, "big") + bytes(4) + unit
                self.wfile.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
                number += 1


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def files(folder: Path) -> Iterator[str]:
    """A web site of a folder; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    with _running(server) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def jpeg_camera(pictures: list[bytes]) -> Iterator[str]:
    """A camera that sends these JPEG pictures and then hangs up."""
    handler = type("Camera", (_Camera,), {"pictures": pictures})
    with _running(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as port:
        yield f"http://127.0.0.1:{port}/video"


@contextmanager
def rtsp_camera(video: Path) -> Iterator[str]:
    """A camera that sends the frames of an H.264 video and then hangs up."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        to_units = BitStreamFilterContext("h264_mp4toannexb", stream)
        frames = [
            _units(bytes(part))
            for packet in container.demux(stream)
            if packet.size
            for part in to_units.filter(packet)
        ]
    sets = [unit for unit in frames[0] if unit[0] & 31 in (7, 8)]
    parameters = ",".join(base64.b64encode(unit).decode() for unit in sets)
    handler = type("Camera", (_Rtsp,), {"frames": frames, "parameters": parameters})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    with _running(server) as port:
        yield f"rtsp://127.0.0.1:{port}/live"


def _units(content: bytes) -> list[bytes]:
    """The NAL units of a frame with start codes."""
    return [part.rstrip(b"\0") for part in content.split(b"\0\0\1") if part.strip(b"\0")]


@contextmanager
def silent_host() -> Iterator[int]:
    """The port of a host that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
