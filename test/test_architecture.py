"""Who may import what (CONTRIBUTING.md), checked on the syntax tree of every source file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "actseg_core"
LAYERS = (
    {"errors", "types", "labels"},
    {"config"},
    {"experiment"},
    {"image", "tensor_file", "geometry"},
    {"text", "video", "decoder", "flow"},
    {"objects"},
    {"segmenter"},
    {"actor_action", "baselines", "lite", "pairs"},
    {"model"},
    {"checkpoint"},
    {"visualize", "runtime"},
    {"predictor"},
    {"streaming", "data"},
    {"training", "evaluation"},
    {"ablation", "bench"},
    {"cli"},
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
SAME_LAYER_ALLOWED = {("types", "errors"), ("labels", "errors")}
ROS_MODULES = {"rclpy", "actseg", "actseg_ros", "sensor_msgs", "std_msgs", "cv_bridge", "launch"}
CORE_FOR_ROS = {
    *("predictor", "streaming", "visualize", "config", "types", "errors", "labels", "data.video"),
    "geometry",
    "data.generator",  # the demo's second clip
}
FORBIDDEN = {
    "torch": (
        "types",
        "labels",
        "config",
        "experiment",
        "flow",
        "data.video",
        "errors",
        "objects",
    ),
}
ONLY_IN = {
    "cv2": ("flow", "image", "objects", "visualize", "data", "evaluation", "bench.stages"),
    "gensim": ("text.embeddings",),
}


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, relative ones refused."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    """Dotted name below actseg_core, without a trailing __init__."""
    parts = path.relative_to(CORE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def within(module: str, places: tuple[str, ...] | set[str]) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


CORE_FILES = sorted(CORE.rglob("*.py"))
ROS_FILES = sorted((ROOT / "actseg_ros").rglob("*.py"))


@pytest.mark.parametrize("path", CORE_FILES, ids=module_of)
def test_core_imports_only_lower_layers_and_never_ros(path: Path) -> None:
    module = module_of(path)
    own = module.split(".")[0]
    for name in imports(path):
        top = name.split(".")[0]
        assert top not in ROS_MODULES, f"{module} imports {name}: the core never imports ROS"
        for package, places in FORBIDDEN.items():
            assert not (top == package and within(module, places)), f"{module} imports {name}"
        for package, places in ONLY_IN.items():
            assert top != package or within(module, places), f"{module} imports {name}"
        if top != "actseg_core" or name == "actseg_core" or not own:
            continue
        other = name.split(".")[1]
        if other == own or (own, other) in SAME_LAYER_ALLOWED:
            continue
        assert other in RANK, f"{module} imports {name}, which has no layer: add it to LAYERS"
        assert RANK[other] < RANK[own], f"{module} must not import {name}: same or higher layer"


@pytest.mark.parametrize("path", CORE_FILES, ids=module_of)
def test_every_core_module_has_a_layer(path: Path) -> None:
    own = module_of(path).split(".")[0]
    assert not own or own in RANK


@pytest.mark.parametrize("path", ROS_FILES, ids=lambda path: path.name)
def test_nodes_use_only_the_public_part_of_the_core(path: Path) -> None:
    for name in imports(path):
        if name.startswith("actseg_core."):
            rest = name.removeprefix("actseg_core.")
            assert within(rest, CORE_FOR_ROS), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", [*CORE_FILES, *ROS_FILES], ids=lambda path: path.stem)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400, "split the file by concept"


def test_folders_that_ros_owns_hold_no_package() -> None:
    for folder in ("launch", "msg", "srv", "test"):
        assert not (ROOT / folder / "__init__.py").exists()
