"""The vocabulary equals the message's, and answers are told from faults."""

from actseg.msg import ActorState

from actseg_core.live.states import State


def test_states_are_those_of_the_message() -> None:
    in_message = {
        name: getattr(ActorState, name)
        for name in dir(ActorState)
        if name.isupper() and isinstance(getattr(ActorState, name), int)
    }
    assert in_message == {state.name: int(state) for state in State}


def test_only_found_and_not_found_are_answers() -> None:
    assert [state for state in State if state.is_answer] == [State.FOUND, State.NOT_FOUND]


def test_faults_are_what_somebody_should_look_after() -> None:
    assert [state.name for state in State if state.is_fault] == [
        "STALE_INPUT",
        "BAD_INPUT",
        "BAD_TIME",
        "OVERLOADED",
        "MODEL_ERROR",
    ]
