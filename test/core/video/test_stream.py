"""Streams from the network as a camera: a file at an address, Motion JPEG, RTSP; refusals."""

import cv2
import pytest
import video_servers as servers

from actseg_core.errors import VideoError
from actseg_core.video import open_source
from actseg_core.video import stream as stream_module


def test_a_file_at_an_address_is_played_at_its_own_pace_and_again(tmp_path, numbered) -> None:
    numbered.write(tmp_path / "clip.mp4", 12, b_frames=2, movflags="+faststart")
    with servers.files(tmp_path) as address:
        source = open_source(f"{address}/clip.mp4")
        assert not source.is_live
        assert source.fps == 25.0
        for _ in range(2):
            frames = list(source)
            assert [numbered.number(frame.image) for frame in frames] == list(range(12))
            assert frames[-1].time_s == pytest.approx(11 / 25)
        source.close()


def test_motion_jpeg_is_live_and_its_end_is_told(numbered) -> None:
    pictures = [cv2.imencode(".jpg", numbered.image(n))[1].tobytes() for n in range(9)]
    numbers = []
    with servers.jpeg_camera(pictures) as address:
        source = open_source(address)
        assert source.is_live
        with pytest.raises(VideoError, match=r"/video (ended|broke off) .*is the camera on"):
            for frame in source:
                numbers.append(numbered.number(frame.image))
        source.close()
    assert numbers == list(range(9))


def test_an_rtsp_camera_is_played(tmp_path, numbered) -> None:
    clip = numbered.write(tmp_path / "clip.mp4", 30)
    numbers, times = [], []
    with servers.rtsp_camera(clip) as address:
        source = open_source(address.replace("rtsp://", "rtsp://me:secret@"))
        assert source.is_live
        assert source.name.startswith("rtsp://me:***@127.0.0.1:")
        with pytest.raises(VideoError) as raised:
            for frame in source:
                numbers.append(numbered.number(frame.image))
                times.append(frame.time_s)
        source.close()
    assert numbers == list(range(30))
    assert times == pytest.approx([index / 25 for index in range(30)], abs=1e-3)
    assert "ended after 30 frames" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_missing_file_or_host_is_told(tmp_path, numbered) -> None:
    missing = pytest.raises(VideoError, match=r"cannot play http://.*: .*404 Not Found")
    with servers.files(tmp_path) as address, missing:
        open_source(f"{address}/clip.mp4")
    with pytest.raises(VideoError, match="cannot play .*: Connection refused; check the address"):
        open_source(f"{address}/clip.mp4")


def test_a_host_that_says_nothing_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(stream_module, "OPEN_TIMEOUT_S", 0.3)
    with servers.silent_host() as port:
        for scheme in ("http", "rtsp"):
            with pytest.raises(VideoError, match="nothing came for .* s; is the camera on"):
                open_source(f"{scheme}://127.0.0.1:{port}/live")


def test_a_page_in_place_of_a_video_is_told(tmp_path) -> None:
    (tmp_path / "index.html").write_text("<html><body>Sign in</body></html>")
    with servers.files(tmp_path) as address, pytest.raises(VideoError, match="cannot play http"):
        open_source(f"{address}/index.html")


def test_what_comes_from_the_network_opens_no_file_here(tmp_path, numbered) -> None:
    clip = numbered.write(tmp_path / "clip.mp4", 5)
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{clip}\n#EXT-X-ENDLIST\n")
    with servers.files(tmp_path) as address, pytest.raises(VideoError, match="cannot play http"):
        open_source(f"{address}/list.m3u8")
