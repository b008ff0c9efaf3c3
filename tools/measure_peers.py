"""Masks per second of the default model beside what one would take instead, in one run.

    python tools/measure_peers.py --mttr FOLDER --packages FOLDER [--network FILE.onnx]
        [--video FILE] [--rounds 5] [--out FILE.json] [--page docs/performance.md]

- MTTR (Botach et al., CVPR 2022) answers sentences about videos. Its public code is given as a
  folder; its weights are random, because they do not change its speed. What it imports and we do
  not is taken from --packages, a folder that pip has filled (torchvision of torch's release):

      pip install --no-deps --target FOLDER torchvision timm einops transformers==4.46.3 \
          tokenizers==0.20.3 huggingface_hub==0.26.5 regex requests urllib3 idna certifi \
          charset-normalizer

- An instance network without sentences, as an ONNX file with one picture as its input.

All get the same frames of 640x480 and as many threads as there are cores, one after the other in
each round: whatever else runs disturbs them alike. With --page the table between
`<!-- bench peers -->` and `<!-- end -->` is written anew.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from actseg_core import Frame, Predictor, StreamingEngine
from actseg_core.bench.hardware import cores, describe
from actseg_core.bench.setup import pictures
from actseg_core.bench.tables import fill_page
from actseg_core.video import read_video

Image = NDArray[np.uint8]
SENTENCE = "the man on the left"
WINDOW = 8  # frames that MTTR reads at once on A2D-Sentences
SHORT_SIDE = 320  # [px] that it is evaluated with there
WORDS_TO_TOKENS = 1  # a common English word is one token of RoBERTa's
ROBERTA = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1}
OURS_PER_ROUND = 40


class Ours:
    """The streaming engine, as the node uses it."""

    name = "actseg, default model: one sentence, every frame answered"

    def __init__(self, images: list[Image]) -> None:
        predictor = Predictor.load("lite")
        self._engine = StreamingEngine(predictor)
        self._engine.set_queries([("1", predictor.read(SENTENCE))])
        self._images, self._count = images, 0
        for _ in range(predictor.config.frames):
            self._next()

    def _next(self) -> None:
        image = self._images[self._count % len(self._images)]
        self._count += 1
        self._engine.push(Frame(image, self._count * 33_333_333, "camera", self._count))
        for result in self._engine.answer().values():
            assert result.mask.shape == image.shape[:2]

    def __call__(self) -> float:
        """Seconds per mask."""
        start_s = time.perf_counter()
        for _ in range(OURS_PER_ROUND):
            self._next()
        return (time.perf_counter() - start_s) / OURS_PER_ROUND


class Network:
    """An instance network in ONNX Runtime, on the frame at the size that it wants."""

    def __init__(self, path: Path, images: list[Image], side: int) -> None:
        import onnxruntime

        self.name = f"{path.name}: instances of each frame, no sentences, no tracks"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cores()
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        given = self._session.get_inputs()[0]
        sides = [size if isinstance(size, int) else side for size in given.shape[-2:]]
        self._input, self._size = given.name, (sides[1], sides[0])
        self._image = images[0]
        self()

    def __call__(self) -> float:
        """Seconds per frame, its own choice of boxes and masks not counted."""
        start_s = time.perf_counter()
        picture = cv2.resize(self._image, self._size).astype(np.float32) / 255
        self._session.run(
            None, {self._input: np.ascontiguousarray(picture.transpose(2, 0, 1))[None]}
        )
        return time.perf_counter() - start_s


class Mttr:
    """MTTR in a process of its own, because of what it imports."""

    name = "MTTR, random weights, PyTorch: one sentence, 8 frames of 320 px for each mask"

    def __init__(self, folder: Path, packages: Path, images: list[Image]) -> None:
        paths = [str(folder), str(packages), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker", "--mttr", str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self()  # warms up

    def __call__(self) -> float:
        """Seconds per mask.

        Raises:
            SystemExit: If the process has ended; its error is on stderr.
        """
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write("again\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        told = self._process.stdout.readline()
        if not told:
            raise SystemExit("MTTR has ended, see above; are all its --packages there?")
        return float(told)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)


def mttr_worker(folder: Path) -> None:
    """Answer one window for each line that comes, and print the seconds it took."""
    import torch

    # torchvision's compiled part wants the torch it was built with; MTTR uses none of it, but
    # importing it fails where these operators are not known.
    for name in ("nms", "qnms"):
        arguments = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        torch.library.define(f"torchvision::{name}", arguments)
    import transformers
    from transformers import RobertaConfig, RobertaModel

    class Tokenizer:
        """As many tokens as RoBERTa's makes of common words."""

        def batch_encode_plus(self, texts: list[str], **_: object) -> Any:
            rows = [[0, *range(100, 100 + WORDS_TO_TOKENS * len(t.split())), 2] for t in texts]
            ids = torch.tensor(rows)
            given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            return transformers.BatchEncoding(given)

    def random_roberta(*_: object, **__: object) -> RobertaModel:
        return RobertaModel(RobertaConfig(**ROBERTA)).eval()

    transformers.RobertaModel.from_pretrained = staticmethod(random_roberta)
    transformers.RobertaTokenizerFast.from_pretrained = staticmethod(lambda *_: Tokenizer())
    from misc import nested_tensor_from_videos_list  # of MTTR's folder, as the next one
    from models.mttr import build

    settings = yaml.safe_load((folder / "configs" / "a2d_sentences.yaml").read_text())
    values = {name: entry["value"] for name, entry in settings.items()}
    model, _, after = build(Namespace(**values, device="cpu", running_mode="eval"))
    model.eval()
    torch.set_num_threads(cores())
    height, width = SHORT_SIDE, SHORT_SIDE * 4 // 3
    frames = [torch.rand(WINDOW, 3, height, width)]
    for _ in sys.stdin:
        start_s = time.perf_counter()
        with torch.inference_mode():
            window = nested_tensor_from_videos_list(frames)
            out = model(window, torch.tensor([WINDOW // 2]), [SENTENCE])
            out.pop("aux_outputs", None)
            out = {name: value.flatten(0, 1) for name, value in out.items()}
            after(out, (height, width), [(height, width)], [(480, 640)])
        print(time.perf_counter() - start_s, flush=True)


def table(rows: list[dict[str, Any]], about: str) -> str:
    """Medians in Markdown, ours first."""
    lines = [f"{about}\n", "| what | seconds per mask | masks per second | we are |"]
    lines.append("|---|---|---|---|")
    for row in rows:
        low, middle, high = (row[name] for name in ("low_s", "median_s", "high_s"))
        lines.append(
            f"| {row['what']} | {middle:.3f} ({low:.3f} to {high:.3f}) | {1 / middle:.2f} "
            f"| {row['times']:.1f} times as fast |"
        )
    return "\n".join(lines) + "\n"


def measure(peers: list[Any], rounds: int) -> list[dict[str, Any]]:
    """One call of each in turn; ratios pair by pair."""
    took: list[list[float]] = [[] for _ in peers]
    for _ in range(rounds):
        for peer, seconds in zip(peers, took, strict=True):
            seconds.append(peer())
    rows = []
    for peer, seconds in zip(peers, took, strict=True):
        ratios = np.divide(seconds, took[0])
        rows.append(
            {
                "what": peer.name,
                "low_s": min(seconds),
                "median_s": float(np.median(seconds)),
                "high_s": max(seconds),
                "times": float(np.median(ratios)),
            }
        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mttr", type=Path, help="folder of its code")
    parser.add_argument("--packages", type=Path, help="folder of what it imports")
    parser.add_argument("--network", type=Path, action="append", default=[], help="ONNX file")
    parser.add_argument("--side", type=int, default=640, help="of a network that takes any [px]")
    parser.add_argument("--video", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        mttr_worker(options.mttr)
        return
    found = (
        [frame.image for frame in islice(read_video(options.video), 60)]
        if options.video
        else pictures(None)
    )
    images = [np.asarray(cv2.resize(image, (640, 480)), np.uint8) for image in found]
    peers: list[Callable[[], float]] = [Ours(images)]
    peers += [Network(path, images, options.side) for path in options.network]
    if options.mttr:
        peers.append(Mttr(options.mttr, options.packages or Path(), images))
    rows = measure(peers, options.rounds)
    for peer in peers:
        if isinstance(peer, Mttr):
            peer.close()
    machine = describe()
    about = (
        f"{machine.processor}, {machine.cores} cores, load average {machine.load_before:g} at the "
        f"end; {options.rounds} rounds, medians (least to most)."
    )
    text = table(rows, about)
    print(text)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n")
    if options.page:
        fill_page(options.page, {"peers": text})


if __name__ == "__main__":
    main()
