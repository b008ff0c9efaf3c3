"""Who may import what (CONTRIBUTING.md), checked on the syntax tree of every source file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from actseg_core.config import ModelConfig

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "actseg_core"
ROS = ROOT / "actseg_ros"
FOUNDATION = (
    {"errors"},
    {"types", "labels"},
    {"config"},
    {"experiment_config", "image", "geometry", "visualize"},
)
LAYERS = (
    *FOUNDATION,
    {"text", "flow", "video"},
    {"live"},
    {"web"},
    {"objects"},
    {"networks"},
    {"datasets"},
    {"generator"},
    {"checkpoints"},
    {"runtime"},
    {"predictor"},
    {"streaming"},
    {"training", "evaluation"},
    {"experiments", "bench"},
    {"cli"},
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
ROS_MODULES = {"rclpy", "actseg", "actseg_ros", "sensor_msgs", "std_msgs", "cv_bridge", "launch"}
CORE_FOR_ROS = {*set().union(*FOUNDATION), "video", "live", "web", "predictor", "streaming"}
CORE_FOR_DEMO = {*CORE_FOR_ROS, "generator"}
WITHOUT = {
    "torch": (
        *("errors", "types", "labels", "config", "experiment_config", "image", "geometry"),
        *("visualize", "text", "flow", "video", "live", "web", "objects", "generator"),
        *("checkpoints.stored", "runtime.onnx_session", "runtime.object_sessions"),
        *("predictor.base", "predictor.load", "predictor.objects", "streaming"),
        *("cli.segment", "cli.live"),
    ),
}
ONLY_IN = {
    "cv2": (
        *("image", "geometry", "visualize", "flow", "video", "web", "objects", "datasets"),
        *("generator", "training.lite", "evaluation", "bench.soak"),
    ),
    "aiohttp": ("web",),
    "gensim": ("text.word2vec",),
    "lightning": ("training",),
    "matplotlib": ("evaluation", "experiments", "bench"),
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
    """Dotted name below the package, without a trailing __init__."""
    parts = path.relative_to(CORE if CORE in path.parents else ROS).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def within(module: str, places: tuple[str, ...] | set[str]) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


CORE_FILES = sorted(CORE.rglob("*.py"))
ROS_FILES = sorted(ROS.rglob("*.py"))
TOOLS = sorted((ROOT / "tools").rglob("*.py"))


@pytest.mark.parametrize("path", CORE_FILES, ids=module_of)
def test_core_imports_only_lower_layers_and_never_ros(path: Path) -> None:
    module = module_of(path)
    own = module.split(".")[0]
    for name in imports(path):
        top = name.split(".")[0]
        assert top not in ROS_MODULES, f"{module} imports {name}: the core never imports ROS"
        for package, places in WITHOUT.items():
            assert not (top == package and within(module, places)), f"{module} imports {name}"
        for package, places in ONLY_IN.items():
            assert top != package or within(module, places), f"{module} imports {name}"
        if top != "actseg_core" or name == "actseg_core" or not own:
            continue
        other = name.split(".")[1]
        if other == own:
            continue
        assert other in RANK, f"{module} imports {name}, which has no layer: add it to LAYERS"
        assert RANK[other] < RANK[own], f"{module} must not import {name}: same or higher layer"


@pytest.mark.parametrize("path", CORE_FILES, ids=module_of)
def test_every_core_module_has_a_layer(path: Path) -> None:
    own = module_of(path).split(".")[0]
    assert not own or own in RANK


def test_the_layers_are_those_that_a_newcomer_reads() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    block = re.search(r"```text\n(errors.*?)```", text, re.DOTALL)
    assert block
    lines = [line.partition("  ")[0] for line in block[1].splitlines()]
    assert [set(line.split(" | ")) for line in lines] == list(LAYERS)


@pytest.mark.parametrize("path", ROS_FILES, ids=module_of)
def test_nodes_use_only_the_public_part_of_the_core(path: Path) -> None:
    allowed = CORE_FOR_DEMO if module_of(path).startswith("demo") else CORE_FOR_ROS
    for name in imports(path):
        if name.startswith("actseg_core."):
            rest = name.removeprefix("actseg_core.")
            assert within(rest, allowed), f"{module_of(path)} imports {name}"


@pytest.mark.parametrize("path", [*CORE_FILES, *ROS_FILES], ids=module_of)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400, "split the file by concept"


def test_tests_lie_where_the_sources_lie() -> None:
    for tests, sources in ((ROOT / "test" / "core", CORE), (ROOT / "test" / "ros", ROS)):
        folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
        folders.discard(Path("node"))  # the whole node, in one process with its client
        assert [str(folder) for folder in folders if not (sources / folder).is_dir()] == []


def test_folders_that_ros_owns_hold_no_package() -> None:
    for folder in ("action", "launch", "msg", "srv", "test"):
        assert not (ROOT / folder / "__init__.py").exists()


# Where networks are built, and from them what runs them; the configuration knows its own kinds.
BUILDS_NETWORKS = ("config", "networks", "predictor.load", "predictor.in_torch")
KINDS = set(get_args(ModelConfig.model_fields["kind"].annotation))
NETWORKS = {
    node.name
    for folder in ("networks", "predictor", "runtime")
    for path in (CORE / folder).rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ClassDef)
}


def decisions_by_network(tree: ast.AST) -> list[str]:
    """Comparisons of a network's kind, and what depends on its class; `assert isinstance`, which
    only tells a type checker what is known, is none."""
    found = []
    asserted = {id(node.test) for node in ast.walk(tree) if isinstance(node, ast.Assert)}
    for node in ast.walk(tree):
        names = {item.value for item in ast.walk(node) if isinstance(item, ast.Constant)}
        kinds = {item.attr for item in ast.walk(node) if isinstance(item, ast.Attribute)}
        if isinstance(node, ast.Compare | ast.Match) and "kind" in kinds and names & KINDS:
            found.append(ast.unparse(node).splitlines()[0])
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            classes = {item.id for item in ast.walk(node.args[1]) if isinstance(item, ast.Name)}
            if classes & NETWORKS and id(node) not in asserted:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in [*CORE_FILES, *ROS_FILES]
        if CORE not in path.parents or not within(module_of(path), BUILDS_NETWORKS)
    ],
    ids=module_of,
)
def test_what_a_network_can_do_is_asked_of_it_and_not_of_its_kind_or_class(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert decisions_by_network(tree) == []
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert "actor_action" not in constants, "ask ModelConfig, for instance has_response_maps"


@pytest.mark.parametrize(
    ("code", "decides"),
    [
        ('config.kind == "objects"', True),
        ('self.model.kind in ("hu", "li")', True),
        ("isinstance(model, ObjectsModel)", True),
        ("isinstance(found, ObjectPredictor | None)", True),
        ("assert isinstance(model, Network)", False),
        ('look.kind == "parrot"', False),
        ("isinstance(value, dict)", False),
        ("config.has_response_maps", False),
    ],
)
def test_decisions_by_network_are_seen(code: str, decides: bool) -> None:
    assert bool(decisions_by_network(ast.parse(code))) == decides


@pytest.mark.parametrize("path", [*CORE_FILES, *ROS_FILES, *TOOLS], ids=lambda path: path.stem)
def test_nobody_takes_a_private_name_of_another_module(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("actseg_"):
            private = [item.name for item in node.names if item.name.startswith("_")]
            assert private == [], f"{node.module} keeps them to itself"


def test_pictures_are_scaled_for_networks_in_one_place() -> None:
    scales = [
        module_of(path)
        for path in CORE_FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == 127.5
    ]
    assert set(scales) == {"networks.tensors", "networks.detector"}  # YOLOX wants 0 to 255 back


def test_reports_are_written_in_one_place_and_one_trainer_is_made() -> None:
    """`actseg evaluate` and `ablate` measure alike, and all trainings are resumable alike."""
    called: dict[str, set[str]] = {"write_report": set(), "write_pairs_report": set()}
    called |= {"lightning.Trainer": set()}
    for path in CORE_FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in called:
                called[ast.unparse(node.func)].add(module_of(path))
    assert called == {
        "write_report": {"evaluation.measured"},
        "write_pairs_report": {"evaluation.measured"},
        "lightning.Trainer": {"training.trainer"},
    }
