"""Files, folders and webcams behind one interface."""

import cv2
import numpy as np
import pytest

from actseg_core.errors import VideoError
from actseg_core.video import open_source
from actseg_core.video import source as source_module


def test_a_file_plays_again_with_each_iteration(tmp_path, numbered) -> None:
    source = open_source(str(numbered.write(tmp_path / "clip.mp4", 5)))
    for _ in range(2):
        assert [numbered.number(frame.image) for frame in source] == [0, 1, 2, 3, 4]
    assert source.fps == 25
    assert not source.is_live
    assert source.name.endswith("clip.mp4")
    source.close()


def test_a_folder_plays_at_25_frames_per_second(tmp_path, numbered) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), numbered.image(index))
    frames = list(open_source(tmp_path))
    assert [numbered.number(frame.image) for frame in frames] == [0, 1, 2]
    assert [frame.time_s for frame in frames] == [0.0, 0.04, 0.08]


def test_a_folder_named_like_a_number_is_a_folder(tmp_path, numbered, monkeypatch) -> None:
    (tmp_path / "0").mkdir()
    cv2.imwrite(str(tmp_path / "0" / "1.png"), numbered.image(9))
    monkeypatch.chdir(tmp_path)
    assert numbered.number(next(iter(open_source("0"))).image) == 9


@pytest.mark.parametrize("name", [97, "97", "/dev/video97"])
def test_a_missing_webcam_is_named(name) -> None:
    with pytest.raises(VideoError, match=r"cannot open webcam 97.*ls -l /dev/video97"):
        open_source(name)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(VideoError, match=r"there is no video file .*nowhere\.mp4"):
        open_source(tmp_path / "nowhere.mp4")


class StandInCamera:
    """OpenCV's capture interface with three frames, one dropped, then unplugged."""

    def __init__(self, index: int) -> None:
        blue = np.zeros((2, 4, 3), np.uint8)
        blue[:, :, 0] = 255
        self.answers = [(True, blue), (False, None), (True, blue), (True, blue)]
        self.released = False

    def isOpened(self) -> bool:
        return True

    def get(self, _: int) -> float:
        return 0.0

    def read(self):
        return self.answers.pop(0) if self.answers else (False, None)

    def release(self) -> None:
        self.released = True


def test_a_webcam_gives_rgb_bridges_a_dropped_frame_and_tells_when_it_is_gone(
    monkeypatch,
) -> None:
    monkeypatch.setattr(source_module.cv2, "VideoCapture", StandInCamera)
    source = open_source("/dev/video0")
    frames = []
    with pytest.raises(VideoError, match="webcam 0 stopped sending after 3 frames"):
        for frame in source:
            frames.append(frame)
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].image[0, 0].tolist() == [0, 0, 255]
    assert frames[0].time_s <= frames[1].time_s <= frames[2].time_s
    assert source.fps == 30.0
    assert source.is_live
    source.close()
    assert source._capture.released
