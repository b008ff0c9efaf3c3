"""What the graphs of a model cost in every runtime, for docs/runtimes.md.

    python tools/measure_runtimes.py lite --threads 1
    python tools/measure_runtimes.py paper --size 160 --threads 1

CPU time is given beside wall time: on a busy machine it is the steadier of the two. With --masks
FOLDER (videos or image folders) also how far masks of every runtime are from PyTorch's.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.checkpoints.stored import checkpoint_path
from actseg_core.config import RuntimeConfig, load_preset
from actseg_core.errors import ActSegError
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.objects.perception import GRID
from actseg_core.predictor import Predictor
from actseg_core.runtime.executor import Executor
from actseg_core.runtime.graphs import CHANNELS
from actseg_core.runtime.object_runner import make_object_runner
from actseg_core.runtime.select import make_executor
from actseg_core.types import Clip
from actseg_core.video import read_video

SETTINGS = {
    "torch eager": None,
    "torch": RuntimeConfig(runtime="torch"),
    "onnxruntime": RuntimeConfig(runtime="onnxruntime"),
    "openvino": RuntimeConfig(runtime="openvino"),
    "openvino half": RuntimeConfig(runtime="openvino", half=True),
}
SENTENCES = ("person walking", "person in red", "dog running", "car")


Model = Network | ObjectsModel
Parts = dict[str, Callable[[], object]]


def main() -> None:
    """Print one Markdown table of costs and, if asked, one of masks."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("model", help="preset or checkpoint; without weights: random ones")
    options.add_argument("--size", type=int, default=0, help="side of the input [px]")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--repeats", type=int, default=20)
    options.add_argument("--masks", type=Path, nargs="*", default=[], help="videos")
    given = options.parse_args()
    model = _model(given.model, given.size)
    torch.set_num_threads(given.threads)
    size = model.config.size
    print(f"{given.model}, {size} px, {given.threads} threads; ms of CPU time (of wall time)\n")
    print("| part | runtime | median | least |\n|---|---|---|---|")
    _line("1024-cubed product", "torch", _product, given.repeats)
    for name, settings in SETTINGS.items():
        try:
            parts = _parts(
                model, settings and settings.model_copy(update={"threads": given.threads})
            )
        except ActSegError as error:
            print(f"| | {name} | {error} | |")
            continue
        for part, work in parts.items():
            _line(part, name, work, given.repeats)
    if given.masks:
        _masks(given.model, given.masks, given.threads)


def _model(name: str, size: int) -> Model:
    try:
        model = load_checkpoint(checkpoint_path(name)).model
    except ActSegError:
        model = build_model(load_preset(name))
    if size:
        config = model.config.model_copy(update={"size": size})
        other = ObjectsModel(config) if isinstance(model, ObjectsModel) else Network(config)
        other.load_state_dict(model.state_dict())
        model = other.eval()
    return model


def _parts(model: Model, settings: RuntimeConfig | None) -> Parts:
    if isinstance(model, ObjectsModel):
        return _object_parts(model, settings)
    return _clip_parts(Executor(model) if settings is None else make_executor(model, settings))


def _object_parts(model: ObjectsModel, settings: RuntimeConfig | None) -> Parts:
    """One 4:3 frame, and the boxes of so many objects in it."""
    runner, _ = make_object_runner(model, settings)
    size, random = model.config.size, np.random.default_rng(0)
    image = random.integers(0, 255, (size * 3 // 4 // GRID * GRID, size, 3), np.uint8)
    seen = runner.see(image)
    work: Parts = {"see": lambda: runner.see(image)}
    for count in (1, 8, 32):
        boxes = random.uniform(size / 4, size / 2, (count, 4)).astype(np.float32)
        work[f"look {count}"] = lambda boxes=boxes: runner.look(seen, boxes)
    return work


def _clip_parts(executor: Executor) -> Parts:
    config = executor.network.config
    shape = (config.frames, config.size, config.size)
    clips = {name: torch.rand(1, CHANNELS[name], *shape) * 2 - 1 for name in config.streams}
    features = executor.encode(clips)
    work: Parts = {
        f"encode {name}": lambda name=name, clip=clip: executor._encode(name, clip)
        for name, clip in clips.items()
    }
    for count in (1, 4, 16):
        words = torch.randn(count, config.text.max_words, config.text.word_dim)
        filters = executor.filters(words)
        work[f"respond {count}"] = lambda filters=filters: executor.respond(features, filters)
        work[f"filters {count}"] = lambda words=words: executor.filters(words)
    return work


def _line(part: str, name: str, work: Callable[[], object], repeats: int) -> None:
    work()
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(1e3 * (time.perf_counter() - wall))
        cpus.append(1e3 * (time.process_time() - cpu))
    print(
        f"| {part} | {name} | {statistics.median(cpus):.1f} ({statistics.median(walls):.1f}) "
        f"| {min(cpus):.1f} ({min(walls):.1f}) |",
        flush=True,
    )


def _product() -> torch.Tensor:
    matrix = torch.ones(1024, 1024)
    return matrix @ matrix


def _masks(model: str, videos: list[Path], threads: int) -> None:
    plain = Predictor.load(model, runtime=RuntimeConfig(runtime="torch"))
    clips = [_clip(path, plain.config.frames, start) for path in videos for start in (0, 40)]
    sentences = [plain.read(text) for text in SENTENCES]
    wanted = [plain.predict(clip, sentences) for clip in clips]
    print("\n| runtime | masks | mean IoU with PyTorch's | least | other verdicts |")
    print("|---|---|---|---|---|")
    for name, settings in SETTINGS.items():
        if settings is None:
            continue
        try:
            other = Predictor.load(model, runtime=settings.model_copy(update={"threads": threads}))
        except ActSegError as error:
            print(f"| {name} | {error} |")
            continue
        shared, verdicts = [], 0
        for clip, answers in zip(clips, wanted, strict=True):
            for ours, theirs in zip(other.predict(clip, sentences), answers, strict=True):
                verdicts += ours.found != theirs.found
                if ours.found and theirs.found:
                    both = (ours.mask > 0) & (theirs.mask > 0)
                    either = (ours.mask > 0) | (theirs.mask > 0)
                    shared.append(both.sum() / either.sum())
        print(
            f"| {name} | {len(shared)} | {np.mean(shared):.4f} | {np.min(shared):.4f} "
            f"| {verdicts} of {len(clips) * len(sentences)} |"
        )


def _clip(path: Path, frames: int, start: int) -> Clip:
    images = []
    for item in read_video(path):
        if item.index >= start:
            images.append(item.image)
        if len(images) == frames:
            return Clip(np.stack(images))
    raise SystemExit(f"{path} has fewer than {start + frames} frames")


if __name__ == "__main__":
    main()
