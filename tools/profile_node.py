"""A picture of where the segmentation node's time goes, under a camera of 640x480 at 30 Hz.

    pip install --target FOLDER py-spy
    python tools/profile_node.py --py-spy FOLDER/bin/py-spy [--video FILE] [--seconds 20]
        [--out docs/images/node_profile.png] [-- -p preset:=lite ...]

py-spy looks at the node so many times a second; a bar's width is the share of these looks in which
a function was running, callers below. Threads that wait are not counted, and neither are ONNX
Runtime's own threads, which help in `ObjectSessions.see` and `look`. `--read FILE` draws what
py-spy wrote before (`--format raw`).
"""

import argparse
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from measure_node import SENTENCES, SETTLED_S, Client, split, start_camera, start_node
from std_msgs.msg import String

from actseg_core.evaluation.pictures import BLUE, GREEN, GREY, ORANGE, new_figure, save_figure

LOOKS_PER_S = 200
FIRST = ("CameraTask.turn", "SingleThreadedExecutor.spin_once")
"""The first function of a thread that says anything; what calls it is left out."""
SEEN_FROM = 0.004  # share of all looks below which a bar is left out
DEEPEST = 12
LETTER = 0.0066  # width of a letter, as a share of the picture's
COLOURS = ((r"Session\.run|ObjectSessions", ORANGE), (r"objects|motion|looks|tracks", BLUE))


@dataclass
class Bar:
    """A function in the stack of its callers.

    Attributes:
        looks: In which it was on the stack.
        parts: What it called, by name.
    """

    looks: int = 0
    parts: dict[str, "Bar"] = field(default_factory=dict)


def stacks(raw: str) -> Iterator[tuple[list[str], int]]:
    """Names from the thread on, and how often that stack was seen, from py-spy's raw format."""
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        start = stack.index("thread (")  # py-spy may name the process before it
        thread, *calls = stack[start:].split(";")
        names = [re.sub(r":\d+\)$", ")", call) for call in calls]
        first = next((k for k, name in enumerate(names) if name.startswith(FIRST)), 0)
        yield [thread.partition(": ")[2].strip('"'), *names[first:]], int(count)


def tree(raw: str) -> Bar:
    """All stacks as one tree."""
    root = Bar()
    for names, count in stacks(raw):
        bar = root
        bar.looks += count
        for name in names[:DEEPEST]:
            bar = bar.parts.setdefault(name, Bar())
            bar.looks += count
    return root


def draw(axes: Axes, bar: Bar, all_looks: int, left: float = 0.0, depth: int = 0) -> int:
    """The parts of a bar above it, the widest first; how many rows there are."""
    rows = depth
    for name, part in sorted(bar.parts.items(), key=lambda item: -item[1].looks):
        width = part.looks / all_looks
        if width >= SEEN_FROM:
            colour = next((c for pattern, c in COLOURS if re.search(pattern, name)), GREY)
            colour = GREEN if not depth else colour
            axes.add_patch(
                Rectangle((left, depth), width, 0.94, fc=colour, alpha=0.55, ec="white")
            )
            label = f"{name.split(' (')[0]} {100 * width:.0f} %"
            if len(label) * LETTER > width:
                label = label[: int(width / LETTER)]
            axes.text(left + 0.002, depth + 0.47, label, va="center", fontsize=7, clip_on=True)
            rows = max(rows, draw(axes, part, all_looks, left, depth + 1))
        left += width
    return max(rows, depth)


def picture(raw: str, out: Path) -> None:
    """Write the picture."""
    root = tree(raw)
    figure = new_figure(11.0, 4.6)
    axes = figure.subplots()
    rows = draw(axes, root, max(root.looks, 1))
    axes.set(xlim=(0, 1), ylim=(0, rows + 0.1), yticks=[])
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    axes.set_xlabel(f"share of the node's running time, callers below ({root.looks} looks)")
    axes.spines[["top", "right", "left"]].set_visible(False)
    save_figure(figure, out)


def record(py_spy: str, seconds: int, own: Sequence[str], rest: Sequence[str]) -> str:
    """What py-spy says of a node that has been answering for a while."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))
    children = [start_node(*rest), start_camera(*own)]
    try:
        client = Client()
        client.spin(lambda: client.command.get_subscription_count() > 0, 180.0)
        client.command.publish(String(data=SENTENCES[0]))
        client.wait_for_mask()
        client.spin(lambda: False, SETTLED_S)
        with TemporaryDirectory() as folder:
            raw = Path(folder) / "raw.txt"
            options = ["--nonblocking", "--threads", "--format", "raw", "--output", str(raw)]
            looks = ["--rate", str(LOOKS_PER_S), "--duration", str(seconds)]
            watch = subprocess.Popen(
                [py_spy, "record", "--pid", str(children[0].pid), *options, *looks],
                stdout=subprocess.DEVNULL,
            )
            client.spin(lambda: watch.poll() is not None, seconds + 120.0)
            return raw.read_text()
    finally:
        children[0].terminate()
        children[1].kill()
        for child in children:
            child.wait(60)


def main() -> None:
    """Record and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--py-spy", default="py-spy")
    parser.add_argument("--video", default="")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--read", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images/node_profile.png"))
    own, rest = split(sys.argv[1:])
    args = parser.parse_args(own)
    camera = ["--video", args.video] if args.video else []
    picture(
        args.read.read_text() if args.read else record(args.py_spy, args.seconds, camera, rest),
        args.out,
    )


if __name__ == "__main__":
    main()
