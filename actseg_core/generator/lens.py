"""What a cheap camera does to a picture: exposure, blur, noise, compression."""

import cv2
import numpy as np
from numpy.typing import NDArray


def degrade(frames: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Apply one random camera to all frames, in place.

    Args:
        frames: (T, H, W, 3) uint8.
        rng: Source of randomness.

    Returns:
        The same array.
    """
    tone = _tone_curve(rng)
    blur = float(rng.uniform(0.3, 1.0)) if rng.random() < 0.7 else 0.0
    grain = _grain(frames.shape[1], frames.shape[2], rng) if rng.random() < 0.7 else None
    quality = int(rng.integers(40, 90)) if rng.random() < 0.5 else 0
    for frame in frames:
        picture = np.asarray(cv2.LUT(frame, tone), np.uint8)
        if blur:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8)
        if grain is not None:
            noisy = cv2.add(picture, _cut(grain, frame.shape, rng), dtype=cv2.CV_8U)
            picture = np.asarray(noisy, np.uint8)
        if quality:
            data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        frame[:] = picture
    return frames


def _tone_curve(rng: np.random.Generator) -> NDArray[np.uint8]:
    """(256, 3) uint8: gamma, contrast and a colour cast."""
    x = np.linspace(0, 1, 256)[:, None]
    gamma = np.exp(rng.normal(0.0, 0.15))
    gain = rng.uniform(0.8, 1.08) * (1.0 + rng.normal(0.0, 0.03, size=3))
    lifted = rng.uniform(0.0, 0.05) + gain * x**gamma
    return np.asarray(np.clip(np.rint(255 * lifted), 0, 255), np.uint8)[None]


def _grain(height: int, width: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """A sheet of sensor noise somewhat larger than a frame."""
    sigma = np.float32(rng.uniform(1.0, 6.0))
    shape = (height + 32, width + 32, 3)
    noise = sigma * rng.standard_normal(shape, dtype=np.float32)
    return noise.astype(np.int16)


def _cut(
    grain: NDArray[np.int16], shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.int16]:
    top, left = rng.integers(0, 32, size=2).tolist()
    return grain[top : top + shape[0], left : left + shape[1]]
