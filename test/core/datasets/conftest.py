"""Miniature data sets, made here with every quirk of the real ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from numbered_videos import NumberedVideos, numbered
from numpy.typing import NDArray
from scipy.io import savemat

from actseg_core.datasets.a2d_pairs import paint
from actseg_core.datasets.matlab import MatlabReader

__all__ = ["numbered"]  # a fixture of test/support
Image = NDArray[np.uint8]


def rectangle(frame: int, instance: int) -> NDArray[np.bool_]:
    """(32, 64) bool: another place for every frame and instance, never symmetric."""
    mask = np.zeros((NumberedVideos.height, NumberedVideos.width), np.bool_)
    top, left = 1 + 8 * min(instance, 3), 2 + frame
    mask[top : top + 6, left : left + 11] = True
    return mask


@dataclass
class MiniA2D:
    """Four videos in A2D Sentences' layout.

    train_two has two actors; test-one a single one in its first and its last frame, so that
    reMask and reBBox lack their instance axis; test_three has three actors, the last of them in
    one frame only; missed has label maps, but neither sentences nor instances.
    """

    root: Path
    lengths: dict[str, int] = field(
        default_factory=lambda: {"train_two": 24, "test-one": 12, "test_three": 20, "missed": 10}
    )
    annotated: dict[str, dict[int, tuple[int, ...]]] = field(
        default_factory=lambda: {
            "train_two": {4: (0, 1), 14: (1, 0)},
            "test-one": {0: (0,), 11: (0,)},
            "test_three": {3: (0, 2), 9: (0, 2, 5)},
            "missed": {5: (0,)},
        }
    )
    labels: dict[int, int] = field(default_factory=lambda: {0: 17, 1: 67, 2: 44, 5: 79})

    def h5(self, video: str, frame: int) -> Path:
        folder = self.root / "text_annotations" / "a2d_annotation_with_instances" / video
        return folder / f"{frame + 1:05d}.h5"

    def col(self, video: str, frame: int) -> Path:
        return self.root / "Release" / "Annotations" / "col" / video / f"{frame + 1:05d}.png"

    def clip(self, video: str) -> Path:
        return self.root / "Release" / "clips320H" / f"{video}.mp4"

    @property
    def annotation(self) -> Path:
        return self.root / "text_annotations" / "a2d_annotation.txt"

    @property
    def videoset(self) -> Path:
        return self.root / "Release" / "videoset.csv"

    def label_map(self, video: str, frame: int) -> NDArray[np.uint8]:
        labels = np.zeros((NumberedVideos.height, NumberedVideos.width), np.uint8)
        for instance in self.annotated[video][frame]:
            labels[rectangle(frame, instance)] = self.labels[instance]
        return labels

    def write_texts(self) -> None:
        rows = [
            f"{name},17,00:00:00,00:00:01,32,64,{self.lengths[name]},{len(frames)},"
            f"{int(name.startswith('test'))}"
            for name, frames in self.annotated.items()
        ]
        self.videoset.write_text("\n".join(rows) + "\n")
        self.annotation.write_text(
            "video_id,instance_id,query\n"
            "test_three,5,dog on the left\n"
            "train_two,0,person in red is running\n"
            "train_two,1,the cat, that runs\n"
            "train_two,1 (copy),bird standing in the beach\n"
            "test-one,0,a man running\n"
            "test_three,0,adult running\n"
            "test_three,7,nobody is annotated for this\n"
        )
        missed = self.root / "text_annotations" / "a2d_missed_videos.txt"
        missed.write_text("another\nmissed")  # the last line has no newline

    def write_frame(self, video: str, frame: int, instances: tuple[int, ...]) -> None:
        """Arrays as MATLAB leaves them: axes reversed, single axes dropped."""
        masks = np.stack([rectangle(frame, instance).T for instance in instances])
        boxes = np.stack([self.box(frame, instance) for instance in instances], axis=1)
        with h5py.File(self.h5(video, frame), "w") as file:
            file["instance"] = np.array(instances, np.float64)
            file["reMask"] = masks.astype(np.uint8).squeeze()
            file["reBBox"] = boxes.squeeze()
            file["reS_id"] = self.label_map(video, frame).T

    def box(self, frame: int, instance: int) -> NDArray[np.float64]:
        rows, columns = np.nonzero(rectangle(frame, instance))
        return np.array([columns.min(), rows.min(), columns.max(), rows.max()], np.float64)

    def write(self, numbered: NumberedVideos) -> None:
        for name, frames in self.annotated.items():
            for folder in (self.clip(name), self.h5(name, 0), self.col(name, 0)):
                folder.parent.mkdir(parents=True, exist_ok=True)
            numbered.write(self.clip(name), self.lengths[name], b_frames=2)
            for frame, instances in frames.items():
                colours = paint(self.label_map(name, frame))
                cv2.imwrite(str(self.col(name, frame)), colours[..., ::-1])
                if name != "missed":
                    self.write_frame(name, frame, instances)
        self.h5("missed", 0).parent.rmdir()
        self.write_texts()


@pytest.fixture
def a2d(tmp_path, numbered) -> MiniA2D:
    tree = MiniA2D(tmp_path / "a2d")
    tree.write(numbered)
    return tree


@dataclass
class MiniJHMDB:
    """Three videos in J-HMDB Sentences' layout.

    long has 10 images, but masks of 7 only; even has 5 of both; single has one mask, so that
    part_mask lacks its time axis.
    """

    root: Path
    images: dict[str, int] = field(default_factory=lambda: {"long": 10, "even": 5, "single": 3})
    masks: dict[str, int] = field(default_factory=lambda: {"long": 7, "even": 5, "single": 1})
    classes: dict[str, str] = field(
        default_factory=lambda: {"long": "run", "even": "walk", "single": "run"}
    )

    def frames(self, video: str) -> Path:
        return self.root / "Rename_Images" / self.classes[video] / video

    def mat(self, video: str) -> Path:
        folder = self.root / "puppet_mask" / self.classes[video] / video
        return folder / "puppet_mask.mat"

    @property
    def annotation(self) -> Path:
        return self.root / "jhmdb_annotation.txt"

    def write_masks(self, video: str) -> None:
        masks = np.stack([rectangle(t, 1) for t in range(self.masks[video])], axis=2)
        self.mat(video).parent.mkdir(parents=True, exist_ok=True)
        savemat(self.mat(video), {"part_mask": masks.astype(np.uint8).squeeze()})

    def write(self, numbered: NumberedVideos) -> None:
        for name, count in self.images.items():
            self.frames(name).mkdir(parents=True)
            for index in range(count):
                path = self.frames(name) / f"{index + 1:05d}.png"
                cv2.imwrite(str(path), numbered.image(index))
            self.write_masks(name)
        self.annotation.write_text(
            "video_id,query\nlong,man in black running\neven,a woman, walking\nsingle,boy runs"
        )


@pytest.fixture(scope="session")
def matlab() -> Iterator[MatlabReader]:
    reader = MatlabReader()
    yield reader
    reader.close()


@pytest.fixture
def jhmdb(tmp_path, numbered) -> MiniJHMDB:
    tree = MiniJHMDB(tmp_path / "jhmdb")
    tree.write(numbered)
    return tree


@pytest.fixture
def rectangles() -> Callable[[int, int], NDArray[np.bool_]]:
    return rectangle


@pytest.fixture(scope="session")
def published() -> Path:
    """The real annotation text, which lies beside the checkout on some machines."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "annotations"
    if not folder.is_dir():
        pytest.skip(f"the published annotation files are not in {folder}")
    return folder
