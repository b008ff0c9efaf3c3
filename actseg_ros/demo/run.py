"""The main job on a real video: nodes as processes, sentences, a table, MP4 and PNG in out/.

python -m actseg_ros.demo.run --video FILE
"""

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import rclpy
import typer
from rclpy.signals import SignalHandlerOptions
from rich.markup import escape

from actseg_core.errors import ActSegError
from actseg_core.live.states import State
from actseg_core.video import open_source
from actseg_core.web.config import WebConfig
from actseg_ros.demo.clips import (
    LONGEST_SIDE_PX,
    SENTENCES,
    Show,
    generated_show,
    real_clip,
    real_show,
)
from actseg_ros.demo.page import keep_up
from actseg_ros.demo.processes import NODE_TOPICS, Children, Client
from actseg_ros.demo.report import Row, files, table, wide_enough

EXIT_NO_MASK = 1
EXIT_USER = 2
EXIT_STOPPED = 130
TOTAL_S = 50.0
SWITCH_S = 6.0  # for camera and recorder of a clip to come and go
MODEL_TIMEOUT_S = 40.0
VIDEO_S = 6.0
CLIP_S = 5.0
PAGE_HINT = "To ask about the same clip on a page in your browser: make demo WEB=1 (or --web)"
# About a video of which nothing is known.
ANY_VIDEO = ("the person on the left", "the person on the right")

console = wide_enough()


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
    shows: list[Callable[[Path], Show]],
    out: Path,
    settings: dict[str, Any],
    rows: list[Row],
    and_then: Callable[[], None] | None,
) -> None:
    """Everything between the first process and the last.

    Args:
        shows: Make the clips.
        out: Folder of the results.
        settings: Parameters of the node.
        rows: Filled meanwhile.
        and_then: Called after the last clip; the page is kept up then. None: it ends there.
    """
    until_s = time.monotonic() + TOTAL_S
    log_path = out / "nodes.log"
    with log_path.open("wb") as log, tempfile.TemporaryDirectory() as scratch:
        children = Children(log, environment())
        try:
            images = {"~/image": "/camera/image_raw"}
            node = children.start("segmentation_node", images, **settings)
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
            if and_then is not None:
                and_then()
                keep_up(prepared[0], children, client, node, log_path)
        finally:
            children.stop_all()


def environment() -> dict[str, str]:
    """Of all processes, ours too: a domain of our own on this machine only, and large images."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("FASTDDS_BUILTIN_TRANSPORTS", "LARGE_DATA")
    return dict(os.environ)


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
    web: Annotated[
        bool, typer.Option("--web", help="Then keep the page up until Ctrl-C.")
    ] = False,
    web_port: Annotated[int, typer.Option(help="Its TCP port.")] = WebConfig().port,
) -> None:
    """Show the main job: a video as the camera, sentences, masks in out/."""
    since_ns = time.time_ns()
    rows: list[Row] = []
    is_stopped = False
    settings: dict[str, Any] = {"preset": preset, "checkpoint": checkpoint}

    def report() -> None:
        console.print(table(rows))
        typer.echo("The masks over the video are in")
        for line in files(out, dict.fromkeys(row.clip for row in rows), since_ns):
            typer.echo(f"  {line}")

    try:
        out.mkdir(parents=True, exist_ok=True)
        shows = [_first_show(video, tuple(sentence or ()), seconds)]
        if generated:
            shows.append(lambda folder: generated_show(folder, min(seconds, CLIP_S)))
        if web:
            settings |= {"web.enabled": True, "web.port": web_port}
        with _ros():
            run(shows, out, settings, rows, report if web else None)
    except KeyboardInterrupt:
        is_stopped = True
    except (ActSegError, OSError) as error:
        typer.echo(f"actseg: {error}", err=True)
        raise typer.Exit(EXIT_USER) from None
    if not web or is_stopped:
        report()
    if is_stopped:
        raise typer.Exit(EXIT_STOPPED)
    if not all(row.states for row in rows):
        typer.echo(f"actseg: no mask arrived for a sentence; see {out / 'nodes.log'}", err=True)
        raise typer.Exit(EXIT_NO_MASK)
    if not web:
        typer.echo(PAGE_HINT)


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
