import numpy as np
import pytest

from actseg_core.objects.motion import (
    FLOW_SIZE,
    NOISE_PX,
    FrameMotion,
    MotionEstimator,
    object_motion,
    warp_masks,
)

WHOLE = (slice(0, 416), slice(0, 416))


def still_but_for(x: float, y: float) -> FrameMotion:
    """A 40x40 square at (60, 60) moves, the rest stands still; a tenth of a second passes."""
    flow = np.zeros((FLOW_SIZE, FLOW_SIZE, 2), np.float32)
    flow[60:100, 60:100] = x, y
    return FrameMotion(flow, flow.copy(), NOISE_PX, 0.1)


def square() -> np.ndarray:
    mask = np.zeros((1, 104, 104), np.float32)
    mask[0, 30:50, 30:50] = 1.0
    return mask


def test_velocity_is_in_heights_of_the_object_per_second() -> None:
    (values,) = object_motion(still_but_for(4.0, -2.0), square())

    # 4 px of 208 in 0.1 s; the square is 40 px high: 1 height per second to the right.
    assert values[:3] == pytest.approx([1.0, -0.5, 0.0], abs=1e-3)
    assert values[3] == pytest.approx(
        np.log((np.hypot(4, 2) + NOISE_PX) / (2 * NOISE_PX)), abs=1e-3
    )
    assert values[4] == 1.0


def test_what_stands_still_has_no_velocity_and_no_moving_pixel() -> None:
    (values,) = object_motion(still_but_for(0.0, 0.0), square())

    assert values.tolist() == pytest.approx([0, 0, 0, np.log(0.5), 0], abs=1e-6)


def test_no_objects_have_no_motion() -> None:
    assert object_motion(still_but_for(1, 1), np.zeros((0, 104, 104), np.float32)).shape == (0, 5)


def test_a_mask_moves_with_the_flow() -> None:
    flow = np.full((FLOW_SIZE, FLOW_SIZE, 2), 0.0, np.float32)
    flow[..., 0] = 8.0  # 4 cells of 104

    moved = warp_masks(square(), flow)

    assert np.array_equal(moved[0, :, 34:54], square()[0, :, 30:50])


def texture(seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (52, 52, 3), np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8))


def test_the_first_frame_has_no_motion_and_a_pan_is_the_cameras() -> None:
    estimator = MotionEstimator()
    picture = texture()

    assert estimator.estimate(picture, WHOLE, 0.0) is None
    motion = estimator.estimate(np.roll(picture, 6, axis=1), WHOLE, 0.05)

    assert motion is not None
    inner = slice(20, -20)
    assert np.median(motion.flow[inner, inner, 0]) == pytest.approx(3.0, abs=0.5)  # 6 px of 416
    assert np.abs(np.median(motion.residual[inner, inner, 0])) < 0.3


def test_after_forgetting_there_is_no_frame_before() -> None:
    estimator = MotionEstimator()
    estimator.estimate(texture(), WHOLE, 0.0)
    estimator.forget()

    assert estimator.estimate(texture(), WHOLE, 0.05) is None
