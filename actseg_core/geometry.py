"""Where a mask lies in its image, and from pixels with depth to points in space.

In space x points right, y down, z forward in the camera's optical frame (REP 103), all in metres.
Vectorised over pixels; no state.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ActSegError

MILLIMETRES_PER_METRE = 1000.0
# Points farther from the median depth are the mask's rim: in median absolute deviations and, for
# flat actors, as a share of the depth.
RIM_DEVIATIONS = 3.0
RIM_SHARE = 0.05
SIZE_PERCENTILES = (2.0, 98.0)
OUTLINE_TOLERANCE_PX = 1.0


class GeometryError(ActSegError, ValueError):
    """A camera model, a depth image and a mask do not go together."""


@dataclass(frozen=True)
class Pinhole:
    """A camera without distortion.

    Attributes:
        fx: Focal length along columns [px], above 0.
        fy: Focal length along rows [px], above 0.
        cx: Column of the optical axis [px].
        cy: Row of the optical axis [px].

    Raises:
        GeometryError: If a value is not finite or a focal length is not positive.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        values = (self.fx, self.fy, self.cx, self.cy)
        if not np.isfinite(values).all() or self.fx <= 0 or self.fy <= 0:
            raise GeometryError(
                "the camera needs finite fx, fy, cx, cy with fx and fy above 0, got "
                f"{values}; calibrate it"
            )


@dataclass(frozen=True, eq=False)
class Extent:
    """Where an actor is and how large.

    Attributes:
        centre: (3,) float64 [m]: mean x and y, median z.
        middle: (3,) float64 [m], centre of an upright box round the points.
        size: (3,) float64 [m], its sides; the outermost 2 % at each side are left out.
    """

    centre: NDArray[np.float64]
    middle: NDArray[np.float64]
    size: NDArray[np.float64]


def to_metres(depth: NDArray[Any]) -> NDArray[np.float32]:
    """A depth image in metres, NaN where nothing was measured (REP 118).

    Args:
        depth: (H, W) uint16 [mm], 0 = not measured; or (H, W) float32 or float64 [m], where NaN,
            infinities and what is not above 0 count as not measured.

    Raises:
        GeometryError: If it has another shape or dtype.
    """
    if depth.ndim != 2 or depth.dtype not in (np.uint16, np.float32, np.float64):
        raise GeometryError(
            "a depth image must be (H, W) of uint16 [mm] or float32 [m], got shape "
            f"{depth.shape} of {depth.dtype}"
        )
    metres = depth.astype(np.float32)
    if depth.dtype == np.uint16:
        metres /= np.float32(MILLIMETRES_PER_METRE)
    metres[~(np.isfinite(metres) & (metres > 0))] = np.nan
    return metres


def back_project(
    depth_m: NDArray[np.float32],
    mask: NDArray[np.uint8],
    camera: Pinhole,
    max_depth_m: float = np.inf,
) -> NDArray[np.float32]:
    """The points that a mask's pixels show.

    Args:
        depth_m: (H, W) float32 [m], aligned with the mask; NaN = not measured.
        mask: (H, W) uint8, not 0 = actor.
        camera: Of the image that the mask was computed for.
        max_depth_m: Pixels farther away are left out [m].

    Returns:
        (N, 3) float32 x, y, z [m], row by row; pixels without depth are left out.

    Raises:
        GeometryError: If depth and mask differ in size.
    """
    if depth_m.shape != mask.shape:
        raise GeometryError(
            f"the depth image must be aligned with the mask's {_size(mask)} image, got "
            f"{_size(depth_m)}; connect the depth that is registered to the colour camera"
        )
    rows, columns = np.nonzero(mask)
    z = depth_m[rows, columns]
    usable = np.isfinite(z) & (z > 0) & (z <= max_depth_m)
    z, rows, columns = z[usable], rows[usable], columns[usable]
    x = (columns - camera.cx) / camera.fx * z
    y = (rows - camera.cy) / camera.fy * z
    return np.stack([x, y, z], axis=1).astype(np.float32)


def without_rim(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Those of (N, 3) points that are near the median depth.

    A mask's rim shows what lies behind the actor, which would move its centre and stretch its box.
    """
    if not len(points):
        return points
    z = points[:, 2]
    depth_m = np.median(z)
    away = np.abs(z - depth_m)
    limit = max(RIM_DEVIATIONS * float(np.median(away)), RIM_SHARE * float(depth_m))
    return np.asarray(points[away <= limit])


def measure(points: NDArray[np.float32]) -> Extent:
    """Place and size of an actor.

    Args:
        points: (N, 3) finite x, y, z [m], at least one, without the mask's rim.
    """
    exact = points.astype(np.float64)
    x, y, _ = exact.mean(axis=0)
    low, high = np.percentile(exact, SIZE_PERCENTILES, axis=0)
    centre = np.array([x, y, np.median(exact[:, 2])])
    return Extent(centre, (low + high) / 2, high - low)


def thin_out(points: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Every n-th point, so that at most `most` remain (at least 1)."""
    return points[:: max(1, -(-len(points) // most))]


def _size(image: NDArray[Any]) -> str:
    return "x".join(str(side) for side in reversed(image.shape))


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
