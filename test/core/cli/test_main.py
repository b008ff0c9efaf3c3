"""Verbs, exit codes, one line per error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actseg_core.cli.main import VERBS, main


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(verb in shown for verb in VERBS)


def test_an_error_of_ours_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "weights.pt"
    assert main(["convert-weights", str(missing), str(tmp_path / "x.safetensors")]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("actseg: ") and shown.count("\n") == 1
    assert f"{missing} does not exist" in shown


@pytest.mark.parametrize("arguments", [["fly"], ["segment"], ["models", "--frobnicate"]])
def test_wrong_usage_is_explained_with_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "Usage" in capsys.readouterr().err


def run_without(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line in a Python that cannot import `package`."""
    code = f"import sys; sys.modules[{package!r}] = None; import actseg_core.cli.main as m; "
    command = [sys.executable, "-c", f"{code}sys.exit(m.main(sys.argv[1:]))", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_help_comes_without_the_packages_that_train() -> None:
    done = run_without("pycocotools", "--help")
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in VERBS)


def test_a_verb_without_its_packages_says_what_to_install() -> None:
    done = run_without("pycocotools", "generate", "folder", "--clips", "3")
    assert done.returncode == 2
    assert done.stderr == (
        "actseg: generate needs pycocotools, which is not installed: `actseg doctor` names what "
        "the node and the command line need, pip install 'actseg[train]' brings what trains\n"
    )


def test_a_verb_whose_package_was_built_for_another_numpy_says_so(tmp_path: Path) -> None:
    text = "raise ImportError('numpy.core.multiarray failed to import')\n"
    (tmp_path / "cv2.py").write_text(text, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "actseg_core.cli.main", "segment", "clip.mp4", "the cat"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "actseg: segment needs a package that does not load: numpy.core.multiarray failed to "
        "import; `actseg doctor` names it\n",
    )


def test_a_module_of_ours_that_is_missing_is_our_own_bug() -> None:
    done = run_without("actseg_core.generator", "generate", "folder")
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "actseg_core.generator" in done.stderr
