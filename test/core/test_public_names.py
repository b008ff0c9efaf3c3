"""`from actseg_core import Predictor, StreamingEngine, Frame`."""

import subprocess
import sys

import pytest

import actseg_core
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.types import Frame


def test_the_names_of_the_first_steps_are_at_the_top() -> None:
    assert actseg_core.Predictor is Predictor
    assert actseg_core.StreamingEngine is StreamingEngine
    assert actseg_core.Frame is Frame


@pytest.mark.parametrize("name", actseg_core.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(actseg_core, name).__doc__


def test_dir_lists_all_public_names_before_they_are_used() -> None:
    code = "import actseg_core; print(set(actseg_core.__all__) <= set(dir(actseg_core)))"
    assert _run(code) == "True"


def test_a_star_import_takes_the_public_names_and_no_others() -> None:
    names: dict[str, object] = {}
    exec("from actseg_core import *", names)
    assert set(names) - {"__builtins__"} == set(actseg_core.__all__)


def test_a_name_that_does_not_exist_is_pythons_own_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Predicter' from 'actseg_core'"):
        exec("from actseg_core import Predicter", {})


def test_torch_is_imported_only_when_it_is_needed() -> None:
    code = "import sys; from actseg_core import Frame, read_video, StreamConfig; {}"
    assert _run(code.format("print('torch' in sys.modules)")) == "False"
    running = "from actseg_core import Predictor, StreamingEngine; Predictor.load('lite')"
    assert _run(code.format(f"{running}; print('torch' in sys.modules)")) == "False"
    training = "from actseg_core.predictor import NetworkPredictor; print('torch' in sys.modules)"
    assert _run(code.format(training)) == "True"


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
