"""Textured frames that moved by a known flow."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

SIZE = 128
MARGIN = 40

Moved = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]


@pytest.fixture(scope="session")
def texture() -> NDArray[np.uint8]:
    """(208, 208, 3) uint8 with detail at several scales."""
    rng = np.random.default_rng(0)
    noise = rng.random((SIZE + 2 * MARGIN, SIZE + 2 * MARGIN)).astype(np.float32)
    layers = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1, 2, 4, 8))
    scaled = cv2.normalize(layers, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return np.dstack([scaled, scaled, scaled])


@pytest.fixture(scope="session")
def move(texture: NDArray[np.uint8]) -> Callable[..., Moved]:
    """Two (128, 128, 3) frames and the (128, 128, 2) flow between them.

    Turns by `angle_deg` clockwise on the screen about the centre, scales, then shifts.
    """

    def moved(
        shift: tuple[float, float] = (0, 0), angle_deg: float = 0, scale: float = 1
    ) -> Moved:
        angle = np.deg2rad(angle_deg)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        centre = np.full(2, (texture.shape[0] - 1) / 2)
        matrix = np.column_stack([turn, centre - turn @ centre + shift])
        later = cv2.warpAffine(
            texture,
            matrix,
            texture.shape[1::-1],
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )
        y, x = np.mgrid[: texture.shape[0], : texture.shape[1]].astype(np.float64)
        points = np.stack([x, y], axis=2)
        flow = (points @ turn.T + matrix[:, 2] - points).astype(np.float32)
        inner = slice(MARGIN, MARGIN + SIZE)
        return texture[inner, inner], later[inner, inner], flow[inner, inner]

    return moved
