"""`make dist`: the check of what the archives hold sees what is wrong, and the whole works."""

import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from check_dist import (
    EXECUTABLES,
    LIBRARIES,
    Wheel,
    differences,
    metadata_problems,
    sdist_problems,
    wheel_problems,
)

ROOT = Path(__file__).resolve().parents[2]
TRACKED = {"actseg_core/a.py", "actseg_ros/b.py", "launch/c.launch.py", "msg/D.msg", ".gitignore"}


def metadata(**changes: str) -> Message:
    message = Message()
    lines = {
        "License-Expression": "Apache-2.0",
        "Requires-Python": ">=3.10",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    for name, value in lines.items():
        message[name] = value
    for name in ("LICENSE", "NOTICE"):
        message["License-File"] = name
    for name in ("numpy>=1.26", "av>=17", "ros-rclpy==9.1.2"):
        message["Requires-Dist"] = name
    message.set_payload("# actseg\n")
    return message


def whole() -> Wheel:
    """A wheel of the files in TRACKED with nothing to complain about."""
    names = {
        *("actseg_core/a.py", "actseg_ros/b.py", "share/actseg/launch/c.launch.py"),
        "share/actseg/msg/D.msg",
        *(f"share/actseg/{name}" for name in ("package.xml", "LICENSE", "NOTICE")),
        *(f"actseg/{kind}/__init__.py" for kind in ("msg", "srv", "action")),
        *(f"lib/libactseg__{name}.so" for name in LIBRARIES),
    }
    executables = {f"lib/actseg/{name}" for name in EXECUTABLES}
    return Wheel(dict.fromkeys(names | executables, b"text"), executables, metadata())


def test_a_whole_wheel_has_no_problems() -> None:
    assert wheel_problems(whole(), TRACKED, "/built/here") == []


@pytest.mark.parametrize(
    "name",
    [
        *("actseg_core/a.py", "share/actseg/launch/c.launch.py", "share/actseg/msg/D.msg"),
        *("actseg/srv/__init__.py", "lib/libactseg__rosidl_generator_c.so"),
    ],
)
def test_a_file_that_a_wheel_lacks_is_named(name: str) -> None:
    wheel = whole()
    del wheel.files[name]
    assert wheel_problems(wheel, TRACKED, "/built/here") == [f"the wheel lacks {name}"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("actseg_core/notes.txt", "git does not"),
        ("bin/actseg", "no place there"),
        ("actseg_core/a.pyc/__pycache__", "no place there"),
        ("tools/check_dist.py", "no place there"),
    ],
)
def test_a_file_too_many_in_a_wheel_is_named(name: str, why: str) -> None:
    wheel = whole()
    wheel.files[name] = b""
    problems = wheel_problems(wheel, TRACKED, "/built/here")
    assert problems and all(name in problem for problem in problems)
    assert why in problems[-1]


def test_a_file_with_the_folder_of_the_build_in_it_is_named() -> None:
    wheel = whole()
    wheel.files["share/actseg/package.xml"] = b"prefix=/built/here/stage"
    assert wheel_problems(wheel, TRACKED, "/built/here") == [
        "share/actseg/package.xml names /built/here, where it was built"
    ]


def test_an_executable_without_the_permission_is_named() -> None:
    wheel = whole()
    wheel.executable.remove("lib/actseg/recorder")
    assert wheel_problems(wheel, TRACKED, "/built/here") == [
        "lib/actseg/recorder is not executable"
    ]


def test_another_licence_than_the_packages_is_named() -> None:
    assert metadata_problems(metadata(License_Expression="MIT")) == ["licence: MIT"]


def test_a_requirement_that_got_lost_is_named() -> None:
    lost = metadata()
    del lost["Requires-Dist"]
    lost["Requires-Dist"] = "numpy-quaternion"  # not numpy
    assert metadata_problems(lost) == [
        f"{name} is not required" for name in ("numpy", "av", "ros-rclpy")
    ]


def test_an_sdist_holds_what_git_tracks_and_what_setuptools_adds() -> None:
    made = {"PKG-INFO", "setup.cfg", "actseg.egg-info/SOURCES.txt"}
    visible = {name for name in TRACKED if not name.startswith(".")}
    assert sdist_problems(visible | made, TRACKED) == []
    assert sdist_problems(visible | made - {"PKG-INFO"} | {"secret.txt"}, TRACKED) == [
        "the sdist has secret.txt, which git does not"
    ]
    assert sdist_problems((visible - {"msg/D.msg"}) | made, TRACKED) == [
        "the sdist lacks msg/D.msg: MANIFEST.in"
    ]


def test_two_wheels_differ_in_names_and_texts_but_not_in_what_was_compiled() -> None:
    one, other = whole(), whole()
    other.files["lib/libactseg__rosidl_generator_c.so"] = b"another compiler"
    assert differences(one, other) == []
    other.files["actseg_core/a.py"] = b"changed"
    del other.files["actseg_ros/b.py"]
    assert differences(one, other) == [
        "only one of the two wheels has actseg_ros/b.py",
        "actseg_core/a.py differs between the two wheels",
    ]


def test_a_wheel_is_read_with_its_data_where_pip_puts_them(tmp_path: Path) -> None:
    path = tmp_path / "actseg-1-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("actseg_core/a.py", "a = 1\n")
        executable = zipfile.ZipInfo("actseg-1.data/data/lib/actseg/recorder")
        executable.external_attr = 0o100755 << 16
        archive.writestr(executable, "#!/bin/sh\n")
        archive.writestr("actseg-1.dist-info/METADATA", "Name: actseg\n\n# read me\n")
    wheel = Wheel.read(path)
    assert wheel.files.keys() >= {"actseg_core/a.py", "lib/actseg/recorder"}
    assert wheel.executable == {"lib/actseg/recorder"}
    assert wheel.metadata["Name"] == "actseg"


@pytest.mark.slow
@pytest.mark.timeout(3600)  # two builds and a large installation, and a computer may be busy
def test_a_stranger_can_install_and_use_what_make_dist_builds(tmp_path: Path) -> None:
    subprocess.run([ROOT / "tools" / "dist.sh", tmp_path, sys.prefix], check=True, cwd=ROOT)
    assert len(list(tmp_path.glob("actseg-*.whl"))) == 1
    assert [path.suffix for path in tmp_path.glob("actseg-*.tar.*")] == [".gz"]
    assert len(list(tmp_path.iterdir())) == 2
