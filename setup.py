"""Makes `pip install .` install node and messages; all that never changes is in pyproject.toml.

The messages are generated and compiled by CMakeLists.txt, the same that colcon uses. Where a ROS
installation is sourced they are built against it and rclpy comes from it; elsewhere the ros-*
wheels are used for both. Where there are none, as on arm64, command line and library are installed
without the nodes. An editable install (`pip install -e .`) leaves the messages out; `make
setup` builds them.
"""

import shutil
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))  # pip's build environment does not have this folder

from build_interfaces import (  # noqa: E402
    NOT_INSTALLED,
    build,
    has_ros_wheels,
    ros_is_sourced,
    stage_site_packages,
)

HAS_ROS = ros_is_sourced() or has_ros_wheels()


def requirements(name: str) -> list[str]:
    """Read a requirements file, and those that it includes."""
    found = []
    for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r"):
            found += requirements(line.split()[1])
        elif line:
            found.append(line)
    return found


def ros_requirements(name: str) -> list[str]:
    """Read a requirements file; a sourced ROS installation takes the place of the ros-* wheels."""
    if not HAS_ROS:
        return []
    return [
        line for line in requirements(name) if not (ros_is_sourced() and line.startswith("ros-"))
    ]


class BuildWithMessages(build_py):
    """Adds what CMakeLists.txt makes: package `actseg`, its libraries, share/, executables."""

    def run(self) -> None:
        """Copy the Python sources, then build the messages."""
        if self.editable_mode or not HAS_ROS:
            super().run()
            return
        # Left from an earlier build: modules deleted since, and a CMake cache that names the build
        # environment of that time.
        work = Path(self.get_finalized_command("build").build_base).resolve() / "wheel"
        for old in (self.build_lib, work):
            shutil.rmtree(old, ignore_errors=True)
        super().run()
        stage = work / "stage"
        build(work / "cmake", stage)
        site_packages = stage_site_packages(stage)
        ignored = shutil.ignore_patterns(*NOT_INSTALLED)
        shutil.copytree(site_packages, self.build_lib, ignore=ignored, dirs_exist_ok=True)
        shutil.rmtree(site_packages)
        files: dict[str, list[str]] = {}
        for file in sorted(stage.rglob("*")):
            if file.is_file() and file.parent.name not in NOT_INSTALLED:
                files.setdefault(str(file.parent.relative_to(stage)), []).append(str(file))
        self.distribution.data_files = list(files.items())


class BinaryDistribution(Distribution):
    """The messages are compiled, so the wheel is for one Python and one platform."""

    def has_ext_modules(self) -> bool:
        """Return True: make the wheel a platform wheel."""
        return True


setup(
    distclass=BinaryDistribution,
    cmdclass={"build_py": BuildWithMessages},
    install_requires=requirements("runtime.txt") + ros_requirements("ros.txt"),
    setup_requires=ros_requirements("ros-build.txt"),
)
