"""Reports for several publishers."""

from typing import Any

from actseg_core.live.reports import FanOut, Health, Report
from actseg_core.live.states import State


class Recorder:
    def __init__(self, name: str, told: list[tuple[Any, ...]], wants: bool) -> None:
        self._name, self._told, self._wants = name, told, wants

    def __getattr__(self, what: str) -> Any:
        return lambda *given: self._told.append((self._name, what, *given))

    def wants_image(self) -> bool:
        return self._wants

    def prepare(self, report: Report) -> Any:
        self._told.append((self._name, "prepare"))
        return lambda: self._told.append((self._name, "publish"))


def test_all_prepare_before_the_first_publishes() -> None:
    told: list[tuple[Any, ...]] = []
    both = FanOut(Recorder("a", told, False), Recorder("b", told, False))
    publish = both.prepare(Report(State.IDLE, 0, (), {}))
    assert told == [("a", "prepare"), ("b", "prepare")]
    publish()
    assert told[2:] == [("a", "publish"), ("b", "publish")]


def test_one_that_wants_the_image_is_enough() -> None:
    for first, second in ((True, False), (False, True), (False, False), (True, True)):
        both = FanOut(Recorder("a", [], first), Recorder("b", [], second))
        assert both.wants_image() is (first or second)


def test_everything_else_reaches_all_in_their_order() -> None:
    told: list[tuple[Any, ...]] = []
    both = FanOut(Recorder("a", told, True), Recorder("b", told, True))
    health = Health(State.IDLE)
    both.health(health)
    both.fault(State.BAD_INPUT, "why")
    both.forget_stamps()
    assert told == [
        *(("a", "health", health), ("b", "health", health)),
        *(("a", "fault", State.BAD_INPUT, "why"), ("b", "fault", State.BAD_INPUT, "why")),
        *(("a", "forget_stamps"), ("b", "forget_stamps")),
    ]
