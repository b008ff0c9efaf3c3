"""Preparing the next frame while the one before is answered: two cores, one order."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from queue import Full, Queue

from actseg_core.streaming.engine import StreamingEngine
from actseg_core.streaming.labelled_masks import WindowSnapshot
from actseg_core.types import Frame, MaskResult

POLL_S = 0.05  # how soon a full queue notices that nobody reads on


@dataclass(frozen=True, eq=False)
class _Pushed:
    frame: Frame
    snapshot: WindowSnapshot | None


@dataclass(frozen=True)
class _Ended:
    error: BaseException | None


def answers(
    engine: StreamingEngine, frames: Iterable[Frame], ahead: int = 2
) -> Iterator[tuple[Frame, dict[str, MaskResult]]]:
    """Each frame with what `engine.answer` gives after it, in order.

    A second thread reads the frames and pushes them (decoding, resizing, flow, trunk) while the
    caller's thread answers (head, masks). The results are those of `push` and `answer` in turn.
    Closing the iterator, or an error in either thread, ends both; an error of the second thread
    is raised after the frames before it.

    Args:
        engine: Not used elsewhere meanwhile, but for `set_queries` by the caller.
        frames: Read in the second thread.
        ahead: Frames that may be pushed and not yet answered, at least 1.
    """
    queue: Queue[_Pushed | _Ended] = Queue(max(1, ahead))
    stopping = threading.Event()
    thread = threading.Thread(
        target=_push_all, args=(engine, frames, queue, stopping), name="actseg_push", daemon=True
    )
    thread.start()
    try:
        while isinstance(item := queue.get(), _Pushed):
            yield item.frame, engine.answer(item.snapshot) if item.snapshot else {}
        if item.error is not None:
            raise item.error
    finally:
        stopping.set()
        thread.join()


def _push_all(
    engine: StreamingEngine,
    frames: Iterable[Frame],
    queue: "Queue[_Pushed | _Ended]",
    stopping: threading.Event,
) -> None:
    error: BaseException | None = None
    try:
        for frame in frames:
            engine.push(frame)
            if not _put(queue, _Pushed(frame, engine.snapshot), stopping):
                return
    except BaseException as caught:  # whatever it is, it is the caller's
        error = caught
    _put(queue, _Ended(error), stopping)


def _put(
    queue: "Queue[_Pushed | _Ended]", item: _Pushed | _Ended, stopping: threading.Event
) -> bool:
    """Whether it was taken in; not if nobody reads on."""
    while not stopping.is_set():
        try:
            queue.put(item, timeout=POLL_S)
        except Full:
            continue
        return True
    return False
