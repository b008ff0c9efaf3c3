"""Run CMakeLists.txt without colcon: for `pip install .` (setup.py) and for `make setup`.

It is built against a sourced ROS installation or else this Python's own ros-* wheels.
Nothing but the standard library may be imported here: setup.py runs before anything is installed.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATORS = "share/rosidl_default_generators"
FIRST_WITHOUT_WHEELS = (3, 15)
# Setuptools installs the Python packages and bin/actseg; ament's own records of them would be
# found first by importlib.metadata and have no entry points.
NOT_INSTALLED = (
    *("actseg_core", "actseg_ros", "bin", "*.egg-info", "__pycache__"),
    "parent_prefix_path",
)


def ros_is_sourced() -> bool:
    """Tell whether the shell has sourced a ROS installation that can generate messages."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return any(prefix and (Path(prefix) / GENERATORS).is_dir() for prefix in prefixes)


def has_ros_wheels() -> bool:
    """Tell whether the ros-* wheels of requirements/ros.txt exist for this machine and Python."""
    is_machine = sys.platform == "linux" and platform.machine() == "x86_64"
    return is_machine and sys.version_info < FIRST_WITHOUT_WHEELS


def wheel_prefix() -> Path:
    """Return the prefix of the ros-* wheels: an environment, or pip's build environment."""
    for folder in map(Path, sys.path):
        if len(folder.parents) > 2 and (folder.parents[2] / GENERATORS).is_dir():
            return folder.parents[2]
    raise SystemExit(
        "actseg: no ROS 2 to generate the messages with. Source a ROS installation "
        "(setup.bash of /opt/ros), or pip install -r requirements/ros.txt"
    )


def build(build_folder: Path, stage: Path, source: Path = ROOT) -> None:
    """Configure, build and install the CMakeLists.txt of `source` into the folder `stage`."""
    environment = dict(os.environ)
    scripts = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([scripts, environment.get("PATH", os.defpath)])
    options = [
        f"-DCMAKE_INSTALL_PREFIX={stage}",
        f"-DPython3_EXECUTABLE={sys.executable}",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DBUILD_TESTING=OFF",
    ]
    if ros_is_sourced():
        # pip builds with a PYTHONPATH of its own; the generators have to be on it.
        folders = [environment.get("PYTHONPATH", "")]
        for prefix in map(Path, environment["AMENT_PREFIX_PATH"].split(os.pathsep)):
            for pattern in ("lib/python3*/site-packages", "local/lib/python3*/dist-packages"):
                folders += [str(folder) for folder in prefix.glob(pattern)]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
    else:
        prefix = wheel_prefix()
        bundled = sorted(prefix.glob("lib/python3.*/site-packages/ros_*.libs"))
        libraries = [str(folder) for folder in (prefix / "lib", *bundled)]
        # The generators are Python programs that load the wheels' libraries.
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
        environment["AMENT_PREFIX_PATH"] = str(prefix)
        environment["CMAKE_PREFIX_PATH"] = str(prefix)
        options.append("-DPython3_FIND_VIRTUALENV=ONLY")
        options.append(f"-DCMAKE_PROJECT_INCLUDE={ROOT / 'tools' / 'wheel_compat.cmake'}")
    if shutil.which("ninja", path=environment["PATH"]):
        options.append("-GNinja")
    for tool in ("cmake", "cc", "c++"):
        if shutil.which(tool, path=environment["PATH"]) is None:
            raise SystemExit(f"actseg: {tool} is missing; install cmake, gcc and g++")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise SystemExit(
            f"actseg: the headers of {sys.executable} are missing; install python3-dev, or "
            f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
        )

    def run(*command: object) -> None:
        result = subprocess.run(
            [str(part) for part in command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if result.returncode:
            sys.stderr.write(result.stdout[-8000:])
            raise SystemExit(f"actseg: building the messages failed at: {command[0]} {command[1]}")

    run("cmake", "-S", source, "-B", build_folder, *options)
    run("cmake", "--build", build_folder, "--parallel", os.cpu_count() or 1)
    run("cmake", "--install", build_folder)
    # The only file with the staging folder's path in it; local_setup.bash finds its own.
    for local_setup in stage.glob("share/*/local_setup.sh"):
        local_setup.write_text(local_setup.read_text().replace(str(stage), ""))


def stage_site_packages(stage: Path, package: str = "actseg") -> Path:
    """Return the folder of `stage` that holds the generated Python package."""
    found = sorted(stage.glob(f"**/python3*/*-packages/{package}"))
    if len(found) != 1:
        raise SystemExit(f"actseg: no generated messages below {stage}")
    return found[0].parent


def install_into_environment(stage: Path) -> None:
    """Replace the messages, launch files and executables of this Python's environment."""
    prefix = Path(sys.prefix)
    site_packages = Path(sysconfig.get_path("platlib"))
    for old in ("lib/actseg", "share/actseg", "include/actseg", site_packages / "actseg"):
        shutil.rmtree(prefix / old, ignore_errors=True)
    for library in (prefix / "lib").glob("libactseg__*"):
        library.unlink()
    ignored = shutil.ignore_patterns(*NOT_INSTALLED)
    shutil.copytree(stage_site_packages(stage), site_packages, ignore=ignored, dirs_exist_ok=True)
    ignored = shutil.ignore_patterns(*NOT_INSTALLED, "python3*")
    shutil.copytree(stage, prefix, ignore=ignored, dirs_exist_ok=True)


def main() -> None:
    """Build the messages and put them into the environment of the Python that runs this."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.parse_args()
    if sys.prefix == sys.base_prefix:
        raise SystemExit("actseg: run this with the Python of a virtual environment")
    # One for each environment: what was compiled for one distribution does not load with another.
    build_folder = ROOT / "build" / f"interfaces-{Path(sys.prefix).name.lstrip('.')}"
    with tempfile.TemporaryDirectory() as stage:
        build(build_folder, Path(stage))
        install_into_environment(Path(stage))


if __name__ == "__main__":
    main()
