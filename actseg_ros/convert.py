"""Image messages to arrays and back: the only place that touches image messages.

Every length is checked here before a library sees the data; the colour conversion itself is done
by the ROS distribution's cv_bridge where it works, and by rosbags-image where it does not.
"""

import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from actseg_core.errors import ActSegError
from actseg_ros.compressed import PNG_SIGNATURE, Sniffed, decompress, sniff, without_end_mark
from actseg_ros.samples import half_the_chroma, swapped, to_full_range, to_native_order

MAX_SIDE_PX = 65_535
PNG_BIT_DEPTH_BYTE = 24
SHOWN_CHARS = 40


class ImageRefused(ActSegError):
    """An image message cannot be used; the text says what is wrong and what is accepted."""


@dataclass(frozen=True)
class Layout:
    """How an encoding lies in memory.

    Attributes:
        bytes_per_pixel: Of a row; chroma planes below the picture not counted.
        sample_bytes: 1, or 2 where byte order matters.
        multiple: Width and height must be multiples of this (columns, rows).
        chroma: Bytes of chroma below the picture for two of brightness: 4:2:0 1, 4:4:4 4.
    """

    bytes_per_pixel: int
    sample_bytes: int = 1
    multiple: tuple[int, int] = (1, 1)
    chroma: int = 0


_BAYER = ("bayer_rggb", "bayer_bggr", "bayer_gbrg", "bayer_grbg")
ENCODINGS: dict[str, Layout] = {
    "rgb8": Layout(3),
    "bgr8": Layout(3),
    "rgba8": Layout(4),
    "bgra8": Layout(4),
    "mono8": Layout(1),
    "rgb16": Layout(6, 2),
    "bgr16": Layout(6, 2),
    "rgba16": Layout(8, 2),
    "bgra16": Layout(8, 2),
    "mono16": Layout(2, 2),
    **{f"{name}8": Layout(1, 1, (2, 2)) for name in _BAYER},
    **{f"{name}16": Layout(2, 2, (2, 2)) for name in _BAYER},
    "uyvy": Layout(2, 1, (2, 1)),
    "yuyv": Layout(2, 1, (2, 1)),
    "nv12": Layout(1, 1, (2, 2), chroma=1),
    "nv21": Layout(1, 1, (2, 2), chroma=1),
    "nv24": Layout(1, 1, (2, 2), chroma=4),
}
# OpenCV's own type names say nothing of colour; its convention is blue first.
SAME_AS = {
    "8UC1": "mono8",
    "8UC3": "bgr8",
    "8UC4": "bgra8",
    "16UC3": "bgr16",
    "16UC4": "bgra16",
    "yuv422": "uyvy",
    "yuv422_yuy2": "yuyv",
}
NOT_A_PICTURE = {
    "16UC1": "a depth image",
    "32FC1": "a depth image",
    "64FC1": "a matrix of numbers",
}

Converter = Callable[[Any], NDArray[Any]]


def decode(
    message: Image | CompressedImage, max_pixels: int, bit_depth: int = 16
) -> NDArray[np.uint8]:
    """The picture of a message.

    Padded rows, both byte orders, 16 bit, Bayer and YUV are understood (ENCODINGS, SAME_AS); a
    compressed image may be JPEG, PNG, TIFF or WebP, whatever its `format` says.

    Args:
        message: sensor_msgs Image or CompressedImage.
        max_pixels: Larger pictures are refused before anything is allocated [px].
        bit_depth: Bits of each 16-bit sample that the camera uses, 8 to 16; 12 for a camera with
            12 bits in mono16. Larger values are cut to the largest.

    Returns:
        (H, W, 3) uint8 RGB; possibly a read-only view of the message's data.

    Raises:
        ImageRefused: With one line that says what was wrong with the message.
    """
    if isinstance(message, CompressedImage):
        return _decode_compressed(message, max_pixels, bit_depth)
    return _decode_raw(message, max_pixels, bit_depth)


def has_16_bits(message: Image | CompressedImage) -> bool:
    """Whether the samples of a message that can be decoded have 16 bits."""
    if isinstance(message, CompressedImage):
        start = bytes(message.data[: PNG_BIT_DEPTH_BYTE + 1])
        return start.startswith(PNG_SIGNATURE) and start[-1] == 16
    return _layout(message.encoding)[1].sample_bytes == 2


def encode(picture: NDArray[np.uint8 | np.uint16], header: Header, rgb: bool = False) -> Image:
    """A message of a picture.

    Args:
        picture: (H, W) uint8 becomes mono8, uint16 mono16; (H, W, 3) uint8 RGB becomes bgr8, or
            rgb8.
        header: Stamp and coordinate frame; used as it is.
        rgb: Whether a colour picture becomes rgb8.
    """
    height, width = picture.shape[:2]
    is_colour = picture.ndim == 3
    packed = swapped(picture) if is_colour and not rgb else np.ascontiguousarray(picture)
    data = array("B")
    # A list or an ndarray would be copied element by element: 300 ms for 1080p, this takes 1.
    data.frombytes(packed.data.cast("B"))
    grey = f"mono{8 * picture.itemsize}"
    return Image(
        header=header,
        height=height,
        width=width,
        encoding=("rgb8" if rgb else "bgr8") if is_colour else grey,
        is_bigendian=int(sys.byteorder == "big"),
        step=width * (3 if is_colour else picture.itemsize),
        data=data,
    )


