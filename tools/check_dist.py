"""Check what an sdist and the wheels made of it and of this folder hold; `make dist` calls it."""

import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("actseg_core", "actseg_ros")
MADE_BY_SETUPTOOLS = ("PKG-INFO", "setup.cfg", "actseg.egg-info")
EXECUTABLES = ("segmentation_node", "video_camera", "bag_camera", "recorder")
LIBRARIES = (
    *("rosidl_generator_c", "rosidl_generator_py"),
    *("rosidl_typesupport_c", "rosidl_typesupport_cpp"),
    *("rosidl_typesupport_fastrtps_c", "rosidl_typesupport_fastrtps_cpp"),
    *("rosidl_typesupport_introspection_c", "rosidl_typesupport_introspection_cpp"),
)
LICENCES = ["LICENSE", "NOTICE"]


@dataclass
class Wheel:
    """What a wheel installs.

    Attributes:
        files: Bytes by path, relative to site-packages or, for data, to the environment.
        executable: Paths with the permission to execute.
        metadata: Its METADATA.
    """

    files: dict[str, bytes]
    executable: set[str]
    metadata: Message

    @classmethod
    def read(cls, path: Path) -> "Wheel":
        """Read all of it."""
        with zipfile.ZipFile(path) as archive:
            files, executable = {}, set()
            for info in archive.infolist():
                name = re.sub(r"^[^/]+\.data/(data|purelib|platlib)/", "", info.filename)
                files[name] = archive.read(info)
                if info.external_attr >> 16 & 0o111:
                    executable.add(name)
        (text,) = (data for name, data in files.items() if name.endswith(".dist-info/METADATA"))
        return cls(files, executable, Parser().parsestr(text.decode()))


def sdist_problems(names: set[str], tracked: set[str]) -> list[str]:
    """Compare the files of an sdist with those that git tracks; hidden ones may be left out."""
    wanted = {name for name in tracked if not name.startswith(".")}
    made = {name for name in names if name.split("/")[0] in MADE_BY_SETUPTOOLS}
    return [
        *(f"the sdist lacks {name}: MANIFEST.in" for name in sorted(wanted - names)),
        *(f"the sdist has {name}, which git does not" for name in sorted(names - tracked - made)),
    ]


def wheel_problems(wheel: Wheel, tracked: set[str], root: str) -> list[str]:
    """Look for what is missing in a wheel, what is too much, and what only works here."""
    wanted = {name for name in tracked if name.startswith(tuple(f"{p}/" for p in PACKAGES))}
    for name in tracked:
        folder, _, rest = name.partition("/")
        if folder in ("launch", "msg", "srv", "action"):
            wanted.add(f"share/actseg/{folder}/{rest}")
    wanted |= {f"actseg/{kind}/__init__.py" for kind in ("msg", "srv", "action")}
    wanted |= {f"lib/libactseg__{name}.so" for name in LIBRARIES}
    wanted |= {f"lib/actseg/{name}" for name in EXECUTABLES}
    wanted |= {f"share/actseg/{name}" for name in ("package.xml", *LICENCES)}
    problems = [f"the wheel lacks {name}" for name in sorted(wanted - wheel.files.keys())]
    for name in sorted(wheel.files):
        if name.startswith(tuple(f"{p}/" for p in PACKAGES)) and name not in tracked:
            problems.append(f"the wheel has {name}, which git does not")
        if name.split("/")[0] in ("bin", "test", "tools", "docs") or "__pycache__" in name:
            problems.append(f"the wheel has {name}, which has no place there")
        if not name.endswith(".so") and root.encode() in wheel.files[name]:
            problems.append(f"{name} names {root}, where it was built")
    for name in EXECUTABLES:
        if f"lib/actseg/{name}" not in wheel.executable:
            problems.append(f"lib/actseg/{name} is not executable")
    return [*problems, *metadata_problems(wheel.metadata)]


def metadata_problems(metadata: Message) -> list[str]:
    """Look at what pip and a package index read."""
    problems = []
    if metadata["License-Expression"] != "Apache-2.0":
        problems.append(f"licence: {metadata['License-Expression']}")
    if metadata.get_all("License-File") != LICENCES:
        problems.append(f"licence files: {metadata.get_all('License-File')}")
    if not metadata["Requires-Python"]:
        problems.append("no Requires-Python")
    wanted = {re.split(r"[^\w-]", line)[0] for line in metadata.get_all("Requires-Dist", [])}
    for name in ("numpy", "av", "ros-rclpy"):
        if name not in wanted:
            problems.append(f"{name} is not required")
    if not str(metadata.get_payload()).strip():
        problems.append("no description: README.md")
    return problems


def differences(one: Wheel, other: Wheel) -> list[str]:
    """Compare two wheels; compiled files and what names setuptools' version may differ."""
    names = sorted(one.files.keys() ^ other.files.keys())
    problems = [f"only one of the two wheels has {name}" for name in names]
    for name in sorted(one.files.keys() & other.files.keys()):
        of_its_own = name.endswith((".so", ".dist-info/RECORD", ".dist-info/WHEEL"))
        if not of_its_own and one.files[name] != other.files[name]:
            problems.append(f"{name} differs between the two wheels")
    return problems


def tracked_files() -> set[str]:
    """Return the files of the last commit and of the next."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


def main() -> int:
    """Print the problems of: an sdist, the wheel made of it, a wheel made of this folder."""
    sdist, *wheels = map(Path, sys.argv[1:])
    with tarfile.open(sdist) as archive:
        names = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    tracked = tracked_files()
    of_sdist, of_folder = map(Wheel.read, wheels)
    problems = [
        *sdist_problems(names, tracked),
        *wheel_problems(of_sdist, tracked, str(ROOT)),
        *differences(of_sdist, of_folder),
    ]
    for problem in problems:
        print(f"dist: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
