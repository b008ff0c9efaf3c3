"""Ctrl-C and its like: the work ends after the present step, and what is done is kept."""

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


@dataclass
class Stop:
    """Whether the work shall end.

    Attributes:
        number: Of the signal that came; 0: none.
    """

    number: int = 0

    @property
    def exit_code(self) -> int:
        """As shells number it: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + self.number

    @property
    def name(self) -> str:
        """Of the signal, for people."""
        return "Ctrl-C" if self.number == signal.SIGINT else signal.Signals(self.number).name


def until(stop: Stop, items: Iterable[T]) -> Iterator[T]:
    """The items, until the work shall end."""
    for item in items:
        yield item
        if stop.number:
            return


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Collects signals until the block is left; a second one ends the work where it is.

    Signals that this process was started to ignore (nohup) stay ignored, and outside of the main
    thread nothing changes.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_signal(number: int, _: FrameType | None) -> None:
        if stop.number:
            raise KeyboardInterrupt
        stop.number = number
        print("\nactseg: stopping after this step; once more to stop at once", file=sys.stderr)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    caught = {key: handler for key, handler in before.items() if handler is not signal.SIG_IGN}
    for number in caught:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in caught.items():
            signal.signal(number, handler)
