"""A flow field as a picture."""

import cv2
import numpy as np
from numpy.typing import NDArray


def flow_picture(field: NDArray[np.float32], full_px: float | None = None) -> NDArray[np.uint8]:
    """Direction as hue, length as saturation: rest is white, right red, down yellow-green.

    Args:
        field: (H, W, 2) float32 [px].
        full_px: Length [px] that gets the full colour; longer ones do, too. By default the
            longest in the field.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    x, y = np.ascontiguousarray(field[..., 0]), np.ascontiguousarray(field[..., 1])
    length, angle = cv2.cartToPolar(x, y, angleInDegrees=True)
    full = full_px if full_px is not None else float(length.max(initial=0))
    saturation = np.clip(length / max(full, 1e-6), 0, 1)
    # The float version of the conversion takes degrees and shares of 1, without 8-bit hues.
    hsv = np.stack([angle, saturation, np.ones_like(saturation)], axis=2)
    rgb = cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB)
    return np.asarray(np.rint(rgb * 255), np.uint8)


def colour_wheel(size: int) -> NDArray[np.uint8]:
    """The key to `flow_picture`: a disc on which each place has the colour of its direction.

    Args:
        size: Side [px] of the square picture.

    Returns:
        (size, size, 3) uint8 RGB, white outside the disc.
    """
    radius = (size - 1) / 2
    y, x = np.mgrid[:size, :size].astype(np.float32) - radius
    outside = np.hypot(x, y) > radius
    field = np.stack([x, y], axis=2)
    field[outside] = 0
    return flow_picture(field, max(radius, 1e-6))
