"""Box, centre, area and outline of a mask, in image pixels."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

OUTLINE_TOLERANCE_PX = 1.0


@dataclass(frozen=True, eq=False)
class Outline:
    """Where a mask lies.

    Attributes:
        area_px: Number of mask pixels.
        box: (x, y, width, height) [px] of the smallest upright box; all 0 for an empty mask.
        centre: (x, y) [px], mean of the mask's pixels; NaN for an empty mask.
        polygon: (N, 2) int [px], outer outline of the largest part, to within one pixel.
    """

    area_px: int
    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    polygon: NDArray[np.int32]


def outline(mask: NDArray[np.uint8]) -> Outline:
    """Measure a mask.

    Args:
        mask: (H, W) uint8, 0 or 255.
    """
    moments = cv2.moments(mask, binaryImage=True)
    area_px = round(moments["m00"])
    if area_px == 0:
        return Outline(0, (0, 0, 0, 0), (math.nan, math.nan), np.empty((0, 2), np.int32))
    x, y, width, height = cv2.boundingRect(mask)
    centre = (moments["m10"] / moments["m00"], moments["m01"] / moments["m00"])
    parts, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    # A part one pixel wide has no area inside its outline; its number of points decides then.
    largest = max(parts, key=lambda part: (cv2.contourArea(part), len(part)))
    polygon = cv2.approxPolyDP(largest, OUTLINE_TOLERANCE_PX, closed=True)
    corners = np.asarray(polygon.reshape(-1, 2), np.int32)
    return Outline(area_px, (x, y, width, height), centre, corners)
