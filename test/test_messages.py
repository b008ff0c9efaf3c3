"""The interface files: complete, commented, and the ones that were compiled."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*ROOT.glob("msg/*.msg"), *ROOT.glob("srv/*.srv"), *ROOT.glob("action/*.action")])
LINE = re.compile(
    r"^(?P<type>[\w/]+(\[\])?)\s+(?P<name>\w+)(=(?P<value>\d+))?\s*(#\s*(?P<note>.*))?$"
)
NUMBERS = re.compile(r"^(float|u?int)\d+$")
# A unit, or the word that there is none; and a range, or the word that it is a count.
UNIT = re.compile(r"\b(px|Hz|ms|s and ns|no unit|count)\b")
RANGE = re.compile(r"\[-?\d+, [^\]]+\]|>= [01]|\b0 to \d+\b")
WHOSE = re.compile(r"\b(camera|capture|clock|accepted)\b")


def fields(file: Path) -> list[re.Match[str]]:
    """Return the matched declarations of a file, constants included."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    declarations = [line for line in lines if line and line != "---" and not line.startswith("#")]
    matches = [LINE.match(line) for line in declarations]
    assert all(matches), f"{file.name}: not understood: {declarations[matches.index(None)]}"
    return [match for match in matches if match]


def ids(file: Path) -> str:
    return file.name


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_a_file_begins_with_what_it_means(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_every_field_is_commented(file: Path) -> None:
    for field in fields(file):
        assert field["note"] and len(field["note"]) > 10, f"{file.name}: {field['name']}"


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_every_number_has_a_unit_and_a_range(file: Path) -> None:
    for field in fields(file):
        if NUMBERS.match(field["type"]) and field["value"] is None:
            assert UNIT.search(field["note"]), f"{file.name}: {field['name']} has no unit"
            assert RANGE.search(field["note"]), f"{file.name}: {field['name']} has no range"


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_every_stamp_says_whose_it_is(file: Path) -> None:
    for field in fields(file):
        if field["type"] in ("std_msgs/Header", "builtin_interfaces/Time"):
            assert WHOSE.search(field["note"]), f"{file.name}: {field['name']}"


def test_cmake_compiles_exactly_these_files() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^\s+((?:msg|srv|action)/\w+\.(?:msg|srv|action))$", text, re.MULTILINE)
    assert sorted(listed) == [str(file.relative_to(ROOT)) for file in FILES]


def test_the_numbers_of_the_states_are_for_ever() -> None:
    values = {
        field["name"]: int(field["value"]) for field in fields(ROOT / "msg/ActorState.msg")[:-1]
    }
    assert values == {
        "UNCONFIGURED": 0,
        "INACTIVE": 1,
        "IDLE": 2,
        "WARMING_UP": 3,
        "FOUND": 4,
        "NOT_FOUND": 5,
        "STALE_INPUT": 6,
        "BAD_INPUT": 7,
        "BAD_TIME": 8,
        "OVERLOADED": 9,
        "MODEL_ERROR": 10,
        "SHUTDOWN": 11,
    }


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_the_installed_interface_is_the_one_in_the_file(file: Path) -> None:
    module = importlib.import_module(f"actseg.{file.suffix[1:]}")
    interface = getattr(module, file.stem)
    names = {".srv": ("Request", "Response"), ".action": ("Goal", "Result", "Feedback")}
    parts = [getattr(interface, name) for name in names.get(file.suffix, ())] or [interface]
    compiled = [name for part in parts for name in part.get_fields_and_field_types()]
    assert compiled == [field["name"] for field in fields(file) if field["value"] is None]


def test_a_message_survives_the_wire() -> None:
    from actseg.msg import ActorMask, ActorMaskArray, ActorState
    from rclpy.serialization import deserialize_message, serialize_message

    mask = ActorMask(query_id="1", sentence="the dog", state=ActorState(value=ActorState.FOUND))
    mask.mask.data = bytes([0, 255])
    sent = ActorMaskArray(masks=[mask], query_revision=2**64 - 1)
    assert deserialize_message(serialize_message(sent), ActorMaskArray) == sent
