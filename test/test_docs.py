"""What the pages name exists: files of this repository, and what their links lead to."""

import re
from pathlib import Path

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
LINK = re.compile(r"\]\(([^)\s]+)\)")


def exists(name: str) -> bool:
    if any((base / name).exists() for base in BASES):
        return True
    return "/" not in name and name.startswith("test_") and any((ROOT / "test").rglob(name))


def without_addresses(text: str) -> str:
    return re.sub(r"https?://\S+", "", text)


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


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
