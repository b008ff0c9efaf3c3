"""What the packaging files promise each other: one version, one set of names, nothing private."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from catkin_pkg.package import parse_package
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
MODULES = re.search(r"node IN ITEMS ([\w. ]+)\)", CMAKE)[1].split()  # type: ignore[index]
EXECUTABLES = [module.rpartition(".")[2] for module in MODULES]

ROSDEP = {
    "python3-numpy": "numpy",
    "python3-opencv": "opencv-python-headless",
    "python3-yaml": "PyYAML",
}
"""rosdep's key of a Python package and its name on the package index."""
WITHOUT_WHEELS = {
    *("ament_index_python", "compressed_image_transport", "cv_bridge", "depth_image_proc"),
    *("image_transport", "launch", "launch_ros", "rcl_interfaces", "rviz2", "tf2_ros_py"),
    *("v4l2_camera", "vision_msgs"),
}
"""ROS packages that ros.txt lacks: they come along with rclpy, or there is no wheel."""
LOADED_BY_NAME = {"rmw_fastrtps_cpp", "rmw_dds_common", "fastdds", "fastcdr"}
"""Wheels that package.xml lacks: a ROS installation has its own middleware."""


def tracked_files() -> list[Path]:
    """Return the files of the last commit and of the next; skip the test where there is no git."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git work tree")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def requirement_lines(*names: str) -> list[str]:
    """Return the lines of requirements files that name a package, with their comments."""
    texts = [(ROOT / "requirements" / name).read_text(encoding="utf-8") for name in names]
    lines = [line for text in texts for line in text.splitlines()]
    return [line for line in lines if line.strip() and not line.startswith(("#", "-"))]


def test_the_version_is_the_same_everywhere() -> None:
    package = parse_package(str(ROOT))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    assert newest is not None
    assert PYPROJECT["project"]["version"] == package.version == newest[1]


def test_package_xml_declares_what_cmake_looks_for() -> None:
    package = parse_package(str(ROOT))
    declared = {
        depend.name
        for depend in package.buildtool_depends + package.build_depends + package.test_depends
    }
    packages = {name for name in declared if not name.startswith("python3-")}
    assert set(re.findall(r"find_package\((\w+) REQUIRED\)", CMAKE)) == packages
    assert [group.name for group in package.member_of_groups] == ["rosidl_interface_packages"]


@pytest.mark.parametrize(
    "target",
    [
        *PYPROJECT["project"]["scripts"].values(),
        *(f"actseg_ros.{name}:main" for name in MODULES),
    ],
)
def test_an_entry_point_names_a_function_that_exists(target: str) -> None:
    module, _, function = target.partition(":")
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert function in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("name", EXECUTABLES)
def test_an_executable_is_installed_where_launch_looks(name: str) -> None:
    file = Path(sys.prefix) / "lib" / "actseg" / name
    assert file.is_file() and file.stat().st_mode & 0o111, f"run make setup: {file}"


def test_cmake_installs_the_command_line_that_pip_makes() -> None:
    installed = re.search(
        r"set\(executable (\w+)\)\nset\(module ([\w.]+)\)\n(?:.*\n){3}.*DESTINATION bin\)", CMAKE
    )
    assert installed is not None
    assert PYPROJECT["project"]["scripts"] == {installed[1]: f"{installed[2]}:main"}


def installed_executable(prefix: Path) -> Path:
    """A node's executable below `prefix`, as CMake writes it."""
    text = (ROOT / "tools" / "executable.in").read_text(encoding="utf-8")
    for name, value in {"prefix": "../..", "bin": "../../bin", "executable": "node"}.items():
        text = text.replace(f"@{name}@", value)
    file = prefix / "lib" / "actseg" / "node"
    file.parent.mkdir(parents=True)
    file.write_text(text.replace("@module@", "actseg_ros.segmentation_node"), encoding="utf-8")
    return file


def python_that_says(folder: Path, text: str) -> None:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python3").write_text(f"#!/bin/sh\necho {text}\n", encoding="utf-8")
    (folder / "bin" / "python3").chmod(0o755)


