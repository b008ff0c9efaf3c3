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
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\x00", b"MM\x00*")
_MACOS = b"\x00\x05\x16\x07"  # AppleDouble: what macOS puts beside files on foreign disks


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
        VideoError: If it is missing, an address, a device or pipe, or empty.
    """
    if not path.exists():
        scheme = scheme_of(path)
        if scheme in STREAM_SCHEMES:
            raise VideoError(
                f"{without_password(str(path))} is a stream, and a file is wanted here; download "
                "it, or play it as a camera: the launch file's video:= takes such addresses"
            )
        if scheme:
            raise VideoError(f"{path} is not a file on this machine; download it first")
        raise VideoError(f"there is no video file {path}; check the path")
    if not path.is_file():
        raise VideoError(f"{path} is a device or a pipe, and a video file is wanted here")
    if path.stat().st_size == 0:
        raise VideoError(f"the video {path} is empty (0 bytes); copy it again")


def what_it_is(path: Path) -> str:
    """Why a file with the name of a video is none, where its first bytes tell; else ""."""
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(_MACOS):
        return f"it is what macOS keeps beside a file; give {path.name.removeprefix('._')}"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; say git lfs pull"
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "it is a web page; download the video itself"
    if start.startswith(_PICTURES) or (start[:4], start[8:12]) == (b"RIFF", b"WEBP"):
        return "it is a picture; give a video, or a folder of pictures"
    return ""