def compress(
    picture: NDArray[np.uint8],
    header: Header,
    jpeg_quality: int | None = None,
    is_mask: bool = False,
) -> CompressedImage:
    """A compressed message of a picture, named as image_transport's plugin names it.

    Args:
        picture: (H, W) uint8, or (H, W, 3) uint8 RGB.
        header: Stamp and coordinate frame; used as it is.
        jpeg_quality: 1 to 100; None: PNG, which loses nothing.
        is_mask: Whether an (H, W) picture holds 0 and 255 alone; a PNG then has one bit a pixel,
            which decoders give back as 0 and 255.

    Raises:
        ImageRefused: If it cannot be compressed.
    """
    import cv2

    is_colour = picture.ndim == 3
    kind = "png" if jpeg_quality is None else "jpeg"
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1]  # a mask is small even so, and time counts
    if jpeg_quality is not None:
        options = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
    elif not is_colour and is_mask:
        options = [cv2.IMWRITE_PNG_BILEVEL, 1]  # an eighth of the bytes before they are packed
    done, content = cv2.imencode(f".{kind}", swapped(picture) if is_colour else picture, options)
    if not done:
        raise ImageRefused(f"a picture of {picture.shape} cannot be written as {kind}")
    data = array("B")
    data.frombytes(content.data)
    name = "bgr8" if is_colour else "mono8"
    return CompressedImage(header=header, format=f"{name}; {kind} compressed {name}", data=data)


def _decode_raw(message: Image, max_pixels: int, bit_depth: int) -> NDArray[np.uint8]:
    encoding, layout = _layout(message.encoding)
    height, rows = check_size(message, encoding, layout, max_pixels)
    row_bytes = message.width * layout.bytes_per_pixel
    stored = np.frombuffer(message.data, np.uint8).reshape(rows, message.step)[:, :row_bytes]
    if encoding == "rgb8":
        return np.ascontiguousarray(stored).reshape(height, message.width, 3)
    if layout.sample_bytes == 2:
        samples = to_native_order(stored, bool(message.is_bigendian))
        stored = to_full_range(samples, bit_depth).view(np.uint8)
    if encoding == "nv24":
        stored, encoding = half_the_chroma(stored, height), "nv12"
    packed = _packed(stored, message.header, message.width, encoding)
    picture = _call_converter(packed, encoding)
    if picture.ndim == 3 and picture.strides[-1] < 0:
        picture = swapped(picture[..., ::-1])
    if picture.shape != (height, message.width, 3) or picture.dtype != np.uint8:
        raise ImageRefused(
            f"{CONVERTER_NAME} made {picture.shape} of {picture.dtype} of a "
            f"{message.width}x{height} {encoding} image; use rgb8 or bgr8"
        )
    return picture


def _layout(encoding: str) -> tuple[str, Layout]:
    if encoding in NOT_A_PICTURE:
        raise ImageRefused(
            f"encoding {encoding} is {NOT_A_PICTURE[encoding]}; connect the colour image instead"
        )
    name = SAME_AS.get(encoding, encoding)
    if name not in ENCODINGS:
        known = ", ".join([*ENCODINGS, *SAME_AS])
        raise ImageRefused(
            f"encoding {encoding[:SHOWN_CHARS]!r} is not known; accepted are {known}"
        )
    return name, ENCODINGS[name]


def check_size(message: Image, encoding: str, layout: Layout, max_pixels: int) -> tuple[int, int]:
    """Height of the picture and number of stored rows.

    Raises:
        ImageRefused: If sizes, step and length of the data contradict each other.
    """
    width, height, step, length = message.width, message.height, message.step, len(message.data)
    _check_sides(width, height, max_pixels)
    if step < width * layout.bytes_per_pixel:
        raise ImageRefused(
            f"step is {step} bytes, but {width} pixels of {encoding} need "
            f"{width * layout.bytes_per_pixel}; correct the camera driver"
        )
    rows = height
    if layout.chroma:
        # Drivers disagree whether height counts the chroma rows below the picture.
        if length == step * height and height * 2 % (2 + layout.chroma) == 0:
            height = height * 2 // (2 + layout.chroma)
        else:
            rows = height + height * layout.chroma // 2
    if encoding == "nv24" and step != width:
        raise ImageRefused(f"nv24 needs rows without padding, got a step of {step} for {width}")
    if length != step * rows:
        raise ImageRefused(
            f"data holds {length} bytes, but {rows} rows of {step} bytes are {step * rows}; "
            "correct the camera driver"
        )
    columns, lines = layout.multiple
    if width % columns or height % lines:
        raise ImageRefused(
            f"{encoding} needs a width divisible by {columns} and a height divisible by {lines}, "
            f"got {width}x{height}"
        )
    return height, rows


