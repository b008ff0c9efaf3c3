"""Random access to video frames: exact by frame, cached, bounded, safe with worker processes."""

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from av.video.frame import VideoFrame as DecodedFrame
from numpy.typing import NDArray
from typing_extensions import Self

from actseg_core.video import facts
from actseg_core.video.container import (
    OpenVideo,
    SeekMissedError,
    decode_all,
    decoding,
    packet_times,
    probe,
)
from actseg_core.video.frames import FrameReader, ImageFolder, VideoInfo, out_of_range

CACHE_BYTES = 64_000_000
MAX_OPEN = 8


class VideoReader:
    """Frames of one video file by index, counted in display order from 0.

    The packets' time stamps are read once, without decoding; a read then seeks to the key frame
    before and decodes from there. Files whose stamps are missing, doubled or wrong are decoded
    from the start and counted: the same answer, only slower. Decoded frames stay in a cache of
    bounded size. In another process (fork or pickle) a reader opens its own file.

    Args:
        path: Of the video.
        cache_bytes: Most bytes of decoded frames to keep.

    Raises:
        VideoError: If the file is missing, no video, damaged or cut short.
    """

    def __init__(self, path: str | Path, cache_bytes: int = CACHE_BYTES) -> None:
        self.path = Path(path)
        self._cache_bytes = cache_bytes
        self._info = probe(self.path)
        self._index_of: dict[int, int] = {}  # time stamp to frame index; empty: count frames
        self._keys: list[tuple[int, int]] = [(0, 0)]  # key frames: index, time stamp
        self._forget()
        self._read_stamps()
        if not self._index_of:
            self._count_frames()

    @property
    def info(self) -> VideoInfo:
        """Size, rate and exact length."""
        return self._info

    def read(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        """(T, H, W, 3) uint8 RGB frames of the given indices, repeats and any order allowed.

        Raises:
            VideoError: If an index is out of range, or the file is damaged there.
        """
        if self._pid != os.getpid():  # the parent's file position must not be shared
            self._forget()
        images = {index: self._image(index) for index in sorted(set(indices))}
        return np.stack([images[index] for index in indices])

    def close(self) -> None:
        """Close the file and empty the cache; reading again opens it again."""
        self._stop()
        self._cache.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        dropped: dict[str, Any] = {"_video": None, "_frames": None, "_cache": OrderedDict()}
        return {**self.__dict__, **dropped}

    def _forget(self) -> None:
        self._cache: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._video: OpenVideo | None = None
        self._frames: Iterator[tuple[int, DecodedFrame]] | None = None
        self._next = 0
        self._pid = os.getpid()

    def _stop(self) -> None:
        self._frames = None
        if self._video is not None:
            self._video.close()
            self._video = None

    def _open(self) -> OpenVideo:
        return OpenVideo(self.path, (self._info.height, self._info.width))

    def _read_stamps(self) -> None:
        with self._open() as video:
            with decoding(self.path, "while its frames were counted"):
                packets = list(packet_times(video))
            tick = video.stream.time_base
            if tick is None or not facts.are_in_order(packets):
                return
            shown = [(item.shown, item) for item in packets if item.shown is not None]
            shown.sort(key=lambda item: item[0])
            steps = [after[0] - before[0] for before, after in pairwise(shown)]
            slack_s = 1.5 * max(1.0 / self._info.fps, float(max(steps, default=0) * tick))
            end_s = float(max(stamp + item.duration for stamp, item in shown) * tick)
            facts.check_complete(self.path, video.stream, len(packets), end_s, slack_s)
        self._index_of = {stamp: index for index, (stamp, _) in enumerate(shown)}
        self._keys = [(index, stamp) for index, (stamp, item) in enumerate(shown) if item.is_key]
        self._info = replace(self._info, frames=len(shown))

    def _count_frames(self) -> None:
        """Leave the time stamps aside for good."""
        self._stop()
        self._index_of, self._keys = {}, [(0, 0)]
        with self._open() as video, closing(decode_all(video)) as frames:
            self._info = replace(self._info, frames=sum(1 for _ in frames))

    def _image(self, index: int) -> NDArray[np.uint8]:
        if not 0 <= index < self._info.frames:
            raise out_of_range(self.path, self._info.frames, index)
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        try:
            image = self._decode(index)
        except SeekMissedError:
            self._count_frames()
            return self._image(index)
        self._cache[index] = image
        while len(self._cache) * image.nbytes > max(self._cache_bytes, image.nbytes):
            self._cache.popitem(last=False)
        return image

    def _decode(self, index: int) -> NDArray[np.uint8]:
        key = self._keys[max(0, bisect_right(self._keys, index, key=lambda item: item[0]) - 1)]
        if self._frames is None or self._video is None or not key[0] <= self._next <= index:
            self._start(key[1])
        try:
            return self._advance(index)
        except Exception:
            self._stop()  # a generator that raised is spent
            raise

    def _advance(self, index: int) -> NDArray[np.uint8]:
        assert self._frames is not None and self._video is not None
        before = None
        for number, frame in self._frames:
            self._next = number + 1
            if number > index or before not in (None, number - 1):
                break  # a frame that the packets promised did not come
            if number == index:
                return self._video.picture(frame, index)
            before = number
        raise SeekMissedError

    def _start(self, stamp: int) -> None:
        if self._video is None or not self._index_of:
            self._stop()
            self._video = self._open()
        if not self._index_of:
            counted = decode_all(self._video)
            self._frames = ((index, frame) for index, frame, _ in counted)
            return
        self._frames = self._from_here(self._video, stamp)

    def _from_here(self, video: OpenVideo, stamp: int) -> Iterator[tuple[int, DecodedFrame]]:
        with decoding(self.path, f"near frame {self._next}"):
            for frame in video.decode_from(stamp):
                index = None if frame.pts is None else self._index_of.get(frame.pts)
                if index is None:
                    raise SeekMissedError
                yield index, frame


def open_reader(path: str | Path) -> FrameReader:
    """Random access to a video file or image folder.

    Raises:
        VideoError: If there is nothing readable.
    """
    path = Path(path)
    return ImageFolder(path) if path.is_dir() else VideoReader(path)


class ReaderPool:
    """The most recently used readers, so that a dataset of thousands of videos holds few open.

    Args:
        max_open: Most readers to keep.
        cache_bytes: Most bytes of decoded frames over all of them.
    """

    def __init__(self, max_open: int = MAX_OPEN, cache_bytes: int = CACHE_BYTES) -> None:
        self._max_open = max_open
        self._share = cache_bytes // max_open
        self._readers: OrderedDict[Path, FrameReader] = OrderedDict()

    def __len__(self) -> int:
        return len(self._readers)

    def get(self, path: Path) -> FrameReader:
        """The reader of a video file or image folder, opened if need be.

        Raises:
            VideoError: If there is nothing readable.
        """
        if path not in self._readers:
            is_folder = path.is_dir()
            self._readers[path] = (
                ImageFolder(path) if is_folder else VideoReader(path, self._share)
            )
        self._readers.move_to_end(path)
        while len(self._readers) > self._max_open:
            self._readers.popitem(last=False)[1].close()
        return self._readers[path]

    def close(self) -> None:
        """Close all."""
        while self._readers:
            self._readers.popitem()[1].close()
