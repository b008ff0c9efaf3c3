"""Image messages and compressed pictures as a camera sends them."""

from array import array

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image


def image(
    encoding: str, width: int, height: int, data: bytes, step: int | None = None, big: int = 0
) -> Image:
    made = Image(encoding=encoding, width=width, height=height, is_bigendian=big)
    made.step = step if step is not None else len(data) // max(1, height)
    made.data = array("B", data)
    return made


def compressed(content: bytes, kind: str = "jpeg") -> CompressedImage:
    return CompressedImage(format=kind, data=array("B", content))


def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)


def encoded(suffix: str, picture: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(suffix, picture[..., ::-1])[1].tobytes())
