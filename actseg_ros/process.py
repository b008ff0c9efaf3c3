"""Runs one node as a process: a loop that survives callbacks, signals, and clear exit codes.

rclpy's spin() ends at the first exception of any callback, loses a SIGTERM now and then, and its
own signal handling invalidates the context before a last message can be sent. So: spin_once in a
guarded loop, and handlers of our own. Memory that was freed goes back to the system.
"""

import ctypes
import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol, cast

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from actseg_core.errors import ActSegError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
KEPT_BUFFER_BYTES = 32 * 2**20  # the largest that glibc allows
KEPT_FREE_BYTES = 64 * 2**20  # of each arena
EXIT_OK = 0
EXIT_USER = 2
EXIT_INTERNAL = 70
SPIN_S = 0.05
ERRORS_ALLOWED = 50
ERRORS_WITHIN_S = 10.0


SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal came; no Exception, so that nothing on the way takes it for a fault of its own."""


class Runnable(Protocol):
    """What a node needs to be run here; all of them are rclpy's Node, too."""

    finished: bool
    failed: str

    def start(self) -> str:
        """Begin; returns why that failed, or nothing."""

    def stuck_s(self) -> float:
        """How long its own thread has made no progress [s]."""

    @property
    def hang_s(self) -> float:
        """How long that may be [s]."""

    def close(self) -> None:
        """Stop and send last words; context and executor still work, the latter not by itself."""

    def get_logger(self) -> RcutilsLogger:
        """rclpy's own."""

    def destroy_node(self) -> None:
        """rclpy's own."""


def run(make_node: Callable[[], Runnable], args: list[str] | None = None) -> int:
    """Run a node until a signal, its own end, or a fault.

    Args:
        make_node: Makes it; raises ActSegError if it cannot be made as configured.
        args: Command line after the program's name; None: sys.argv's.

    Returns:
        0 after a signal or the node's own end, 2 if the node could not start or has `failed`,
        70 if callbacks keep failing or the worker hangs.
    """
    keep_buffers()
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    try:
        program = sys.argv[:1] or ["actseg"]
        rclpy.init(
            args=None if args is None else program + args,
            signal_handler_options=SignalHandlerOptions.NO,
        )
    except Exception as error:
        return _refuse(error)
    try:
        node = make_node()
    except Exception as error:
        rclpy.try_shutdown()
        return _refuse(error)
    try:
        return _run_node(node, stop)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
        _ignore_signals()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT and SIGTERM break off what is done inside, besides what they do anyway.

    Raises:
        Interrupted: In the main thread, as soon as Python gets to it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def break_off(number: int, frame: FrameType | None) -> None:
        restore()  # a second signal must not break off the way out
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        raise Interrupted

    for number in SIGNALS:
        signal.signal(number, break_off)
    try:
        yield
    finally:
        restore()


def _run_node(node: Runnable, stop: threading.Event) -> int:
    code = EXIT_USER
    executor = SingleThreadedExecutor()
    executor.add_node(cast(Node, node))
    try:
        if stop.is_set():
            code = EXIT_OK
        elif not node.start():  # the node has logged the reason
            code = _spin(node, executor, stop)
        elif stop.is_set():
            code = EXIT_OK
    finally:
        if code == EXIT_INTERNAL:
            _watch_exit()
        try:
            node.close()
        finally:
            executor.remove_node(cast(Node, node))
            executor.shutdown()
    return code


def _spin(node: Runnable, executor: SingleThreadedExecutor, stop: threading.Event) -> int:
    errors: deque[float] = deque(maxlen=ERRORS_ALLOWED)
    while not stop.is_set() and not node.finished:
        try:
            executor.spin_once(timeout_sec=SPIN_S)
        except ExternalShutdownException:
            break
        except Exception:
            node.get_logger().error(f"a callback failed:\n{traceback.format_exc()}")
            if _too_many(errors):
                node.get_logger().fatal("callbacks keep failing; the process ends")
                return EXIT_INTERNAL
        if node.stuck_s() > node.hang_s:
            node.get_logger().fatal(
                f"no progress for {node.stuck_s():.1f} s; the process ends so that it can "
                "be started again"
            )
            return EXIT_INTERNAL
    return EXIT_USER if node.failed else EXIT_OK


def _too_many(errors: deque[float]) -> bool:
    now_s = time.monotonic()
    errors.append(now_s)
    return len(errors) == ERRORS_ALLOWED and now_s - errors[0] < ERRORS_WITHIN_S


def _ignore_signals() -> None:
    """A second signal during the interpreter's end, which undoes our handlers, would kill it."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _watch_exit() -> None:
    """A stuck worker can stall the interpreter's own end, too: leave without it after a while."""
    timer = threading.Timer(15.0, lambda: os._exit(EXIT_INTERNAL))
    timer.daemon = True
    timer.start()


def _refuse(error: Exception) -> int:
    """One line on stderr; a traceback only for what is not the user's to mend."""
    if not isinstance(error, ActSegError) and type(error).__module__.split(".")[0] != "rclpy":
        traceback.print_exception(error)
    reason = " ".join(str(error).split()) or type(error).__name__
    sys.stderr.write(f"actseg: {reason}\n")
    return EXIT_USER


def keep_buffers() -> None:
    """Let the C library keep the pages of freed pictures, where it can, until `trim`.

    By default glibc gives a buffer of some megabytes back when it is freed, and the next picture
    pays for its pages again: a colour message of 1080p took 7 ms for that, and 1 for its bytes.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # not glibc
        return
    set_option(M_MMAP_THRESHOLD, KEPT_BUFFER_BYTES)
    set_option(M_TRIM_THRESHOLD, KEPT_FREE_BYTES)


def release_memory() -> None:
    """Collect what is unreachable and let the C library return free pages, where it can.

    glibc keeps the freed pages of a model for itself, in pieces: with the shipped weights some
    20 MB more with each cleanup and configure, although nothing leaks.
    """
    gc.collect()
    trim()


def trim() -> None:
    """Let the C library return free pages; some milliseconds, so that it can be done at work.

    Without it the process grows while frames and masks of changing sizes come and go: in 2,500
    frames of the benchmark by 16 MB, of which trimming gave all back and 41 MB more.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # not glibc
        return
    trim(0)
