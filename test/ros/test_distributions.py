"""What holds on Jazzy's rclpy, too, against which CI builds but only runs a part of the tests."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "actseg_ros").rglob("*.py"))


def subscripted(source: str) -> list[str]:
    """Names that come from rclpy and are subscripted where Python evaluates it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.AnnAssign):
                    inner.annotation = ast.Constant(None)  # not evaluated in a function
    ours = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rclpy"
        for alias in node.names
    }
    return [
        f"{node.value.id} in line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
        if node.value.id in ours
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_types_of_rclpy_with_parameters_are_quoted_as_jazzy_has_none(file: Path) -> None:
    assert subscripted(file.read_text(encoding="utf-8")) == []


def test_a_type_that_python_would_evaluate_is_seen_and_others_are_not() -> None:
    source = """
from rclpy.parameter import Parameter

def one(values: list[Parameter[int]]) -> "Parameter[int]":
    local: Parameter[int] = values[0]
    return local
"""
    assert subscripted(source) == ["Parameter in line 4"]
