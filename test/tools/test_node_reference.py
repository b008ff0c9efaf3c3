"""docs/node.md and launch/params.yaml tell what the code does."""

import re

import pytest
from node_reference import (
    NAMED_CAMERA,
    NODES,
    PAGE,
    PARAMS_FILE,
    ROOT,
    fields,
    params_yaml,
    with_tables,
)

from actseg_core.live.states import State
from actseg_ros.convert import ENCODINGS, SAME_AS
from actseg_ros.diagnostics import LEVELS

TEXT = PAGE.read_text()
WIRING = (
    *("segmentation_node", "publishers", "commands", "images", "spatial/output"),
    *("spatial/pose_output", "find/server"),
    *("players/video_camera", "players/bag_camera", "players/recorder"),
)


def test_the_parameters_file_is_up_to_date() -> None:
    assert PARAMS_FILE.read_text() == params_yaml()


def test_the_tables_of_the_page_are_up_to_date() -> None:
    assert with_tables(TEXT) == TEXT


@pytest.mark.parametrize("node", [*NODES, NAMED_CAMERA])
def test_every_parameter_is_in_the_page(node: str) -> None:
    for name, _ in fields(node):
        assert f"| `{name}` |" in TEXT


def test_every_topic_and_service_of_the_code_is_in_the_page() -> None:
    source = "".join((ROOT / "actseg_ros" / f"{name}.py").read_text() for name in WIRING)
    names = set(re.findall(r'"(~/[a-zA-Z_/]+|/diagnostics|/clock)"', source))
    assert len(names) >= 12
    assert [name for name in sorted(names) if f"`{name}`" not in TEXT] == []


def test_every_state_is_in_the_page_with_its_level() -> None:
    table = TEXT[TEXT.index("## States") : TEXT.index("## What holds")]
    words = {b"\x00": "OK", b"\x01": "WARN", b"\x02": "ERROR", b"\x03": "STALE"}
    for state in State:
        (line,) = [
            line for line in table.splitlines() if re.match(rf"\| .*\b{state.name}\b", line)
        ]
        if state is not State.SHUTDOWN:
            assert line.endswith(f"| {words[LEVELS.get(state, bytes(1))]} |")


def test_every_encoding_is_in_the_page() -> None:
    start = TEXT.index("Accepted encodings")
    paragraph = TEXT[start : TEXT.index("\n\n", start)]
    for name in [*ENCODINGS, *SAME_AS]:
        plain = re.sub(r"16$", "8", name)
        assert plain in paragraph or plain.startswith("bayer_")


def test_every_launch_argument_is_in_the_page() -> None:
    launch = (ROOT / "launch" / "actseg.launch.py").read_text()
    table = launch[launch.index("ARGUMENTS = {") : launch.index("INPUTS = (")]
    names = re.findall(r'^    "([a-z_0-9]+)": \(', table[table.index("# Where") :], re.MULTILINE)
    assert len(names) >= 28
    table = TEXT[TEXT.index("## Launch") : TEXT.index("## Parameters")]
    assert [name for name in names if f"`{name}`" not in table] == []
