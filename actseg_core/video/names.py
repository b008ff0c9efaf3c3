"""Names of videos as people have them: files, file:// and ~, addresses, devices, left-overs."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from actseg_core.errors import VideoError

STREAM_SCHEMES = frozenset(
    {"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "rtp", "tcp"}
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):/+(?=[^/])", re.IGNORECASE)
_PASSWORD = re.compile(r"^([^:/]+:/+[^/:@]*):.*@(?=[^/@]*(?:/|$))")
_VIDEO_DEVICE = re.compile(r"(?:/dev/video)?(\d{1,3})")
_AS_CAMERA = "play it as a camera: the launch file's video:= and make demo take it"
_PICTURE = "it is a picture; give a video, or a folder of pictures"
_ANSWER = "it is a text, such as a server's answer that no such file is there; download it again"
_RECORDING = "it is a recording of ROS; play it with bag:= of the launch file"
_PLAY_LIST = "it is a play list; give a video that it names"
_BEGINNINGS = {
    b"\x00\x05\x16\x07": "it is what macOS keeps beside a file; give {name}",  # AppleDouble
    b"version https://git-lfs": "it is a pointer of Git LFS; say git lfs pull",
    b"<!doctype html": "it is a web page; download the video itself",
    b"<html": "it is a web page; download the video itself",
    b"<?xml": _ANSWER,
    b"{": _ANSWER,
    b"PK\x03\x04": "it is a ZIP archive; unpack it",
    b"\x1f\x8b": "it is packed by gzip; unpack it",
    b"7z\xbc\xaf": "it is a 7-Zip archive; unpack it",
    b"Rar!": "it is a RAR archive; unpack it",
    b"\x89MCAP": _RECORDING,
    b"SQLite format 3": _RECORDING,
    b"#ROSBAG": _RECORDING,
    b"%PDF": "it is a PDF document; give a video",
    b"#extm3u": _PLAY_LIST,
    b"ffconcat": _PLAY_LIST,
    b"v=0": "it describes a stream; play that by its address (rtsp://...) as a camera",
    b"\xff\xd8\xff": _PICTURE,
    b"\x89PNG": _PICTURE,
    b"BM": _PICTURE,
    b"II*\x00": _PICTURE,
    b"MM\x00*": _PICTURE,
}


def scheme_of(name: str | Path) -> str:
    """The scheme of an address in lower case; "" for a file name.

    An address that went through `pathlib` has lost one of its slashes and is known all the same.
    """
    match = _SCHEME.match(str(name))
    return match[1].lower() if match else ""


def local_path(name: str | Path) -> Path:
    """The path of a file; file:// and ~ are resolved where no file has that very name."""
    path = Path(name)
    if not path.exists() and scheme_of(name) == "file":
        return Path(unquote(urlsplit(str(name)).path))
    try:
        return path if path.exists() else path.expanduser()
    except RuntimeError:  # ~nobody
        return path


def video_device(name: str | int | Path) -> int | None:
    """The number of a camera of this machine (0, "0", /dev/video0, a link to it), or None."""
    text = str(name).strip()
    path = Path(text)
    if path.is_file() or path.is_dir():
        return None
    match = _VIDEO_DEVICE.fullmatch(text) or _VIDEO_DEVICE.fullmatch(str(path.resolve()))
    return int(match[1]) if match else None


def without_password(address: str) -> str:
    """An address for messages and logs."""
    return _PASSWORD.sub(r"\1:***@", address)


def check_file(path: Path) -> None:
    """Refuse what is no file with content, and say what to do.

    Raises:
        VideoError: If it is missing, a camera, an address, a device or pipe, or empty.
    """
    scheme = scheme_of(path)
    if path.is_file():
        if path.stat().st_size == 0:
            raise VideoError(f"the video {path} is empty (0 bytes); copy it again")
    elif video_device(path) is not None:
        raise VideoError(f"{path} is a webcam, and a file is wanted here; {_AS_CAMERA}")
    elif path.exists():
        raise VideoError(f"{path} is a device or a pipe, and a video file is wanted here")
    elif scheme in STREAM_SCHEMES:
        address = without_password(_SCHEME.sub(r"\1://", str(path), count=1))
        raise VideoError(
            f"{address} is a stream, and a file is wanted here; download it, or {_AS_CAMERA}"
        )
    elif scheme:
        raise VideoError(f"{path} is not a file on this machine; download it first")
    elif path.is_symlink():
        raise VideoError(f"{path} is a link to {path.readlink()}, which is not there")
    else:
        raise VideoError(f"there is no video file {path}; check the path")


def what_it_is(path: Path) -> str:
    """Why a file of a video's name cannot be opened, where its first bytes tell; else ""."""
    with path.open("rb") as file:
        start = file.read(64)
    if (start[:4], start[8:12]) == (b"RIFF", b"WEBP"):
        return _PICTURE
    if start[4:8] == b"ftyp":
        return (
            "it is cut short, or its recorder was switched off before it wrote the index at the "
            "end; copy it again, or mend it with a tool that rebuilds the index"
        )
    text = start.lstrip().lower()
    for beginning, what in _BEGINNINGS.items():
        if start.startswith(beginning) or text.startswith(beginning):
            return what.format(name=path.name.removeprefix("._"))
    return ""