@pytest.mark.parametrize("prefix", ["install/actseg", "install"], ids=["isolated", "merged"])
def test_an_executable_of_a_workspace_runs_in_the_environment_beside_it(
    tmp_path: Path, prefix: str
) -> None:
    file = installed_executable(tmp_path / prefix)
    python_that_says(tmp_path / "on_the_path", "python of the system")
    path = f"{tmp_path / 'on_the_path' / 'bin'}:{os.environ['PATH']}"
    said = []
    for folder, text in (("", ""), ("actseg_venv", "beside the workspace"), (prefix, "its own")):
        if folder:
            python_that_says(tmp_path / folder, text)
        environment = {"PATH": path}
        done = subprocess.run(["sh", str(file)], env=environment, capture_output=True, text=True)
        said.append(done.stdout.strip())
    assert said == ["python of the system", "beside the workspace", "its own"]


def test_the_python_that_the_user_names_runs_an_executable(tmp_path: Path) -> None:
    file = installed_executable(tmp_path / "install")
    python_that_says(tmp_path / "actseg_venv", "beside the workspace")
    python_that_says(tmp_path / "mine", "mine")
    environment = {**os.environ, "ACTSEG_PYTHON": str(tmp_path / "mine" / "bin" / "python3")}
    done = subprocess.run(["sh", str(file)], env=environment, capture_output=True, text=True)
    assert done.stdout == "mine\n"


