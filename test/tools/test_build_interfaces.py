"""What `pip install .` does where messages cannot be built."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import build_interfaces
import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP_ON = """
import platform, runpy, sys
platform.machine = lambda: sys.argv.pop(1)
sys.argv[0] = "setup.py"
runpy.run_path("setup.py", run_name="__main__")
"""


def test_without_pythons_headers_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(SystemExit, match=r"headers of .* are missing; install python3-dev"):
        build_interfaces.build(tmp_path / "build", tmp_path / "stage")


def test_where_ros_has_no_wheels_the_command_line_is_installed_without_the_nodes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("tools", "requirements", "actseg_core/cli"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "actseg_core" / "__init__.py").touch()
    command = [sys.executable, "-c", SETUP_ON, "aarch64", "-q", "build", "egg_info"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wanted = (tmp_path / "actseg.egg-info" / "requires.txt").read_text(encoding="utf-8")
    assert "numpy>=1.26" in wanted and "torch==" in wanted and "ros-" not in wanted
    (built,) = (tmp_path / "build").glob("lib*")
    assert [folder.name for folder in built.iterdir()] == ["actseg_core"]
