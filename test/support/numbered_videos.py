"""Videos whose frames carry their own number as eight black or white bars."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

Image = NDArray[np.uint8]
BAR_PX = 8


class NumberedVideos:
    """Writes test videos and reads the number back off a frame."""

    height, width = 32, 8 * BAR_PX

    def image(self, number: int, noise: int = 0) -> Image:
        bits = [255 * (number >> bit & 1) for bit in range(8)]
        row = np.repeat(np.array(bits, np.int16), BAR_PX)
        image = np.broadcast_to(row[None, :, None], (self.height, self.width, 3))
        grain = np.random.default_rng(number).integers(-noise, noise + 1, image.shape)
        return (image + grain).clip(0, 255).astype(np.uint8)

    def number(self, image: Image) -> int:
        bars = image[:, :, 1].reshape(image.shape[0], 8, -1).mean(axis=(0, 2))
        return sum(int(level > 127) << bit for bit, level in enumerate(bars))

    def write(
        self,
        path: Path,
        frames: int,
        *,
        codec: str = "libx264",
        key_every: int = 7,
        b_frames: int = 0,
        noise: int = 0,
        ticks: Callable[[int], int] = lambda index: index,
        pix_fmt: str = "yuv420p",
        aspect: Fraction | None = None,
        codec_options: dict[str, str] | None = None,
        **options: str,
    ) -> Path:
        """A video of 25 ticks per second with frame i at tick ticks(i)."""
        with av.open(f"file:{path}", "w", container_options=options) as output:
            stream = output.add_stream(codec, rate=25, options=codec_options)
            stream.width, stream.height, stream.pix_fmt = self.width, self.height, pix_fmt
            stream.gop_size, stream.codec_context.max_b_frames = key_every, b_frames
            if aspect is not None:
                stream.codec_context.sample_aspect_ratio = aspect
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(self.image(index, noise), format="rgb24")
                frame.pts, frame.time_base = ticks(index), Fraction(1, 25)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return path


@pytest.fixture
def numbered() -> NumberedVideos:
    return NumberedVideos()
