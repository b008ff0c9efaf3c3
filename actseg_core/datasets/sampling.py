"""Which frames of a video make a clip."""

from actseg_core.config import ModelConfig
from actseg_core.errors import ConfigError


def span(start: int, frames: int, length: int) -> list[int]:
    """Consecutive frame indices from `start`, the first and last frame repeated at the edges.

    Args:
        start: First index, may be negative.
        frames: Number of indices wanted.
        length: Frames of the video.

    Raises:
        ConfigError: If the video or the clip is empty.
    """
    if length < 1 or frames < 1:
        raise ConfigError(
            f"a clip needs at least one frame of a video with at least one, got {frames} frames "
            f"of a video with {length}"
        )
    return [min(max(index, 0), length - 1) for index in range(start, start + frames)]


def clip_indices(target: int, length: int, config: ModelConfig) -> list[int]:
    """The clip around the frame that the mask belongs to: [t-8 ... t+7] for the paper's 16.

    In the mode "newest" the clip ends with the target. Edge frames are repeated, as in MTTR's
    and CMPC-V's readers; the paper is silent.

    Args:
        target: The annotated frame, counted from 0.
        length: Frames of the video.
        config: Number of frames and which of them is labelled.

    Raises:
        ConfigError: If the target is not a frame of the video.
    """
    if not 0 <= target < length:
        raise ConfigError(
            f"frame {target} is not in a video of {length} frames (0 to {length - 1})"
        )
    return span(target - config.label_index, config.frames, length)


def evenly_spaced(length: int, count: int) -> list[int]:
    """`count` frame indices from the first frame to the last at even distances.

    A single one is the middle frame. Halves round down. [ours: the paper only says that frames
    are sampled uniformly]

    Raises:
        ConfigError: If the video has fewer frames than wanted.
    """
    if not 1 <= count <= length:
        raise ConfigError(f"cannot take {count} different frames of a video of {length}")
    if count == 1:
        return [(length - 1) // 2]
    return [index * (length - 1) // (count - 1) for index in range(count)]
