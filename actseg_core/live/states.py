"""The states of msg/ActorState.msg, and which of them is told when several apply."""

from enum import IntEnum


class State(IntEnum):
    """Values of msg/ActorState.msg; FOUND and NOT_FOUND are answers, the rest say why not."""

    UNCONFIGURED = 0
    INACTIVE = 1
    IDLE = 2
    WARMING_UP = 3
    FOUND = 4
    NOT_FOUND = 5
    STALE_INPUT = 6
    BAD_INPUT = 7
    BAD_TIME = 8
    OVERLOADED = 9
    MODEL_ERROR = 10
    SHUTDOWN = 11

    @property
    def is_answer(self) -> bool:
        """Whether a mask belongs to this state."""
        return self in (State.FOUND, State.NOT_FOUND)

    @property
    def is_fault(self) -> bool:
        """Whether somebody should look after the camera, the clock, the load or the model."""
        return State.STALE_INPUT <= self <= State.MODEL_ERROR
