"""What may be wrong with pictures that could be decoded: they never change, or are black."""

import numpy as np
from numpy.typing import NDArray

from actseg_core.live.frame_checks import FrozenWatch

BIT_DEPTH_FRAMES = 10
# Of 255; an ordinary picture has something brighter. 14 bits and less in 16 stay below.
DARK = 64
BIT_DEPTH_HINT = (
    "16-bit images have used no more than {bits} of their 16 bits so far (up to {highest} of "
    "65535), so the picture is all but black; if the camera has {bits} bits set bit_depth: {bits}"
)


class BitDepthWatch:
    """Notices 16-bit images of a camera with fewer bits, which become almost black pictures.

    Attributes:
        frames: 16-bit images seen until one was bright.
        brightest: Highest value of their pictures, 0 to 255.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.brightest = 0

    def look(self, picture: NDArray[np.uint8]) -> None:
        """Take in the (H, W, 3) uint8 picture that a 16-bit image became."""
        if self.brightest < DARK:
            self.frames += 1
            self.brightest = max(self.brightest, int(picture.max()))

    def hint(self) -> str:
        """What is wrong and what to do; empty while the range is used."""
        if self.frames < BIT_DEPTH_FRAMES or self.brightest >= DARK:
            return ""
        highest = self.brightest * 256 + 255
        return BIT_DEPTH_HINT.format(bits=highest.bit_length(), highest=highest)


class PictureChecks:
    """All checks of one camera's pictures; one thread looks, others may ask.

    Args:
        frozen_frames: Equal pictures in a row that are a fault; 0: never.
        bit_depth: With which 16-bit images are decoded.
    """

    def __init__(self, frozen_frames: int, bit_depth: int) -> None:
        self._frozen = FrozenWatch(frozen_frames)
        self._bits, self._bit_depth = BitDepthWatch(), bit_depth

    @property
    def repeats(self) -> int:
        """Newest pictures in a row that are the same."""
        return self._frozen.repeats

    def look(self, picture: NDArray[np.uint8], has_16_bits: bool) -> None:
        """Take in the next picture; it is kept until the one after, and must not be changed.

        Args:
            picture: (H, W, 3) uint8.
            has_16_bits: Whether its image message had.
        """
        self._frozen.look(picture)
        if has_16_bits:
            self._bits.look(picture)

    def reconfigure(self, frozen_frames: int, bit_depth: int) -> None:
        """Go on with others; arguments as of the class."""
        self._frozen.limit = frozen_frames
        if bit_depth != self._bit_depth:
            self._bits, self._bit_depth = BitDepthWatch(), bit_depth

    def hint(self) -> str:
        """What is wrong and what to do; empty if all is well."""
        return "; ".join(filter(None, (self._frozen.hint(), self._bits.hint())))
