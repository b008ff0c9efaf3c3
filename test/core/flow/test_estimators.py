"""Every estimator on motion that is known exactly."""

import importlib
import importlib.util
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from actseg_core.config import FlowConfig
from actseg_core.errors import ConfigError, ShapeError
from actseg_core.flow import make_estimator, make_raw_estimator
from actseg_core.flow.estimators import DisFlow, FarnebackFlow, TvL1Flow

Moved = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]
NEEDS_SKIMAGE = pytest.mark.skipif(
    importlib.util.find_spec("skimage") is None, reason="scikit-image is not installed"
)
ESTIMATORS = ("dis", "farneback", pytest.param("tvl1", marks=NEEDS_SKIMAGE))
BORDER_PX = 12  # what left the image cannot be matched


def error_px(field: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """Mean length of the difference, borders left out."""
    inner = slice(BORDER_PX, -BORDER_PX)
    return float(np.linalg.norm(field - true, axis=2)[inner, inner].mean())


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(
    "motion",
    [
        {"shift": (3.0, 0.0)},
        {"shift": (0.0, -2.5)},
        {"shift": (-5.25, 4.5)},
        {"angle_deg": 3.0},
        {"scale": 1.05},
        {"shift": (2.0, 1.0), "angle_deg": -2.0, "scale": 0.97},
    ],
    ids=str,
)
def test_known_motion_is_found_within_a_quarter_of_a_pixel(
    name: str, motion: dict[str, object], move: Callable[..., Moved]
) -> None:
    first, second, true = move(**motion)

    field = make_estimator(FlowConfig(estimator=name)).estimate(first, second)

    assert field.shape == true.shape
    assert field.dtype == np.float32
    assert error_px(field, true) < 0.25


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_still_image_does_not_move(name: str, move: Callable[..., Moved]) -> None:
    first, _, _ = move()

    field = make_estimator(FlowConfig(estimator=name)).estimate(first, first)

    assert np.abs(field).max() < 0.1


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimate_does_not_depend_on_earlier_ones(
    name: str, move: Callable[..., Moved]
) -> None:
    first, second, _ = move(shift=(3.0, 0.0))
    estimator = make_estimator(FlowConfig(estimator=name))

    before = estimator.estimate(first, second)
    estimator.estimate(second, first)

    np.testing.assert_array_equal(estimator.estimate(first, second), before)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_frames_of_two_sizes_are_refused(name: str) -> None:
    small, large = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 24, 3), np.uint8)

    with pytest.raises(ShapeError, match=r"one size, got \(16, 16, 3\) and \(16, 24, 3\)"):
        make_estimator(FlowConfig(estimator=name)).estimate(small, large)


@pytest.mark.parametrize(
    "frame", [np.zeros((16, 16), np.uint8), np.zeros((16, 16, 3)), np.zeros((0, 16, 3), np.uint8)]
)
def test_what_is_no_rgb_image_is_refused(frame: NDArray[np.uint8]) -> None:
    with pytest.raises(ShapeError, match=r"needs \(H, W, 3\) uint8 RGB frames, got shape"):
        DisFlow().estimate(frame, frame)


@settings(max_examples=30, deadline=None)
@example(height=13, width=80, estimator="dis")  # without padding this ends the process
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    estimator=st.sampled_from(["dis", "farneback"]),
)
def test_any_size_gives_a_finite_field_of_that_size(
    height: int, width: int, estimator: str
) -> None:
    rng = np.random.default_rng(height * 100 + width)
    first, second = rng.integers(0, 256, (2, height, width, 3), np.uint8)

    field = make_estimator(FlowConfig(estimator=estimator)).estimate(first, second)

    assert field.shape == (height, width, 2)
    assert np.isfinite(field).all()


def test_frames_may_be_views_of_larger_images(move: Callable[..., Moved]) -> None:
    first, second, _ = move(shift=(3.0, 0.0))
    assert not first.flags.c_contiguous

    np.testing.assert_array_equal(
        DisFlow().estimate(first, second), DisFlow().estimate(first.copy(), second.copy())
    )


def test_names_choose_estimators() -> None:
    assert isinstance(make_raw_estimator(FlowConfig(estimator="dis")), DisFlow)
    assert isinstance(make_raw_estimator(FlowConfig(estimator="farneback")), FarnebackFlow)


@NEEDS_SKIMAGE
def test_tvl1_is_chosen_by_name() -> None:
    assert isinstance(make_raw_estimator(FlowConfig(estimator="tvl1")), TvL1Flow)


def test_tvl1_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)

    with pytest.raises(ConfigError, match="pip install scikit-image, or set flow.estimator: dis"):
        TvL1Flow()


def test_the_networks_flow_is_compensated_and_then_quantised(move: Callable[..., Moved]) -> None:
    first, second, _ = move(shift=(5.0, 0.0))
    config = FlowConfig(ego_motion=True, quantise=True)

    field = make_estimator(config).estimate(first, second)

    # The whole image shifts, so nothing is left but noise, in steps of 40 / 255 px.
    assert np.median(np.abs(field)) == pytest.approx(20 / 255, abs=1e-5)
    steps = (field + 20) * 255 / 40
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
    raw = make_raw_estimator(config).estimate(first, second)
    assert np.median(raw[..., 0]) == pytest.approx(5, abs=0.25)
