"""`actseg doctor`: what is installed, whether it works, and what to do where it does not."""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import actseg_core

Finding = tuple[str, str, str]
"""Level ("ok", "hint" or "fail"), what was looked at, and what was found or is to be done."""
OLDEST_PYTHON = (3, 10)
NEEDED = {
    "numpy": "numpy",
    "cv2": "opencv-python-headless",
    "safetensors": "safetensors",
    "pydantic": "pydantic",
    "yaml": "PyYAML",
    "av": "av",
    "typing_extensions": "typing-extensions",
    "aiohttp": "aiohttp",
    "typer": "typer",
    "rich": "rich",
    "rosbags": "rosbags",
    "onnxruntime": "onnxruntime",
}
"""Module and package of what the command line and the node import (requirements/slim.txt)."""
OPTIONAL = {
    "torch": ("torch", "trains, and runs networks other than the default model"),
    "onnx": ("onnx", "exports graphs"),
    "gensim": ("gensim", "reads binary word2vec files"),
    "openvino": ("openvino", "runs the paper's network fastest on CPUs"),
    "lightning": ("lightning", "trains; pip install 'actseg[train]'"),
}
"""Module, package and what it is good for."""
ROS_PART = "actseg_ros.doctor"
GET_ROS = (
    "source /opt/ros/DISTRIBUTION/setup.bash, or without a ROS installation "
    "pip install -r requirements/ros.txt"
)
NO_LOG_FOLDER = "; this user has no home folder: export ROS_LOG_DIR=/tmp or HOME"
COLOURS = {"ok": "green", "hint": "yellow", "fail": "red"}


def doctor(
    image: Annotated[
        str, typer.Option(help="Image topic of the camera, such as /camera/image_raw.")
    ] = "",
    wait_s: Annotated[
        float, typer.Option("--wait", min=0.5, help="How long to wait for its first image [s].")
    ] = 5.0,
) -> int:
    """Say what is installed, what is missing and what to do; 1 if something is missing or broken.

    With --image it also says whether images arrive on that topic.
    """
    findings = [*environment(), *packages(), *runtimes(), *model(), *ros(image, wait_s)]
    table = Table.grid(padding=(0, 2))
    for level, what, text in findings:
        table.add_row(f"[{COLOURS[level]}]{level}[/]", what, _plain(text))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    failed = [what for level, what, _ in findings if level == "fail"]
    print(f"To mend: {', '.join(failed)}" if failed else "Nothing to mend.")
    return 1 if failed else 0


def environment() -> Iterator[Finding]:
    """Python, the machine and where the package was found."""
    wanted = ".".join(map(str, OLDEST_PYTHON))
    level = "ok" if sys.version_info >= OLDEST_PYTHON else "fail"
    text = f"{platform.python_version()}, {sys.executable}"
    yield level, "Python", text if level == "ok" else f"{text}: {wanted} or newer is needed"
    yield (
        "ok",
        "machine",
        f"{platform.system()} {platform.machine()}, {os.cpu_count() or 1} cores",
    )
    yield "ok", "actseg", str(Path(actseg_core.__file__).parent)


def packages() -> Iterator[Finding]:
    """The Python packages that are needed, and those that may be missing."""
    works = []
    for module, name in NEEDED.items():
        problem = _problem(module)
        if problem:
            yield "fail", name, problem
        else:
            works.append(f"{name} {_version(module, name)}")
    yield "ok", "packages", ", ".join(works)
    for module, (name, purpose) in OPTIONAL.items():
        if find_spec(module) is None:
            yield "ok", name, f"not installed; not needed by the node ({purpose})"


def runtimes() -> Iterator[Finding]:
    """What can run a network here, and on what."""
    found = []
    if not _problem("torch"):
        torch = import_module("torch")
        device = f"GPU {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "CPU"
        found.append(f"torch ({device})")
    if not _problem("onnxruntime"):
        providers = import_module("onnxruntime").get_available_providers()
        found.append(f"onnxruntime ({', '.join(providers)})")
    if find_spec("openvino") is not None and not _problem("openvino"):
        found.append(f"openvino ({', '.join(import_module('openvino').Core().available_devices)})")
    text = ", ".join(found) or "none: pip install -r requirements/runtime.txt"
    yield "ok" if found else "fail", "runtimes", text


def model() -> Iterator[Finding]:
    """Whether the default model loads from what ships with the package."""
    try:
        predictor: Any = actseg_core.Predictor.load("lite")
        query = predictor.read("a person in red")
    except Exception as error:  # whatever the cause, it is what the user has to know
        yield "fail", "model lite", _reason(error)
        return
    unknown = f", unknown words: {', '.join(query.unknown)}" if query.unknown else ""
    yield "ok", "model lite", f"loads{unknown}"


def ros(image: str, wait_s: float) -> Iterator[Finding]:
    """What the nodes need of ROS; the core knows nothing of it, so actseg_ros looks itself."""
    if find_spec("rclpy") is None:
        level = "fail" if image else "hint"
        yield (
            level,
            "ROS",
            f"rclpy is not found: {GET_ROS}; only the nodes need it",
        )
        return
    try:
        look: Callable[[str, float], Iterator[Finding]] = import_module(ROS_PART).findings
    except ModuleNotFoundError as error:
        yield "fail", "ROS", f"{error.name} is not found: {GET_ROS}"
        return
    except Exception as error:
        yield "fail", "ROS", f"{_reason(error)}; was ROS made for this Python?"
        return
    try:
        yield from look(image, wait_s)
    except Exception as error:  # rclpy without a home folder for its log, without a network
        yield "fail", "ROS", f"{_reason(error)}{NO_LOG_FOLDER if _lacks_log(error) else ''}"


def _problem(module: str) -> str:
    """Why a module cannot be used; empty if it can."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        return f"{missing} is not installed: pip install -r requirements/runtime.txt"
    except Exception as error:  # built for another NumPy, a library missing, a GPU driver
        return f"does not load: {_reason(error)}"
    return ""


def _version(module: str, name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # the distribution's own goes by another name
        return str(getattr(import_module(module), "__version__", "of the system"))


def _lacks_log(error: Exception) -> bool:
    return "logging directory" in str(error)


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _plain(text: str) -> str:
    """Without rich's markup, which brackets in a path or a message would start."""
    return text.replace("[", "\\[")
