"""`actseg live`: a camera or video, and a page in the browser to ask about it. No ROS."""

import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import numpy as np
import typer
from numpy.typing import NDArray

from actseg_core.cli.stopping import stop_signals
from actseg_core.config import Runtime, RuntimeConfig, StreamConfig
from actseg_core.errors import ActSegError
from actseg_core.live.camera_task import CameraTask
from actseg_core.live.frame_checks import NANOSECONDS, FrozenWatch, StampGate
from actseg_core.live.queries import QuerySet
from actseg_core.live.reports import Health
from actseg_core.live.states import State
from actseg_core.live.worker import Worker
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.video import FrameSource, open_source
from actseg_core.video.playing import Pacer, played
from actseg_core.web.commands import Commands
from actseg_core.web.config import WebConfig
from actseg_core.web.server import WebServer
from actseg_core.web.view import View

DEFAULTS = WebConfig()
RUNTIMES = get_args(Runtime)
# Pictures are shown with the masks that belong to them; on a slow computer a late pair is better
# than none.
MAX_AGE_S = 10.0
FROZEN_FRAMES = 30
TRY_AGAIN_S = 2.0
LOOK_S = 0.1
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Stamp:
    """Of a header, as the worker reads it."""

    sec: int
    nanosec: int


@dataclass(frozen=True)
class Header:
    """Of an image."""

    stamp: Stamp
    frame_id: str


@dataclass(frozen=True, eq=False)
class CameraImage:
    """One image of the source, for the worker."""

    header: Header
    image: NDArray[np.uint8]


