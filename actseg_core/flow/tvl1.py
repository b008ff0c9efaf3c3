"""TV-L1 flow, which I3D's Kinetics flow weights were trained on."""

import importlib

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ConfigError
from actseg_core.flow.base import gray


class TvL1Flow:
    """Duality-based TV-L1 (Zach et al., DAGM 2007), as scikit-image implements it.

    OpenCV has it in its contrib build alone, which cannot be installed beside the headless one.

    Raises:
        ConfigError: If scikit-image is not installed.
    """

    def __init__(self) -> None:
        try:
            self._registration = importlib.import_module("skimage.registration")
        except ImportError as error:
            raise ConfigError(
                "flow.estimator tvl1 needs scikit-image: pip install scikit-image, or set "
                "flow.estimator: dis"
            ) from error

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        first, second = (frame.astype(np.float32) / 255 for frame in gray(previous, current))
        rows, columns = self._registration.optical_flow_tvl1(first, second, dtype=np.float32)
        return np.stack([columns, rows], axis=2).astype(np.float32, copy=False)
