"""Response maps warped along the flow from the frame they were computed for to a newer one.

A flow field says where the pixels of the earlier frame went. To move a map one has to know where
each pixel of the later frame came from; `backward_flow` turns the one into the other, `compose`
chains them over several frames, and `warp` looks the map up there: once per map, however many
frames lie between.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError


def backward_flow(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Backward flow: where each pixel of the later frame came from.

    Solves x + field(x) = y for x by one step of fixed-point iteration from the motion at y itself;
    on DAVIS neither more steps nor a field estimated from the later frame to the earlier one move
    true masks better. At the edges of sharply separate motions it errs by about the motion.

    Args:
        field: (H, W, 2) float32 [px], x and y, from the earlier frame to the later one.

    Returns:
        (H, W, 2) float32 [px] to add to the coordinates of the later frame.

    Raises:
        ShapeError: If it is no flow field.
    """
    _check(field)
    back: NDArray[np.float32] = -_look_up(field, -field)
    return back


def compose(earlier: NDArray[np.float32], later: NDArray[np.float32]) -> NDArray[np.float32]:
    """Two successive backward flows as one.

    Args:
        earlier: (H, W, 2) float32 [px], from frame b back to frame a.
        later: The same from frame c back to frame b.

    Returns:
        (H, W, 2) float32 [px] from frame c back to frame a.

    Raises:
        ShapeError: If the two differ in shape.
    """
    _check(earlier)
    if earlier.shape != later.shape:
        raise ShapeError(
            f"both backward flows must have one shape, got {earlier.shape} and {later.shape}"
        )
    composed: NDArray[np.float32] = later + _look_up(earlier, later)
    return composed


def warp(response: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float32]:
    """A response map warped to the newer frame.

    What came in from outside the picture takes the value at the picture's edge.

    Args:
        response: (r, r) float32 for the older frame, of any resolution r.
        back: (S, S, 2) float32 [px of the network's input] from the newer frame to the older one.

    Returns:
        (r, r) float32.

    Raises:
        ShapeError: If `back` is no square field.
    """
    _check(back)
    side, size = response.shape[0], back.shape[0]
    if back.shape[0] != back.shape[1] or response.shape != (side, side):
        raise ShapeError(
            f"a square response and a square backward flow are wanted, got {response.shape} and "
            f"{back.shape}"
        )
    if side != size:
        back = cv2.resize(back, (side, side), interpolation=cv2.INTER_AREA) * np.float32(
            side / size
        )
    return _look_up(response, back)


def _look_up(values: NDArray[np.float32], offsets: NDArray[np.float32]) -> NDArray[np.float32]:
    """`values` at every pixel's own place plus its offset, bilinear, edges continued."""
    places = _places(*offsets.shape[:2]) + offsets
    looked_up: NDArray[np.float32] = cv2.remap(  # type: ignore[call-overload]
        values,
        places,
        None,  # x and y are in one map, so there is no second
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return looked_up


@lru_cache(maxsize=4)
def _places(height: int, width: int) -> NDArray[np.float32]:
    """(H, W, 2): x and y of every pixel."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    places: NDArray[np.float32] = np.stack((x, y), axis=2).astype(np.float32)
    places.flags.writeable = False
    return places


def _check(field: NDArray[np.float32]) -> None:
    if field.ndim != 3 or field.shape[2] != 2 or not field.size:
        raise ShapeError(f"an (H, W, 2) field is wanted, got {field.shape}")
