"""The main job on a real video: nodes as processes, sentences, a table, MP4 and PNG in out/.

python -m actseg_ros.demo.run --video FILE
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import rclpy
import typer
from actseg.msg import ActorMaskArray, SegmentationStatus
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from rich.markup import escape
from std_msgs.msg import String

from actseg_core.errors import ActSegError
from actseg_core.live.states import State
from actseg_core.video import open_source
from actseg_ros.demo.clips import (
    LONGEST_SIDE_PX,
    SENTENCES,
    Show,
    generated_show,
    real_clip,
    real_show,
)
from actseg_ros.demo.report import Row, files, table, wide_enough

EXIT_NO_MASK = 1
EXIT_USER = 2
EXIT_STOPPED = 130
TOTAL_S = 50.0
SWITCH_S = 6.0  # for camera and recorder of a clip to come and go
MODEL_TIMEOUT_S = 40.0
FIRST_ANSWER_S = 12.0
VIDEO_S = 6.0
CLIP_S = 5.0
STOP_TIMEOUT_S = 5.0
NODE_TOPICS = "/actseg"
# About a video of which nothing is known.
ANY_VIDEO = ("the person on the left", "the person on the right")

console = wide_enough()


class Children:
    """Node processes whose output goes to a log file; none outlives the demo.

    Args:
        log: Open for writing.
        environment: Of the processes.
    """

    def __init__(self, log: BinaryIO, environment: dict[str, str]) -> None:
        self._log, self._environment = log, environment
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self, module: str, remap: dict[str, str], **parameters: Any
    ) -> subprocess.Popen[bytes]:
        """Start `python -m actseg_ros.MODULE` with parameters and remappings."""
        command = [sys.executable, "-m", f"actseg_ros.{module}", "--ros-args"]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={_literal(value)}"]
        for source, target in remap.items():
            command += ["-r", f"{source}:={target}"]
        process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, env=self._environment
        )
        self._running.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End one as Ctrl-C would; kill it if it does not end."""
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self._running:
            self._running.remove(process)

    def stop_all(self) -> None:
        """End all, the last started first."""
        for process in reversed(list(self._running)):
            self.stop(process)


class Client:
    """Publishes sentences and receives the answers.

    Args:
        until_s: Steady clock when the demo must be over [s].
    """

    def __init__(self, until_s: float) -> None:
        self.until_s = until_s
        self.node = rclpy.create_node("demo")
        self.state = State.UNCONFIGURED
        self.revision = 0
        self._row: Row | None = None
        many = QoSProfile(depth=50)
        self.node.create_subscription(
            SegmentationStatus, f"{NODE_TOPICS}/status", self._on_status, many
        )
        self.node.create_subscription(
            ActorMaskArray, f"{NODE_TOPICS}/result", self._on_result, many
        )
        self._command = self.node.create_publisher(String, f"{NODE_TOPICS}/command", 10)

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Handle messages until a condition holds; False after `timeout_s` [s] or at the end."""
        end_s = min(time.monotonic() + timeout_s, self.until_s)
        while not condition():
            if time.monotonic() >= end_s:
                return False
            rclpy.spin_once(self.node, timeout_sec=0.02)
        return True

    def command(self, text: str) -> None:
        """Publish a sentence; an empty one clears."""
        self._command.publish(String(data=text))

    def ask(self, row: Row, seconds: float) -> None:
        """Publish a row's sentence and collect its answers for some time after the first."""
        self._row = row
        self.command(row.sentence)
        if self.wait(lambda: bool(row.states), FIRST_ANSWER_S):
            self.wait(lambda: False, seconds)
        self._row = None

    def left_s(self) -> float:
        """Time until the demo must be over [s]."""
        return max(0.0, self.until_s - time.monotonic())

    def is_ready(self) -> bool:
        """Whether the node takes commands."""
        return self.state > State.INACTIVE and self._command.get_subscription_count() > 0

    def _on_status(self, message: SegmentationStatus) -> None:
        self.state = State(message.state.value)

    def _on_result(self, message: ActorMaskArray) -> None:
        received_ns = time.time_ns()
        for mask in message.masks:
            wanted = self._row is not None and mask.sentence == self._row.sentence
            if wanted and self._row is not None and State(mask.state.value).is_answer:
                self._row.add(mask, received_ns)


