"""A photograph of a cat that a camera passes, for environments without scikit-image, too.

python test/support/cat_clip.py FILE.mp4
"""

import sys
from pathlib import Path

import numpy as np

from actseg_core.video import VideoWriter

FRAMES = 24
PX_PER_FRAME = 2
WIDTH = 400


def write(path: Path) -> None:
    """Write 400x300 pixels at 10 frames a second."""
    from skimage.data import chelsea  # only what writes the clip needs it

    photograph = chelsea()
    with VideoWriter(path, 10.0) as writer:
        for left in range(0, FRAMES * PX_PER_FRAME, PX_PER_FRAME):
            writer.write(np.ascontiguousarray(photograph[:, left : left + WIDTH]))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
