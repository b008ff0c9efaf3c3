"""The camera of the measurements."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from actseg_core.bench.setup import PERIOD_NS, pictures, play
from actseg_core.errors import VideoError


def test_the_camera_goes_to_and_fro_without_a_jump() -> None:
    images = [np.full((2, 2, 3), value, np.uint8) for value in range(4)]
    frames = list(play(images, 9, first=2))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [2, 3, 2, 1, 0, 1, 2, 3, 2]
    stamps = [frame.stamp_ns for frame in frames]
    assert {later - sooner for sooner, later in itertools.pairwise(stamps)} == {PERIOD_NS}


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError):
        pictures(tmp_path / "none.mp4")
