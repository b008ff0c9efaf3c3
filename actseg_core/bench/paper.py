"""The paper's network: one window, and masks for every frame in between."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from actseg_core.bench.hardware import Spread, matrix_product, measure_in_turn, product_gflop
from actseg_core.bench.setup import play
from actseg_core.bench.streams import questions, turn
from actseg_core.config import Config, StreamConfig
from actseg_core.image import resize_and_pad
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine


class PaperWindow(Config):
    """One window of 16 frames and one sentence, flow given."""

    size: int
    """Side of the network's input [px]."""
    eager: Spread
    """PyTorch, layer by layer: encoding and response."""
    runtime: str
    """What ran the network otherwise."""
    fast: Spread
    """The same on that runtime."""
    share_of_eager: float
    """Median of the runtime's time by the eager one's; the target is at most 0.55."""
    gflop: float
    """Operations of encoding [10^9], as PyTorch counts them."""
    gflops: float
    """Rate of encoding on the runtime [10^9 per second]."""
    matrix_gflops: float
    """Rate of the matrix product, taken in turn with it [10^9 per second]."""

    @property
    def share_of_matrix(self) -> float:
        """Rate of encoding by that of the matrix product."""
        return self.gflops / self.matrix_gflops


class PaperStream(Config):
    """Masks moved to every newest frame while windows are encoded in the background."""

    size: int
    """Side of the network's input [px]."""
    camera_hz: float
    """Rate of the camera."""
    masks_hz: float
    """Frames per second for which a mask came."""
    windows_hz: float
    """Windows encoded per second."""
    moved_ms: float
    """Median time over which masks were moved, by the stamps [ms]."""
    longest_moved_ms: float
    """The longest [ms]."""


def window(
    eager: Predictor, fast: Predictor, images: Sequence[NDArray[np.uint8]], calls: int
) -> PaperWindow:
    """Time one window on two runtimes and the matrix product, one call of each in turn."""
    size, count = eager.config.size, eager.config.frames
    frames = np.stack([resize_and_pad(item.image, size)[0] for item in play(images, count)])
    flow = np.zeros((*frames.shape[:3], 2), np.float32)
    sentence = [item for _, item in questions(eager, 1)]

    def answer(predictor: Predictor) -> object:
        return predictor.respond(predictor.encode(frames, flow), sentence)

    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        eager.encode(frames, flow)
    gflop = counter.get_total_flops() / 1e9
    slow, quick, encode, product = measure_in_turn(
        [
            lambda: answer(eager),
            lambda: answer(fast),
            lambda: fast.encode(frames, flow),
            matrix_product(),
        ],
        calls,
        warm_up=1,
    )
    return PaperWindow(
        size=size,
        eager=slow,
        runtime=fast.runtime,
        fast=quick,
        share_of_eager=quick.median_ms / slow.median_ms,
        gflop=gflop,
        gflops=1e3 * gflop / encode.median_ms,
        matrix_gflops=1e3 * product_gflop() / product.median_ms,
    )


def moving(
    predictor: Predictor,
    images: Sequence[NDArray[np.uint8]],
    camera_hz: float,
    seconds: float,
) -> PaperStream:
    """Show a camera in real time and count the masks, after the first one."""
    config = StreamConfig(mask_frame="newest", background=True, max_moved_s=60.0)
    engine = StreamingEngine(predictor, config)
    engine.set_queries(questions(predictor, 1))
    filling = predictor.config.frames
    camera = play(images, filling + round(seconds * camera_hz), camera_hz)
    answered, windows, moved_ns = 0, set(), []
    for frame, results in turn(engine, camera):
        if frame.sequence < filling or not results:
            continue
        result = next(iter(results.values()))
        answered += 1
        windows.add(result.window_end_ns)
        moved_ns.append(result.moved_ns)
    engine.close()
    return PaperStream(
        size=predictor.config.size,
        camera_hz=camera_hz,
        masks_hz=answered / seconds,
        windows_hz=len(windows) / seconds,
        moved_ms=float(np.median(moved_ns)) / 1e6 if moved_ns else 0.0,
        longest_moved_ms=max(moved_ns, default=0) / 1e6,
    )