class Clock:
    """The time of day [ns] at the start, and from there on steady."""

    def __init__(self) -> None:
        self._start_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Time [ns]."""
        return self._start_ns + time.monotonic_ns()


class Camera:
    """Plays a source in a thread of its own; a camera that fails is tried again.

    Args:
        source: As `open_source` takes it.
        opened: The source, open.
        clock: For the stamps.
        rate_hz: Frames per second [Hz] of a file; 0: its own times.
        loop: Whether a file begins anew at its end.

    Attributes:
        problem: Why no images come; empty if they do.
        error: Why it has ended; None: it has not, or at the file's end.
    """

    def __init__(
        self, source: str, opened: FrameSource, clock: Clock, rate_hz: float, loop: bool
    ) -> None:
        self._source, self._opened, self._clock = source, opened, clock
        self._rate_hz, self._loop = rate_hz, loop
        self._stopping = threading.Event()
        self._frozen = FrozenWatch(FROZEN_FRAMES if opened.is_live else 0)
        self._thread: threading.Thread | None = None
        self.problem = ""
        self.error: ActSegError | None = None

    @property
    def is_running(self) -> bool:
        """Whether images may still come."""
        return self._thread is not None and self._thread.is_alive()

    def hint(self) -> str:
        """What seems to be wrong with the pictures; empty if nothing."""
        return self._frozen.hint()

    def start(self, task: CameraTask) -> None:
        """Hand images to the worker from now on."""
        self._thread = threading.Thread(
            target=self._run, args=(task,), name="actseg_camera", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread; one that waits for its device goes with the process."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)
            if not self._thread.is_alive():
                self._opened.close()

    def _run(self, task: CameraTask) -> None:
        while not self._stopping.is_set():
            try:
                self._play(task)
                return
            except ActSegError as error:
                if not self._opened.is_live:
                    self.error = error
                    return
                self.problem = f"{error}; it is tried again every {TRY_AGAIN_S:g} s"
            self._open_again()

    def _play(self, task: CameraTask) -> None:
        pacer = Pacer(time.monotonic())
        for image, interval_s in played(self._opened, self._rate_hz, self._loop):
            if not self._opened.is_live:
                self._stopping.wait(pacer.wait_s(time.monotonic(), interval_s))
            if self._stopping.is_set():
                return
            self.problem = ""
            self._frozen.look(image)
            seconds, nanoseconds = divmod(self._clock.now_ns(), NANOSECONDS)
            task.offer(CameraImage(Header(Stamp(seconds, nanoseconds), "camera"), image))

    def _open_again(self) -> None:
        self._opened.close()
        while not self._stopping.wait(TRY_AGAIN_S):
            try:
                self._opened = open_source(self._source)
                return
            except ActSegError as error:
                self.problem = f"{error}; it is tried again every {TRY_AGAIN_S:g} s"


def live(
    source: Annotated[
        str, typer.Argument(help="Webcam (0), video file, image folder or stream (rtsp://...).")
    ],
    sentences: Annotated[
        list[str] | None, typer.Argument(help="Sentences to begin with; more on the page.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0: the network, with a token.")
    ] = DEFAULTS.host,
    port: Annotated[int, typer.Option(help="TCP port; 0: any that is free.")] = DEFAULTS.port,
    token: Annotated[
        str, typer.Option(help="Secret for browsers; none: a new one where one is needed.")
    ] = DEFAULTS.token,
    browser: Annotated[
        bool, typer.Option("--browser", help="Open the page in this machine's browser.")
    ] = False,
    loop: Annotated[bool, typer.Option(help="Play a file over and over.")] = True,
    rate: Annotated[
        float, typer.Option(min=0.0, help="Frames per second of a file; 0: its own times.")
    ] = 0.0,
    model: Annotated[
        str, typer.Option(help="Preset with weights, or a .safetensors file.")
    ] = "lite",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")] = "cpu",
    runtime: Annotated[str, typer.Option(help=f"What runs it: {', '.join(RUNTIMES)}.")] = "auto",
    threads: Annotated[int, typer.Option(help="Of the network on a CPU; 0: all cores.")] = 0,
    half: Annotated[bool, typer.Option("--half", help="Compute in 16 bits; not exact.")] = False,
) -> None:
    """Show a camera or video in the browser, and mark what you type there.

    Ends with Ctrl-C, or at the end of a file with --no-loop. A camera that is unplugged is tried
    again until it is back; the page says so.
    """
    web = WebConfig.from_mapping({"host": host, "port": port, "token": token})
    settings = RuntimeConfig.from_mapping({"runtime": runtime, "threads": threads, "half": half})
    opened = open_source(source)  # what cannot be played is told before the model is loaded
    clock, stream = Clock(), StreamConfig(max_age_s=MAX_AGE_S)
    queries = QuerySet(stream.max_queries, stream.max_sentence_chars)
    view = View(queries, Path(opened.name).name)  # where it lies is nobody's business
    camera = Camera(source, opened, clock, rate, loop)
    changed = _Later()
    server = WebServer(web, view, Commands(queries, clock.now_ns, changed, typer.echo), typer.echo)
    server.start()
    try:
        typer.echo(f"The page: {server.url}   (Ctrl-C ends)")
        view.health(Health(State.UNCONFIGURED, detail="loading the model"))
        if browser:
            webbrowser.open(server.url)
        predictor = Predictor.load(model, device, settings)
        queries.attach(predictor.read)
        for text in sentences or ():
            queries.add(text, 0, clock.now_ns())
        task = CameraTask(
            StreamingEngine(predictor, stream),
            queries,
            view,
            lambda message: message.image,
            stream,
            StampGate(stream.max_age_s, MAX_AGE_S),
            clock.now_ns,
            missing=lambda: camera.problem or "is the camera running?",
            idle="",
        )
        changed.call = task.queries_changed
        typer.echo(f"{opened.name}, about {opened.fps:.4g} Hz; model {predictor.config.name}")
        with stop_signals() as stop, _running(task, camera):
            while camera.is_running and not stop.number:
                view.hint = camera.hint()
                time.sleep(LOOK_S)
    finally:
        server.stop()
    if camera.error is not None:
        raise camera.error


class _Later:
    """Calls what is there only later; until then nothing."""

    def __init__(self) -> None:
        self.call: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.call()


@contextmanager
def _running(task: CameraTask, camera: Camera) -> Iterator[None]:
    """A worker and the camera, from now until the end of the block."""
    worker = Worker([task])
    worker.start()
    camera.start(task)
    try:
        yield
    finally:
        camera.stop()
        worker.stop(STOP_TIMEOUT_S)