def _check_sides(width: int, height: int, max_pixels: int) -> None:
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
        raise ImageRefused(f"width and height must be 1 to {MAX_SIDE_PX}, got {width}x{height}")
    if width * height > max_pixels:
        raise ImageRefused(
            f"{width}x{height} are {width * height} pixels, stream.max_pixels allows "
            f"{max_pixels}; use a smaller picture or raise the limit"
        )


def _packed(stored: NDArray[np.uint8], header: Header, width: int, encoding: str) -> Any:
    """An image without padding and in this machine's byte order, for the converter.

    Args:
        stored: (rows, bytes per row) uint8.
        header: Carried along.
        width: Of the picture [px].
        encoding: Name in ENCODINGS.
    """
    return SimpleNamespace(
        header=header,
        height=stored.shape[0],
        width=width,
        encoding=encoding,
        is_bigendian=int(sys.byteorder == "big"),
        step=stored.shape[1],
        data=np.ascontiguousarray(stored).reshape(-1),
    )


def _call_converter(packed: Any, encoding: str) -> NDArray[np.uint8]:
    try:
        picture: NDArray[np.uint8] = CONVERTER(packed)
    except Exception as error:  # cv2.error, CvBridgeError, ImageError: no common base
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ImageRefused(
            f"{CONVERTER_NAME} cannot convert a {packed.width}x{packed.height} {encoding} image: "
            f"{reason[:200]}"
        ) from error
    return picture


def _decode_compressed(
    message: CompressedImage, max_pixels: int, bit_depth: int
) -> NDArray[np.uint8]:
    if "compressedDepth" in message.format:
        raise ImageRefused("format says compressedDepth; connect the colour image instead")
    data = np.frombuffer(message.data, np.uint8)
    try:
        sniffed = sniff(data.data)
        _check_sides(sniffed.width, sniffed.height, max_pixels)
        if sniffed.length:
            data = data[: sniffed.length]
        else:
            data = np.frombuffer(without_end_mark(data.tobytes()), np.uint8)
        source = message.format.partition(";")[0].strip()
        is_mosaic = _is_mosaic(source, sniffed)
        picture = to_full_range(decompress(data, sniffed, is_mosaic), bit_depth)
    except ValueError as error:
        raise ImageRefused(f"the compressed image is unusable: {error}") from error
    if is_mosaic:
        rows = np.ascontiguousarray(picture).view(np.uint8).reshape(sniffed.height, -1)
        return _call_converter(_packed(rows, message.header, sniffed.width, source), source)
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    return swapped(np.ascontiguousarray(picture))


def _is_mosaic(source: str, sniffed: Sniffed) -> bool:
    """image_transport compresses a Bayer mosaic as if it were a grey picture."""
    if not source.startswith("bayer_") or source not in ENCODINGS:
        return False
    is_even = not (sniffed.width % 2 or sniffed.height % 2)
    return is_even and ENCODINGS[source].sample_bytes * 8 == sniffed.sample_bits


def _cv_bridge() -> Converter:
    """The distribution's cv_bridge.

    Raises:
        Exception: If it is missing or, like the ROS 1 one on PyPI, fails on a two-pixel image.
    """
    from cv_bridge import CvBridge

    bridge = CvBridge()

    def convert(packed: Any) -> NDArray[Any]:
        return np.asarray(bridge.imgmsg_to_cv2(packed, "rgb8"))

    _try_out(convert)
    return convert


def _rosbags_image() -> Converter:
    from rosbags.image import image_to_cvimage

    def convert(packed: Any) -> NDArray[Any]:
        return np.asarray(image_to_cvimage(packed, "rgb8"))

    _try_out(convert)
    return convert


def _try_out(convert: Converter) -> None:
    pixels = np.array([1, 2, 3, 4, 5, 6], np.uint8)
    packed = SimpleNamespace(
        header=Header(), height=1, width=2, encoding="bgr8", is_bigendian=0, step=6, data=pixels
    )
    if convert(packed).tolist() != [[[3, 2, 1], [6, 5, 4]]]:
        raise ImportError("it does not convert bgr8 to rgb8")


def choose_converter() -> tuple[str, Converter]:
    """The first of cv_bridge and rosbags-image that works here, with its name.

    Raises:
        ImportError: If neither does.
    """
    problems = []
    for name, load in (("cv_bridge", _cv_bridge), ("rosbags-image", _rosbags_image)):
        try:
            return name, load()
        except Exception as error:
            problems.append(f"{name}: {error}")
    raise ImportError(
        "images cannot be converted, install the ROS package cv_bridge or the Python package "
        f"rosbags-image ({'; '.join(problems)})"
    )


CONVERTER_NAME, CONVERTER = choose_converter()
