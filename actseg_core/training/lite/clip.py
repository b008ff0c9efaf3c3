"""What every data source of the lite recipe yields, and the camera that all of them share."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Question:
    """A sentence about a clip and its answer.

    Attributes:
        sentence: What is asked.
        mask: (S, S) bool, the referred actor in the newest frame; all false when absent.
        category: Of what is meant, where the source knows it; "" when absent.
    """

    sentence: str
    mask: NDArray[np.bool_]
    category: str = ""


@dataclass(frozen=True, eq=False)
class TrainingClip:
    """One clip with one or more questions: a clip is encoded once, however much is asked.

    Attributes:
        rgb: (T, S, S, 3) uint8.
        questions: At least one.
        source: Name of the data source, for statistics.
    """

    rgb: NDArray[np.uint8]
    questions: tuple[Question, ...]
    source: str


Affine = NDArray[np.float64]  # (2, 3), maps source pixels to output pixels


def camera_path(
    rng: np.random.Generator, shape: tuple[int, int], size: int, frames: int
) -> list[Affine]:
    """A smooth moving camera over a picture: one affine map per frame.

    Starts from the resize-and-pad geometry of deployment, zoomed by 0.9 to 1.7, and drifts,
    zooms and shakes; one camera in three stands still.

    Args:
        rng: Source of randomness.
        shape: Height and width of the picture [px].
        size: Side S of the output [px].
        frames: Number of frames T.
    """
    height, width = shape
    fit = size / max(height, width)
    zoom = fit * rng.uniform(0.9, 1.7)
    room_x = max(0.0, width * zoom - size) / 2
    room_y = max(0.0, height * zoom - size) / 2
    centre = np.array([rng.uniform(-1, 1) * room_x, rng.uniform(-1, 1) * room_y])
    still = rng.random() < 1 / 3
    velocity = np.zeros(2) if still else rng.normal(0, 0.008 * size, 2)
    growth = 1.0 if still else float(np.exp(rng.normal(0, 0.004)))
    shake = 0.0 if still else rng.exponential(0.002) * size
    path = []
    for step in range(frames):
        scale = zoom * growth**step
        jitter = rng.normal(0, shake, 2) if shake else np.zeros(2)
        shift = size / 2 + centre + velocity * (step - frames / 2) + jitter
        path.append(
            np.array(
                [
                    [scale, 0, shift[0] - scale * width / 2],
                    [0, scale, shift[1] - scale * height / 2],
                ]
            )
        )
    return path


def warp(picture: NDArray[np.uint8], matrix: Affine, size: int) -> NDArray[np.uint8]:
    """A picture or mask under an affine map, (S, S[, C]) uint8, black outside."""
    shrinking = abs(matrix[0, 0]) < 0.6
    flags = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return cv2.warpAffine(picture, matrix, (size, size), flags=flags).astype(np.uint8, copy=False)


def flip(clip: TrainingClip) -> TrainingClip:
    """Mirror a clip and the side words of its sentences."""
    swap = {"left": "right", "right": "left"}
    questions = tuple(
        Question(
            " ".join(swap.get(word, word) for word in item.sentence.split()),
            np.ascontiguousarray(item.mask[:, ::-1]),
        )
        for item in clip.questions
    )
    return TrainingClip(np.ascontiguousarray(clip.rgb[:, :, ::-1]), questions, clip.source)


def recolour(rng: np.random.Generator, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Exposure, contrast and a little noise, the same for all frames; hues stay truthful."""
    gain = rng.uniform(0.7, 1.3)
    offset = rng.uniform(-20, 20)
    table = np.clip(np.arange(256) * gain + offset, 0, 255).astype(np.uint8)
    recoloured: NDArray[np.uint8] = table[rgb]
    return recoloured
