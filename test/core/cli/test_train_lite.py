"""`actseg train-lite`: which settings reach the recipe."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import actseg_core.cli.train_lite as command
from actseg_core.config import LiteTrainConfig
from actseg_core.errors import ConfigError

APP = typer.Typer()
APP.command()(command.train_lite)


def test_options_go_over_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[LiteTrainConfig] = []
    monkeypatch.setattr(
        command, "run_recipe", lambda model, config, run, path: given.append(config)
    )
    (tmp_path / "s.yaml").write_text("iterations: 5\nseed: 3\nphotos: there\n")

    result = CliRunner().invoke(
        APP,
        [
            *("out.safetensors", "--settings", str(tmp_path / "s.yaml"), "--photos", "here"),
            *("--set", "iterations=7", "--set", "shares.still=0.5", "--set", "leave_out=[bear]"),
        ],
    )

    assert result.exit_code == 0, result.output
    (config,) = given
    assert (config.iterations, config.seed, config.photos) == (7, 3, "here")
    assert (config.shares.still, config.leave_out) == (0.5, ("bear",))


def test_an_unknown_setting_is_named_with_the_nearest(tmp_path: Path) -> None:
    result = CliRunner().invoke(APP, ["out.safetensors", "--set", "iteration=7"])

    assert isinstance(result.exception, ConfigError)
    assert "did you mean 'iterations'" in str(result.exception)
