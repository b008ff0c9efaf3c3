"""The one thread that owns the engines: every camera has its turn."""

import threading
import time
from collections.abc import Sequence

from actseg_core.live.camera_task import CameraTask


class Worker:
    """Gives the cameras turns, one after the other, until stopped.

    In its turn a camera has at most one frame taken in and answered. A camera that sends more
    waits for the others as they wait for it; one that sends nothing costs its heartbeats.

    Args:
        tasks: One per camera; of no other worker.

    Attributes:
        progress_s: When the last turn began, by time.monotonic() [s].
    """

    def __init__(self, tasks: Sequence[CameraTask]) -> None:
        self._waiting = list(tasks)  # the one that has waited longest first
        self._current: CameraTask | None = None
        self._thread = threading.Thread(target=self._run, name="actseg_worker", daemon=True)
        self._stopping, self._woken = threading.Event(), threading.Event()
        for task in tasks:
            task.attach(self._stopping, self._woken.set, self._beat_all)
        self.progress_s = time.monotonic()

    def start(self) -> None:
        """Begin; once only."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End the thread; False if it did not within `timeout_s` [s]."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.progress_s = time.monotonic()
            self._woken.clear()  # before the look: what comes from now on ends the wait
            task = self._next()
            if task is None:
                due_s = min(other.due_s() for other in self._waiting)
                self._woken.wait(max(0.0, due_s - time.monotonic()))
                continue
            self._waiting.remove(task)
            self._waiting.append(task)
            self._current = task
            task.turn()
        for task in self._waiting:
            task.frames.drop_all()

    def _next(self) -> CameraTask | None:
        now_s = time.monotonic()
        return next((task for task in self._waiting if task.due_s() <= now_s), None)

    def _beat_all(self) -> None:
        """In the middle of a turn: no camera's heartbeat waits for another's network."""
        for task in tuple(self._waiting):
            try:
                task.beat()
            except Exception as error:
                if task is self._current:
                    raise
                task.survive(error)
