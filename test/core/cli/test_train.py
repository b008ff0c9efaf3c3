from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import actseg_core.cli.train as command
from actseg_core.cli.main import main
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import LiteTrainConfig

APP = typer.Typer()
APP.command()(command.train_lite)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("presicion=32-true", "unknown setting 'presicion'; did you mean 'precision'?"),
        ("video.widht=0.5", "unknown setting 'video.widht'; did you mean 'width'?"),
        ("experiment.stage=[]", "unknown setting 'stage'; did you mean 'stages'?"),
        ("accumulate=0", "accumulate: Input should be greater than or equal to 1, got 0"),
        ("devices", "--set wants KEY=VALUE"),
    ],
)
def test_a_wrong_setting_is_named_with_the_right_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, message: str
) -> None:
    folder = str(tmp_path / "run")
    status = main(
        ["train", "table1_rgb", "--data", str(tmp_path), "--run", folder, "--set", setting]
    )
    assert status == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_settings_of_a_file_are_overridden_by_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.yaml").write_text("iterations: 5\ndata: from_the_file\nsize: 64\n")
    command = ["train", "table1_rgb", "--settings", str(tmp_path / "train.yaml")]
    assert main(command) == 2
    assert "there is no folder from_the_file" in capsys.readouterr().err
    assert main([*command, "--data", "from_the_line"]) == 2
    assert "there is no folder from_the_line" in capsys.readouterr().err


def test_options_go_over_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[LiteTrainConfig] = []
    monkeypatch.setattr(
        command, "run_recipe", lambda model, config, run, path, log: given.append(config)
    )
    (tmp_path / "s.yaml").write_text("steps: 5\nseed: 3\nphotos: [there]\n")

    result = CliRunner().invoke(
        APP,
        [
            *("out.safetensors", "--settings", str(tmp_path / "s.yaml")),
            *("--set", "steps=7", "--set", "photos=[here, and there]"),
        ],
    )

    assert result.exit_code == 0, result.output
    (config,) = given
    assert (config.steps, config.seed, config.photos) == (7, 3, ("here", "and there"))


def test_an_unknown_setting_is_named_with_the_nearest(tmp_path: Path) -> None:
    result = CliRunner().invoke(APP, ["out.safetensors", "--set", "step=7"])

    assert isinstance(result.exception, ConfigError)
    assert "did you mean 'steps'" in str(result.exception)
