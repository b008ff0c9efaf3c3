"""What the node answers, in words: for people who read a topic in a terminal."""

import time
from typing import Any

from std_msgs.msg import String

from actseg_core.live.reports import Health, Report
from actseg_core.live.states import State

REPEATED_AFTER_S = 1.0


def answer_text(report: Report) -> str:
    """State, confidence and text of each sentence that was answered, on one line."""
    answered = [(query, report.answers.get(query.id)) for query in report.queries]
    return "; ".join(
        f"{_state(answer.found).name} {answer.confidence:.2f} {query.sentence.text!r}"
        for query, answer in answered
        if answer is not None
    )


def health_text(health: Health) -> str:
    """Why there is no answer, on one line."""
    return f"{health.state.name}: {health.detail}" if health.detail else health.state.name


class AnswerText:
    """Publishes at once when a state or the sentences change, else once a second.

    Args:
        publisher: Of std_msgs/String.
    """

    def __init__(self, publisher: Any) -> None:
        self._publisher = publisher
        self._told: object = None
        self._told_s = 0.0

    def report(self, report: Report) -> None:
        """An answer; without answers `health` has more to say."""
        if report.answers:
            states = tuple((name, answer.found) for name, answer in report.answers.items())
            self._tell((report.revision, states), lambda: answer_text(report))

    def health(self, health: Health) -> None:
        """A state without an answer."""
        if not health.state.is_answer:
            self._tell(health.state, lambda: health_text(health))

    def _tell(self, what: object, text: Any) -> None:
        now_s = time.monotonic()
        if what == self._told and now_s - self._told_s < REPEATED_AFTER_S:
            return
        self._told, self._told_s = what, now_s
        if self._publisher.get_subscription_count() > 0:
            self._publisher.publish(String(data=text()))


def _state(found: bool) -> State:
    return State.FOUND if found else State.NOT_FOUND
