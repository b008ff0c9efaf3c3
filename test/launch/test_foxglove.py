"""The Foxglove layout names topics, services and fields that the node has."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

from node_reference import INPUTS, OUTPUTS, SERVICES

LAYOUT = json.loads(
    (Path(__file__).resolve().parents[2] / "launch" / "foxglove.json").read_text(encoding="utf-8")
)
PANELS: dict[str, Any] = LAYOUT["configById"]
TYPES = {item.name.replace("~", "/actseg"): item.type for item in (*INPUTS, *OUTPUTS)}


def names(value: Any) -> set[str]:
    """Everything in the panels that looks like a topic, with its field."""
    if isinstance(value, dict):
        return set().union(*map(names, value.values()), *map(names, value))
    if isinstance(value, list):
        return set().union(*map(names, value))
    return {value} if isinstance(value, str) and re.fullmatch(r"/[\w/.]+", value) else set()


def leaves(tree: Any) -> list[str]:
    return [tree] if isinstance(tree, str) else [*leaves(tree["first"]), *leaves(tree["second"])]


def test_every_panel_has_a_place_and_every_place_a_panel() -> None:
    assert sorted(leaves(LAYOUT["layout"])) == sorted(PANELS)


def test_its_topics_and_services_are_the_nodes() -> None:
    services = {item.name.replace("~", "/actseg") for item in SERVICES}
    named = {name.partition(".")[0] for name in names(PANELS)}
    assert len(named) >= 8
    assert named <= TYPES.keys() | services


def test_its_fields_are_the_messages() -> None:
    fields = [name for name in names(PANELS) if "." in name]
    assert len(fields) >= 4
    for name in fields:
        topic, _, field = name.partition(".")
        package, _, message = TYPES[topic].partition("/")
        kind = getattr(importlib.import_module(f"{package}.msg"), message)
        assert field in kind.get_fields_and_field_types(), name


def test_what_it_sends_fits_the_types() -> None:
    from actseg.srv import AddQuery
    from std_msgs.msg import String

    command, add = PANELS["Publish!command"], PANELS["CallService!add"]
    assert command["datatype"] == "std_msgs/msg/String"
    assert json.loads(command["value"]).keys() == String.get_fields_and_field_types().keys()
    wanted = AddQuery.Request.get_fields_and_field_types().keys()
    assert json.loads(add["requestPayload"]).keys() <= wanted
