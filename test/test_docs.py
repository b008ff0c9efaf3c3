"""What the pages name exists, and what they show runs."""

import ast
import contextlib
import doctest
import importlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

import actseg_core

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
# Where a page may leave out the beginning of a path.
BASES = (
    *(ROOT, ROOT / "actseg_core", ROOT / "actseg_core" / "networks", ROOT / "actseg_ros"),
    *(ROOT / "docs", ROOT / "tools", ROOT / "launch"),
)
SOURCE = re.compile(r"(?<![\w/.~-])((?:[\w-]+/)*[\w.-]+\.(?:py|sh|cmake))\b")
FOLDER = re.compile(r"`((?:actseg_core|actseg_ros|test|docs|launch|tools|msg|srv)/(?:[\w-]+/)*)`")
MODULE = re.compile(r"\b((?:actseg_core|actseg_ros)(?:\.[a-z]\w*)+)")
DEEP_IMPORT = re.compile(r"^from (actseg_core\.[\w.]+) import (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCES = [(page, code) for page in PAGES for code in FENCE.findall(page.read_text())]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def exists(name: str) -> bool:
    if any((base / name).exists() for base in BASES):
        return True
    return "/" not in name and name.startswith("test_") and any((ROOT / "test").rglob(name))


def without_addresses(text: str) -> str:
    """Without web addresses and launch files of other packages, and with files of a workspace
    named as they are in the repository."""
    addresses = r"https?://\S+|ros2 launch (?!actseg )\w+ \S+"
    return re.sub(addresses, "", text).replace("src/actseg/", "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = without_addresses(page.read_text())
    names = {*SOURCE.findall(text), *FOLDER.findall(text)}
    assert [name for name in sorted(names) if not exists(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    for name in MODULE.findall(page.read_text()):
        path = ROOT.joinpath(*name.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


@pytest.mark.parametrize(
    "file",
    [*PAGES, *sorted((ROOT / "docs" / "examples").glob("*.py"))],
    ids=lambda file: file.name,
)
def test_examples_take_public_names_from_the_top(file: Path) -> None:
    for module, names in DEEP_IMPORT.findall(file.read_text()):
        public = {name.strip() for name in names.split(",")} & set(actseg_core.__all__)
        assert not public, f"write `from actseg_core import ...`, not from {module}"


@pytest.mark.parametrize(
    ("page", "code"), FENCES, ids=[f"{page.name}-{code[:30]!r}" for page, code in FENCES]
)
def test_an_example_of_a_page_runs_and_gives_what_it_says(
    page: Path, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # What an example takes from its reader.
    masks = np.zeros((2, 16, 16), np.float32)
    masks[0, :, :8] = masks[1, :, 8:] = 1.0
    images = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), np.uint8)
    names = {"images": images, "image": images[0], "masks": masks}
    lines = code.splitlines()
    for statement in ast.parse(code).body:
        last = lines[statement.end_lineno - 1]  # type: ignore[operator]
        said = last.rpartition("  # ")[2] if "  # " in last else None
        text = ast.unparse(statement)
        if isinstance(statement, ast.Expr) and said is not None:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                value = eval(text, names)  # noqa: S307
            assert printed.getvalue().strip() == said if value is None else value == eval(said)  # noqa: S307
        else:
            exec(text, names)


def test_examples_in_docstrings_give_what_they_say() -> None:
    for folder in ("actseg_core", "actseg_ros"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if ">>> " in file.read_text():
                name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                assert doctest.testmod(importlib.import_module(name)).failed == 0, name


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
