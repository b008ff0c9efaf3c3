"""Videos, image folders and webcams in, MP4 out; exact by frame, without torch."""

from actseg_core.video.container import probe, read_video
from actseg_core.video.frames import FOLDER_FPS, FrameReader, VideoFrame, VideoInfo
from actseg_core.video.reader import ReaderPool, VideoReader, open_reader
from actseg_core.video.source import FrameSource, open_source
from actseg_core.video.writer import VideoWriter

__all__ = [
    "FOLDER_FPS",
    "FrameReader",
    "FrameSource",
    "ReaderPool",
    "VideoFrame",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "open_reader",
    "open_source",
    "probe",
    "read_video",
]
