"""`actseg VERB`: one verb per module beside this one."""

import os
import sys
from collections.abc import Callable
from importlib import import_module

import typer

from actseg_core.errors import ActSegError, MissingPackageError

# Verb to module and function; a module is imported only when its verb is wanted, because torch
# alone takes seconds.
VERBS = {
    "live": "actseg_core.cli.live:live",
    "segment": "actseg_core.cli.segment:segment",
    "models": "actseg_core.cli.models:models",
    "words": "actseg_core.cli.words:words",
    "doctor": "actseg_core.cli.doctor:doctor",
    "generate": "actseg_core.cli.generate:generate",
    "evaluate": "actseg_core.cli.evaluate:evaluate",
    "tables": "actseg_core.cli.tables:tables",
    "export": "actseg_core.cli.models:export",
    "bench": "actseg_core.cli.bench:bench",
    "ablate": "actseg_core.cli.ablate:ablate",
    "convert-weights": "actseg_core.cli.models:convert_weights",
    "train": "actseg_core.cli.train:train",
    "train-lite": "actseg_core.cli.train:train_lite",
    "pretrain": "actseg_core.cli.train:pretrain",
    "train-classifier": "actseg_core.cli.train:train_classifier",
}
ERROR_EXIT = 2


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; 0 on success, 2 on an error that the user can mend."""
    arguments = sys.argv[1:] if arguments is None else arguments
    # Before torch is imported: threads that spin while they wait are many times slower where
    # other processes share the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    wanted = [verb for verb in VERBS if arguments[:1] == [verb]] or list(VERBS)
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Find the actor that a sentence describes in a video.",
    )
    app.callback()(_keep_verbs)
    for verb in wanted:
        _register(app, verb)
    try:
        status = app(arguments, standalone_mode=False)
    except ActSegError as error:
        print(f"actseg: {error}", file=sys.stderr)
        return ERROR_EXIT
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        return 130
    except Exception as error:
        show = getattr(error, "show", None)  # click's usage errors print themselves
        if show is None:
            raise
        show()
        return ERROR_EXIT
    return status if isinstance(status, int) else 0


def _keep_verbs() -> None:
    """Makes typer keep the verb even when only one is registered."""


def _register(app: typer.Typer, verb: str) -> None:
    """Add a verb, or in its place what says which package it lacks."""
    module, function = VERBS[verb].split(":")
    try:
        loaded: Callable[..., object] = getattr(import_module(module), function)
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "actseg_core":
            raise
        # Whatever is written after the verb, the answer is what it lacks.
        anything = {"ignore_unknown_options": True, "allow_extra_args": True}
        app.command(verb, context_settings=anything)(_lacking(verb, error))
    else:
        app.command(verb)(loaded)


def _lacking(verb: str, error: ImportError) -> Callable[[typer.Context], None]:
    if isinstance(error, ModuleNotFoundError):
        text = (
            f"{verb} needs {error.name}, which is not installed: `actseg doctor` names what the "
            "node and the command line need, pip install 'actseg[train]' brings what trains"
        )
    else:  # built for another NumPy, or without a library of the system
        reason = " ".join(str(error).split())
        text = f"{verb} needs a package that does not load: {reason}; `actseg doctor` names it"

    def say(_: typer.Context) -> None:
        raise MissingPackageError(text)

    say.__doc__ = f"Not installed: {text}."
    return say


if __name__ == "__main__":
    sys.exit(main())
