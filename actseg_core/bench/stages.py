"""The parts of one frame's work, each measured alone on one thread."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actseg_core.bench.hardware import cores
from actseg_core.bench.streams import questions
from actseg_core.bench.timing import Spread, measure
from actseg_core.config import Config, Stream
from actseg_core.flow.moving import join, steps_back
from actseg_core.image import flow_to_tensor, resize_and_pad, rgb_to_tensor
from actseg_core.predictor import Predictor


class Stage(Config):
    """One part of the work."""

    size: int
    """Side of the network's input [px]."""
    name: str
    """What is done."""
    time: Spread
    """How long it takes on one thread."""


def measure_stages(
    predictor: Predictor,
    images: Sequence[NDArray[np.uint8]],
    sentences: Sequence[int],
    calls: int,
) -> list[Stage]:
    """Time resizing, flow, trunks, heads, responses and masks of a lite network.

    Args:
        predictor: Of a lite network, its runtime on one thread.
        images: At least two, of the camera.
        sentences: Numbers of sentences for responses and masks.
        calls: Measured calls per stage.
    """
    found: list[Stage] = []

    def add(name: str, work: Callable[[], object]) -> None:
        time = measure(work, calls)
        found.append(Stage(size=predictor.config.size, name=name, time=time))

    first, _ = resize_and_pad(images[0], predictor.config.size)
    second, placement = resize_and_pad(images[1], predictor.config.size)
    flow = predictor.estimator.estimate(first, second)
    add("resize", lambda: resize_and_pad(images[1], predictor.config.size))
    add("flow", lambda: predictor.estimator.estimate(first, second))
    executor = predictor.executor
    features = {}
    for name in predictor.config.streams:
        picture = _input(predictor, name, second, flow)
        pyramid, entry = executor.step(name, picture)
        ring = [entry] * executor.entries(name)
        features[name] = executor.join(name, pyramid, ring)
        add(f"{name} trunk", _bound(executor.step, name, picture))
        add(f"{name} head", _bound(executor.join, name, pyramid, ring))
    for count in sentences:
        asked = [sentence for _, sentence in questions(predictor, count)]
        responses = predictor.respond(features, asked)
        add(f"respond to {count}", _bound(predictor.respond, features, asked))
        add(f"masks of {count}", _bound(predictor.decide, responses, asked, placement))
    back = steps_back(flow)
    add("move a mask (only with mask_frame: newest)", lambda: join(back, steps_back(flow)))
    return found


def one_thread() -> None:
    """OpenCV and PyTorch on one thread each."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def all_threads() -> None:
    """OpenCV and PyTorch on all cores."""
    cv2.setNumThreads(cores())
    torch.set_num_threads(cores())


def _bound(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: function(*arguments)


def _input(
    predictor: Predictor, name: Stream, image: NDArray[np.uint8], flow: NDArray[np.float32]
) -> Tensor:
    if name == "rgb":
        clip = rgb_to_tensor(image[np.newaxis])
    else:
        clip = flow_to_tensor(flow[np.newaxis], predictor.config.flow.clip_px)
    return clip[:, :, 0].to(predictor.device)
