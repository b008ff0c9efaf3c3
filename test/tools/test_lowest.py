"""The lowest versions that the requirements allow are good enough."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_readers_and_pictures_pass_their_tests_with_the_lowest_versions(tmp_path: Path) -> None:
    script = ROOT / "tools" / "check_lowest.sh"
    subprocess.run([script, tmp_path / "venv"], check=True, cwd=ROOT)