def play(
    show: Show, children: Children, client: Client, out: Path, budget_s: float, rows: list[Row]
) -> None:
    """Camera and recorder for one clip, its sentences one after the other.

    Args:
        show: The clip.
        children: Starts the processes.
        client: Asks.
        out: Folder of the recording.
        budget_s: Time for all of it [s].
        rows: One is added per sentence, and filled while answers come.
    """
    recorder = children.start(
        "players.recorder",
        {"~/image": f"{NODE_TOPICS}/overlay"},
        folder=out,
        name=show.name,
        picture_every_s=2.0,
    )
    camera = children.start(
        "players.video_camera", {}, source=show.source, max_side_px=LONGEST_SIDE_PX
    )
    # The recorder starts with the plain camera picture, and misses no answer.
    client.wait(lambda: client.node.count_subscribers(f"{NODE_TOPICS}/overlay") > 0, SWITCH_S)
    client.wait(lambda: client.state is State.IDLE, SWITCH_S)
    for sentence in show.sentences:
        console.print(f"[bold]{show.name}[/]: {escape(sentence)}")
        seconds = min(show.seconds, (budget_s - SWITCH_S) / len(show.sentences))
        rows.append(Row(show.name, sentence))
        client.ask(rows[-1], max(1.0, seconds))
    client.command("")
    children.stop(camera)
    children.stop(recorder)


def run(
    shows: list[Callable[[Path], Show]], out: Path, model: dict[str, Any], rows: list[Row]
) -> None:
    """Everything between the first process and the last; `rows` is filled meanwhile."""
    until_s = time.monotonic() + TOTAL_S
    log_path = out / "nodes.log"
    with log_path.open("wb") as log, tempfile.TemporaryDirectory() as scratch:
        children = Children(log, environment())
        try:
            images = {"~/image": "/camera/image_raw"}
            node = children.start("segmentation_node", images, **model)
            client = Client(until_s)
            prepared = [make(Path(scratch)) for make in shows]
            ready = client.wait(
                lambda: client.is_ready() or node.poll() is not None, MODEL_TIMEOUT_S
            )
            if not ready or node.poll() is not None:
                raise ActSegError(f"the node did not start: {_last_line(log_path)}")
            for done, show in enumerate(prepared):
                budget_s = client.left_s() / (len(prepared) - done)
                play(show, children, client, out, budget_s, rows)
        finally:
            children.stop_all()


def environment() -> dict[str, str]:
    """Of all processes, ours too: a domain of our own on this machine only, and large images."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("FASTDDS_BUILTIN_TRANSPORTS", "LARGE_DATA")
    return dict(os.environ)


def _literal(value: Any) -> str:
    """A parameter value as rcl reads it: YAML, where a quoted text is one whatever is in it."""
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


@contextmanager
def _ros() -> Iterator[None]:
    environment()
    # With rclpy's own handlers Ctrl-C would end the context before the nodes are stopped.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        rclpy.try_shutdown()


def demo(
    video: Annotated[
        str | None,
        typer.Option(help="Video, folder, webcam or stream to play; none: a clip of ours."),
    ] = None,
    sentence: Annotated[
        list[str] | None, typer.Option(help="What to look for in it; may be given many times.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    preset: Annotated[str, typer.Option(help="Model.")] = "lite",
    checkpoint: Annotated[str, typer.Option(help="Weights in place of the preset's.")] = "",
    generated: Annotated[bool, typer.Option(help="Play a generated clip, too.")] = True,
    seconds: Annotated[float, typer.Option(min=0.5, help="Per sentence, at most.")] = VIDEO_S,
) -> None:
    """Show the main job: a video as the camera, sentences, masks in out/."""
    since_ns = time.time_ns()
    rows: list[Row] = []
    is_stopped = False
    try:
        out.mkdir(parents=True, exist_ok=True)
        shows = [_first_show(video, tuple(sentence or ()), seconds)]
        if generated:
            shows.append(lambda folder: generated_show(folder, min(seconds, CLIP_S)))
        with _ros():
            run(shows, out, {"preset": preset, "checkpoint": checkpoint}, rows)
    except KeyboardInterrupt:
        is_stopped = True
    except (ActSegError, OSError) as error:
        typer.echo(f"actseg: {error}", err=True)
        raise typer.Exit(EXIT_USER) from None
    console.print(table(rows))
    typer.echo("The masks over the video are in")
    for line in files(out, dict.fromkeys(row.clip for row in rows), since_ns):
        typer.echo(f"  {line}")
    if is_stopped:
        raise typer.Exit(EXIT_STOPPED)
    if not all(row.states for row in rows):
        typer.echo(f"actseg: no mask arrived for a sentence; see {out / 'nodes.log'}", err=True)
        raise typer.Exit(EXIT_NO_MASK)


def _first_show(
    video: str | None, sentences: tuple[str, ...], seconds: float
) -> Callable[[Path], Show]:
    if video is None:
        real_clip()
        return lambda folder: real_show(folder, sentences or SENTENCES, seconds)
    open_source(video).close()  # what cannot be played is told before anything starts
    show = Show("video", video, sentences or ANY_VIDEO, seconds)
    return lambda _: show


if __name__ == "__main__":
    typer.run(demo)
