from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from actseg_core.cli.generate import generate, with_settings
from actseg_core.errors import ConfigError

APP = typer.Typer()
APP.command()(generate)
SMALL = [
    *("--set", "scene.frames=3", "--set", "scene.height=48", "--set", "scene.width=64"),
    *("--set", "flow=none"),
]


def test_the_command_writes_a_data_set_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "a set [red] [/] 1:2"
    arguments = [str(folder), "--videos", "2", *SMALL]

    first = CliRunner().invoke(APP, arguments)
    again = CliRunner().invoke(APP, arguments)

    assert first.exit_code == 0, first.output
    said = " ".join(first.output.split())
    assert "2 videos (2 train, 0 test)" in said
    assert "videos per second with 1 process(es)" in said
    assert "per second" not in again.output, "nothing was left to do"
    assert str(folder) in first.output
    assert (folder / "Release" / "clips320H" / "gen00000001.mp4").is_file()


def test_an_unknown_setting_is_an_error_that_names_the_right_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(APP, [str(tmp_path / "set"), "--set", "scene.frame=3"])

    assert isinstance(result.exception, ConfigError)
    assert "did you mean 'frames'" in str(result.exception)
    assert not (tmp_path / "set").exists()


def test_settings_are_yaml_values_under_dotted_keys() -> None:
    mapping = with_settings({"seed": 1}, ["scene.pairs=[17, 77]", "flow=all", "seed=2"])

    assert mapping == {"seed": 2, "flow": "all", "scene": {"pairs": [17, 77]}}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("scene.frames", "wants KEY=VALUE, got 'scene.frames'"),
        ("seed.x=1", "seed has no settings of its own"),
        ("seed=[1", "is no YAML value"),
    ],
)
def test_a_setting_that_is_none_is_refused(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_settings({"seed": 1}, [setting])
