"""Random access to video frames: exact by frame, cached, bounded, safe with worker processes."""

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame as DecodedFrame
from numpy.typing import NDArray

from actseg_core.video.container import (
    check_complete,
    decode_all,
    decoding,
    open_container,
    probe,
    to_rgb,
)
from actseg_core.video.frames import FrameReader, ImageFolder, VideoInfo, out_of_range

CACHE_BYTES = 64_000_000
MAX_OPEN = 8


class _SeekMissedError(Exception):
    """Time stamps do not lead to the frames of this file: count frames instead."""


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
        dropped: dict[str, Any] = {"_container": None, "_frames": None, "_cache": OrderedDict()}
        return {**self.__dict__, **dropped}

    def _forget(self) -> None:
        self._cache: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._container: InputContainer | None = None
        self._frames: Iterator[tuple[int, DecodedFrame]] | None = None
        self._next = 0
        self._pid = os.getpid()

    def _stop(self) -> None:
        self._frames = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def _read_stamps(self) -> None:
        with open_container(self.path) as container:
            stream = container.streams.video[0]
            with decoding(self.path, "while its frames were counted"):
                packets = [
                    (packet.pts, packet.is_keyframe, packet.duration or 0)
                    for packet in container.demux(stream)
                    if packet.size and not packet.is_discard
                ]
            stamps = sorted(pts for pts, _, _ in packets if pts is not None)
            if not stamps or len(set(stamps)) != len(packets) or stream.time_base is None:
                return
            end = max(pts + duration for pts, _, duration in packets if pts is not None)
            check_complete(self.path, stream, len(packets), float(end * stream.time_base))
        self._index_of = {stamp: index for index, stamp in enumerate(stamps)}
        keys = sorted(pts for pts, is_key, _ in packets if is_key and pts is not None)
        self._keys = [(self._index_of[stamp], stamp) for stamp in keys] or [(0, stamps[0])]
        self._info = replace(self._info, frames=len(stamps))

    def _count_frames(self) -> None:
        """Leave the time stamps aside for good."""
        self._stop()
        self._index_of, self._keys = {}, [(0, 0)]
        with (
            open_container(self.path) as container,
            closing(decode_all(self.path, container)) as frames,
        ):
            self._info = replace(self._info, frames=sum(1 for _ in frames))

    def _image(self, index: int) -> NDArray[np.uint8]:
        if not 0 <= index < self._info.frames:
            raise out_of_range(self.path, self._info.frames, index)
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        try:
            image = self._decode(index)
        except _SeekMissedError:
            self._count_frames()
            return self._image(index)
        self._cache[index] = image
        while len(self._cache) * image.nbytes > max(self._cache_bytes, image.nbytes):
            self._cache.popitem(last=False)
        return image

    def _decode(self, index: int) -> NDArray[np.uint8]:
        key = self._keys[max(0, bisect_right(self._keys, index, key=lambda item: item[0]) - 1)]
        if self._frames is None or index < self._next or key[0] > self._next:
            self._frames = self._start(key[1])
        try:
            return to_rgb(self.path, self._advance(self._frames, index), index)
        except Exception:
            self._stop()  # a generator that raised is spent
            raise

    def _advance(self, frames: Iterator[tuple[int, DecodedFrame]], index: int) -> DecodedFrame:
        for number, frame in frames:
            self._next = number + 1
            if number == index:
                return frame
            if number > index:
                break
        raise _SeekMissedError

    def _start(self, stamp: int) -> Iterator[tuple[int, DecodedFrame]]:
        if not self._index_of:
            self._stop()
            self._container = open_container(self.path)
            return ((index, frame) for index, frame, _ in decode_all(self.path, self._container))
        if self._container is None:
            self._container = open_container(self.path)
        with decoding(self.path, "while seeking"):
            self._container.seek(stamp, stream=self._container.streams.video[0])
        return self._from_here(self._container)

    def _from_here(self, container: InputContainer) -> Iterator[tuple[int, DecodedFrame]]:
        with decoding(self.path, f"near frame {self._next}"):
            for frame in container.decode(container.streams.video[0]):
                index = None if frame.pts is None else self._index_of.get(frame.pts)
                if index is None:
                    raise _SeekMissedError
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
