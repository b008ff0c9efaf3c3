"""Files with something wrong in them, for tests that a reader ends in our own errors only."""

import copy
from typing import Any

from hypothesis import strategies as st

PIECES = (b"nan", b"-inf", b"1e999", b"-1", b"9" * 30, b"\0", b"\n", b",", b'"', b"\xff\xfe")
VALUES = (
    *(None, True, 0, -1, 3, 10**9, 10**400, 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), float("-inf")),
    *("", "x", "17", "\0", "../x", "x" * 300, "\ud800", "12.0"),
    *([], {}, [[]], [[1, 2]], [1, 2, 3], {"id": 1}),
)
CELLS = (
    *("", " ", "nan", "inf", "-1", "1e3", "12.0", "9" * 5000, "\u0663", "\u00b2", "x" * 5000),
    *('"', "a,b", "a\nb", "\0", "#", "#3", "..", "/", "\\", "\u2028", "\x85", "e\u0301", "~"),
)


@st.composite
def changed_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """A file changed anywhere: bytes overwritten, taken out or put in, the end cut off."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(changed)))
        taken = draw(st.sampled_from([0, 1, 1, 1, 2, 8, 10**9]))
        put = draw(st.binary(max_size=8) | st.sampled_from(PIECES))
        changed[place : place + taken] = put
    return bytes(changed)


@st.composite
def changed_json(draw: st.DrawFn, content: Any) -> Any:
    """A tree of lists and dictionaries with one to three values replaced, taken out or doubled."""
    changed = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(changed))
        if not places:
            return draw(st.sampled_from(VALUES))
        box, key = draw(st.sampled_from(places))
        action = draw(st.sampled_from(["replace", "replace", "replace", "remove", "double"]))
        if action == "remove":
            del box[key]
        elif action == "double" and isinstance(box, list):
            box.insert(key, copy.deepcopy(box[key]))
        else:
            box[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    return changed


def _places(value: Any) -> Any:
    """Every list or dictionary with every key of it."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in list(children):
        yield value, key
        if isinstance(child, (list, dict)):
            yield from _places(child)


@st.composite
def changed_cells(draw: st.DrawFn, lines: list[str], separator: str = ",") -> str:
    """A table with one to three cells replaced, or lines taken out or doubled."""
    rows = [line.split(separator) for line in lines]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        action = draw(st.sampled_from(["replace", "replace", "replace", "shorten", "double"]))
        if action == "double":
            rows.insert(row, list(rows[row]))
        elif action == "shorten":
            rows[row] = rows[row][: draw(st.integers(0, len(rows[row])))]
        elif rows[row]:
            cell = draw(st.integers(0, len(rows[row]) - 1))
            rows[row][cell] = draw(st.sampled_from(CELLS) | st.text(max_size=5))
    return "\n".join(separator.join(row) for row in rows) + "\n"