@pytest.mark.slow
def test_after_cmakes_install_step_the_command_line_runs(tmp_path: Path) -> None:
    stage = tmp_path / "install"
    build = [
        *("import sys, pathlib; sys.path.insert(0, sys.argv[1]); import build_interfaces as b",),
        "b.build(*map(pathlib.Path, sys.argv[2:]))",
    ]
    tools, folder = str(ROOT / "tools"), str(tmp_path / "build")
    subprocess.run([sys.executable, "-c", "; ".join(build), tools, folder, str(stage)], check=True)
    (packages,) = stage.glob("lib/python3*/site-packages")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for name in EXECUTABLES:
        assert (stage / "lib" / "actseg" / name).stat().st_mode & 0o111
    told = subprocess.run(
        [str(stage / "bin" / "actseg"), "models", "--help"],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Usage: actseg models" in told


@pytest.mark.parametrize("folder", ["action", "docs", "launch", "msg", "srv", "test", "tools"])
def test_a_folder_that_would_shadow_a_package_is_none(folder: str) -> None:
    assert not list((ROOT / folder).rglob("__init__.py"))


def test_every_data_file_of_the_packages_is_packaged() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["*"]
    for file in tracked_files():
        if file.relative_to(ROOT).parts[0] in ("actseg_core", "actseg_ros"):
            assert file.suffix == ".py" or any(file.match(p) for p in patterns), file


def declared() -> set[str]:
    """What package.xml wants at run time."""
    return {depend.name for depend in parse_package(str(ROOT)).exec_depends}


def test_package_xml_names_every_python_package_by_its_key_or_says_that_pip_brings_it() -> None:
    wanted = {
        Requirement(line.partition("#")[0]).name
        for line in requirement_lines("slim.txt", "runtime.txt")
    }
    keys = {name for name in declared() if name.startswith("python3-")}
    assert keys == ROSDEP.keys()
    text = (ROOT / "package.xml").read_text(encoding="utf-8")
    said = " ".join(re.findall(r"<!--(.*?)-->", text, re.DOTALL))
    others = {name for name in wanted if re.search(rf"(?<![\w-]){name}(?![\w-])", said)}
    assert {ROSDEP[key] for key in keys} | others == wanted
    assert not {ROSDEP[key] for key in keys} & others


def test_every_key_of_package_xml_is_one_that_rosdep_was_asked_for() -> None:
    """A new key: tools/check_rosdep.sh."""
    package = parse_package(str(ROOT))
    kinds = ("buildtool_depends", "build_depends", "exec_depends", "test_depends")
    keys = {depend.name for kind in kinds for depend in getattr(package, kind)}
    lines = (ROOT / "tools" / "rosdep_keys.txt").read_text(encoding="utf-8").splitlines()
    assert keys == {line for line in lines if not line.startswith("#")}


def test_package_xml_and_the_wheels_name_the_same_ros_packages() -> None:
    wheels = {
        Requirement(line.partition("#")[0]).name.removeprefix("ros-").replace("-", "_")
        for line in requirement_lines("ros.txt")
    }
    packages = {name for name in declared() if not name.startswith("python3-")}
    assert packages - wheels == WITHOUT_WHEELS
    assert wheels - packages == LOADED_BY_NAME


def test_package_xml_declares_every_package_that_a_launch_file_starts() -> None:
    started = set()
    for file in (ROOT / "launch").glob("*.py"):
        started |= set(re.findall(r'\bpackage="(\w+)"', file.read_text(encoding="utf-8")))
    assert started > {"actseg"}
    assert started - {"actseg"} - declared() == set()


def test_package_xml_declares_what_the_tests_import() -> None:
    wanted = {"hypothesis", "psutil", "pytest", "pytest-timeout"}
    keys = {depend.name for depend in parse_package(str(ROOT)).test_depends}
    assert {f"python3-{name}" for name in wanted} <= keys
    extra = {
        Requirement(text).name for text in PYPROJECT["project"]["optional-dependencies"]["dev"]
    }
    assert wanted <= extra


def test_package_xml_says_whom_to_ask_and_the_licence_of_code_and_weights() -> None:
    package = parse_package(str(ROOT))
    assert {url.type for url in package.urls} == {"website", "repository", "bugtracker"}
    assert [str(licence) for licence in package.licenses] == ["Apache-2.0", "WordNet-3.0"]
    for licence in package.licenses:
        assert (ROOT / licence.file).is_file()
    text = (ROOT / "package.xml").read_text(encoding="utf-8")
    for weights in (ROOT / "actseg_core" / "weights").glob("*.safetensors"):
        name = weights.relative_to(ROOT).as_posix()
        assert name in text and name in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_jazzys_wheels_are_kilteds_by_another_name() -> None:
    """But for those that only one of the two releases has."""
    kilted, jazzy = (
        {Requirement(line.partition("#")[0]).name for line in requirement_lines(*names)}
        for names in (("ros.txt", "ros-build.txt"), ("jazzy.txt",))
    )
    jazzy = {name.replace("ros-jazzy-", "ros-") for name in jazzy}
    assert kilted - jazzy == {"ros-fastdds", "ros-ament-cmake-ros-core"}
    assert jazzy - kilted == {
        *("ros-fastrtps", "ros-ament-cmake-ros", "ros-ament-cmake-gmock"),
        *("ros-ament-cmake-gtest", "ros-python-cmake-module"),
    }


def test_the_lock_meets_every_bound() -> None:
    lock = dict(line.split("==") for line in requirement_lines("lock.txt"))
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    wanted = [text for extra in extras for text in extra]
    for name in ("slim.txt", "runtime.txt", "ros.txt", "ros-build.txt"):
        wanted += [line.partition("#")[0].strip() for line in requirement_lines(name)]
    for text in wanted:
        requirement = Requirement(text)
        version = lock.get(canonicalize_name(requirement.name))
        assert version is not None and requirement.specifier.contains(version), (text, version)


def test_every_run_time_bound_has_its_reason() -> None:
    assert [
        line for line in requirement_lines("slim.txt", "runtime.txt") if "  # " not in line
    ] == []


def test_no_tracked_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    # In pieces, or this file would be the first to be found.
    hosts = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "deb." + "debian.org"]
    folders = ["work", "root", "home", "Users", "opt/py" + "pi", "opt/" + "wheels"]
    pattern = re.compile(
        "|".join(
            [*map(re.escape, hosts), *(rf"(?<![\w.}}$)*~-])/{folder}/" for folder in folders)]
        )
    )
    found = []
    for file in tracked_files():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    "script", [".ci/run", *(f"tools/{p.name}" for p in ROOT.glob("tools/*.sh"))]
)
def test_a_script_is_executable_and_parses(script: str) -> None:
    assert (ROOT / script).stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(ROOT / script)], check=True)
