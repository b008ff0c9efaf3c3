"""Files by the names that people give them, and what is no file."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from actseg_core.errors import VideoError
from actseg_core.video import VideoReader, VideoWriter, open_source, probe, read_video
from actseg_core.video.frames import list_images
from actseg_core.video.names import scheme_of, video_device, without_password

NAMES = [
    "12:30:05.mp4",
    "http:.mp4",
    'it\'s "mine".mp4',
    "a b  c.mp4",
    "[red] (1) {x}.mp4",
    "100%d #1 ?&*.mp4",
    "видео-動画-ビデオ-é.mp4",
    "-i.mp4",
    "$HOME `x` \\n;|.mp4",
    "new\nline.mp4",
    ".hidden.mp4",
    "without_suffix",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_written_and_read(tmp_path, monkeypatch, name) -> None:
    """By a relative name, too, of which FFmpeg would take the part before a colon apart."""
    monkeypatch.chdir(tmp_path)
    with VideoWriter(name, 25) as writer:
        for _ in range(3):
            writer.write(np.zeros((16, 16, 3), np.uint8))
    assert probe(name).frames == 3
    assert len(list(read_video(tmp_path / name))) == 3
    with VideoReader(name) as reader:
        assert reader.read([2]).shape == (1, 16, 16, 3)


def test_a_folder_with_a_colon_is_written_to(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out:put").mkdir()
    with VideoWriter("out:put/clip.mp4", 25) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8))
    assert probe("out:put/clip.mp4").frames == 1


def test_a_name_in_another_encoding_than_utf_8_is_read(tmp_path, numbered) -> None:
    plain = numbered.write(tmp_path / "clip.mp4", 9, b_frames=2)
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xe9b\xe9.mp4"))
    plain.rename(path)
    assert probe(path).frames == 9
    with VideoReader(path) as reader:
        assert numbered.number(reader.read([7])[0]) == 7
    assert not [entry for entry in os.listdir("/proc/self/fd") if _target(entry) == str(path)]


def _target(entry: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{entry}")
    except OSError:
        return ""


def test_a_file_address_and_the_home_folder_are_resolved(tmp_path, numbered, monkeypatch) -> None:
    numbered.write(tmp_path / "my clip.mp4", 3)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (f"file://{tmp_path}/my%20clip.mp4", "~/my clip.mp4"):
        assert probe(name).frames == 3
        assert len(list(open_source(name))) == 3


@pytest.mark.parametrize(
    "address", ["rtsp://user:secret@10.0.0.9:554/live", "http://example.org/clip.mp4"]
)
def test_an_address_where_a_file_is_wanted_is_refused_with_what_to_do(address) -> None:
    for name in (address, Path(address)):  # pathlib makes one slash of two
        with pytest.raises(VideoError, match="^[a-z]+://.* is a stream, and a file is wanted"):
            probe(name)
        with pytest.raises(VideoError) as raised:
            probe(name)
        assert "secret" not in str(raised.value)


def test_an_address_that_nobody_can_open_is_told_to_be_no_file() -> None:
    for address in ("s3://bucket/clip.mp4", "gs://bucket/clip.mp4", "ftp://host/clip.mp4"):
        with pytest.raises(VideoError, match="is not a file on this machine; download it first"):
            open_source(address)


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("rtsp://cam/1", "rtsp"),
        ("RTSP://cam/1", "rtsp"),
        (Path("https://host/a.mp4"), "https"),
        ("12:30.mp4", ""),
        ("a:/b.mp4", ""),
        ("clip.mp4", ""),
        ("/data/rtsp:/clip.mp4", ""),
    ],
)
def test_addresses_are_told_from_file_names(name, scheme) -> None:
    assert scheme_of(name) == scheme


def test_a_password_is_not_shown() -> None:
    assert without_password("rtsp://me:pa@10.0.0.9/1") == "rtsp://me:***@10.0.0.9/1"
    assert without_password("rtsp:/me:p@/s@10.0.0.9") == "rtsp:/me:***@10.0.0.9"
    for plain in ("http://10.0.0.9/me:pa", "rtsp://10.0.0.9:554/live", "rtsp://me@cam/1"):
        assert without_password(plain) == plain


def test_a_link_to_a_camera_is_that_camera(tmp_path) -> None:
    link = tmp_path / "usb-046d_HD_Webcam-video-index0"
    link.symlink_to("/dev/video97")
    assert video_device(link) == video_device("/dev/video97") == video_device(97) == 97
    assert video_device(tmp_path / "clip.mp4") is None
    with pytest.raises(VideoError, match="cannot open webcam 97"):
        open_source(link)


def test_a_webcam_where_a_file_is_wanted_is_refused_with_what_to_do() -> None:
    for name in ("97", "/dev/video97"):
        with pytest.raises(VideoError, match=r"is a webcam, and a file is wanted .*video:="):
            probe(name)


def test_a_link_to_nothing_is_told(tmp_path) -> None:
    (tmp_path / "clip.mp4").symlink_to("gone.mp4")
    with pytest.raises(VideoError, match=r"clip\.mp4 is a link to gone\.mp4, which is not there"):
        probe(tmp_path / "clip.mp4")


def test_a_device_or_pipe_is_no_video_file(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", Path("/dev/null")):
        with pytest.raises(VideoError, match="is a device or a pipe"):
            open_source(path)


def picture(suffix: str) -> bytes:
    return cv2.imencode(suffix, np.zeros((8, 8, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x05\x16\x07\x00\x02\x00\x00", "what macOS keeps beside a file; give clip"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS; say git lfs pull"),
        (b"<!DOCTYPE html>\n<html><body>Sign in", "it is a web page; download the video itself"),
        (b"PK\x03\x04\x14\x00\x00\x00", "it is a ZIP archive; unpack it"),
        (
            b'{"error": "not found"}',
            "a server's answer that no such file is there; download it ag",
        ),
        (b'<?xml version="1.0"?><Error>', "a server's answer that no such file is there"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "it is packed by gzip; unpack it"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "it is a 7-Zip archive; unpack it"),
        (b"Rar!\x1a\x07\x01\0", "it is a RAR archive; unpack it"),
        (b"\x89MCAP0\r\n", "it is a recording of ROS; play it with bag:= of the launch file"),
        (b"SQLite format 3\0", "it is a recording of ROS; play it with bag:="),
        (b"#ROSBAG V2.0\n", "it is a recording of ROS; play it with bag:="),
        (b"%PDF-1.7\n", "it is a PDF document; give a video"),
        (b"#EXTM3U\n#EXTINF:1,\nclip.ts\n", "it is a play list; give a video that it names"),
        (b"v=0\r\no=- 0 0 IN IP4 10.0.0.9\r\n", "it describes a stream; play that by its address"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41\0\0\0\x08mdat", "switched off before it"),
        (picture(".webp"), "it is a picture; give a video, or a folder"),
        (picture(".jpg"), "it is a picture; give a video, or a folder"),
        (picture(".png"), "it is a picture; give a video, or a folder"),
    ],
)
def test_what_is_no_video_is_called_what_it_is(tmp_path, content, reason) -> None:
    path = tmp_path / "._clip.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=reason):
        probe(path)


def test_a_folder_of_videos_is_told_from_a_folder_of_images(tmp_path) -> None:
    for name in ("b.mp4", "a.mp4", ".DS_Store"):
        (tmp_path / name).write_bytes(b"a video")
    with pytest.raises(VideoError, match=r"holds no image but a\.mp4 and others; wanted a video"):
        probe(tmp_path)


def test_hidden_companions_in_a_folder_of_images_are_passed_over(tmp_path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((8, 8, 3), np.uint8))
        (tmp_path / f"._{number}.png").write_bytes(b"\x00\x05\x16\x07")
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", ".thumbnail.jpg"):
        (tmp_path / name).write_bytes(b"none")
    (tmp_path / "@eaDir.jpg").mkdir()
    assert [path.name for path in list_images(tmp_path)] == ["0.png", "1.png", "2.png"]
    assert probe(tmp_path).frames == 3
