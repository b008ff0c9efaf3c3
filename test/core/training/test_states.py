import logging
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from actseg_core.errors import ConfigError, TrainingError
from actseg_core.training.states import (
    WholeFiles,
    claim,
    disk_errors,
    forget_states,
    is_whole,
    latest_state,
    require_room,
)


def state(step: int) -> dict[str, object]:
    return {"global_step": step, "state_dict": {"weight": torch.full((1000,), float(step))}}


def step_of(path: Path) -> int:
    return torch.load(path, weights_only=True)["global_step"]


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with the states of steps 1 and 2."""
    for step in (1, 2):
        WholeFiles().save_checkpoint(state(step), tmp_path / "last.ckpt")
    return tmp_path


def test_the_state_before_is_kept(two: Path) -> None:
    assert sorted(path.name for path in two.iterdir()) == ["last.ckpt", "previous.ckpt"]
    assert (step_of(two / "last.ckpt"), step_of(two / "previous.ckpt")) == (2, 1)
    found = latest_state(two)
    assert found is not None and step_of(found) == 2


def test_no_state_is_no_error(tmp_path: Path) -> None:
    assert latest_state(tmp_path) is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone"])
def test_a_damaged_state_is_passed_over_for_the_one_before(
    two: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    last = two / "last.ckpt"
    content = bytearray(last.read_bytes())
    if damage == "flipped":
        content[content.index(torch.tensor([2.0, 2.0]).numpy().tobytes()) + 100] ^= 1
    last.write_bytes({"cut": content[:-30], "empty": b""}.get(damage, content))
    if damage == "gone":
        last.unlink()
    with caplog.at_level(logging.WARNING):
        found = latest_state(two)
    assert found is not None and step_of(found) == 1
    assert ("last.ckpt is damaged" in caplog.text) == (damage != "gone")


def test_if_all_states_are_damaged_that_is_said(two: Path) -> None:
    for path in two.iterdir():
        path.write_bytes(b"PK\3\4 no archive")
    with pytest.raises(TrainingError, match=r"damaged \(last.ckpt, previous.ckpt\); delete them"):
        latest_state(two)


def test_weights_that_are_no_numbers_are_never_saved(two: Path) -> None:
    bad = {"global_step": 3, "state_dict": {"weight": torch.tensor([1.0, float("nan")])}}
    with pytest.raises(TrainingError, match="after step 3 the weight weight is not finite"):
        WholeFiles().save_checkpoint(bad, two / "last.ckpt")
    assert step_of(two / "last.ckpt") == 2


@contextmanager
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 1 kB; not for longer, pytest's report may be one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_both_states_and_leaves_nothing_half(two: Path) -> None:
    message = "cannot write .*last.ckpt: File too large; make room"
    with pytest.raises(TrainingError, match=message), small_files():
        WholeFiles().save_checkpoint(state(3), two / "last.ckpt")
    assert sorted(path.name for path in two.iterdir()) == ["last.ckpt", "previous.ckpt"]
    assert (step_of(two / "last.ckpt"), step_of(two / "previous.ckpt")) == (2, 1)


def test_no_room_for_a_log_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no room left for /dev/full"), disk_errors(tmp_path):
        try:
            Path("/dev/full").write_text("x")
        except OSError as error:
            raise OSError(error.errno, error.strerror, "/dev/full") from error


def test_other_errors_of_the_system_are_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk_errors(tmp_path):
        (tmp_path / "missing").read_text()


def test_states_of_a_finished_training_are_deleted(two: Path) -> None:
    forget_states(two)
    forget_states(two)
    assert list(two.iterdir()) == []


def test_only_a_whole_archive_is_whole(two: Path) -> None:
    assert is_whole(two / "last.ckpt")
    assert not is_whole(two)
    assert not is_whole(two / "missing")


def test_a_disk_too_small_for_the_states_is_said_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = torch.nn.Linear(1000, 1000, bias=False)  # 4 MB, and 8 MB of Adam's moments
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=35_000_000))
    with pytest.raises(TrainingError, match="need 36 MB in .*, but 35 MB are free; make room"):
        require_room(tmp_path / "run", layer)
    require_room(tmp_path / "run", layer.requires_grad_(False))


def test_a_training_begun_before_a_network_was_taken_out_goes_on(tmp_path: Path) -> None:
    claim(tmp_path, {"model": {"size": 64, "lite": {"rgb_taps": 4}}, "run": {"seed": 1}})
    claim(tmp_path, {"model": {"size": 64}, "run": {"seed": 1}})
    with pytest.raises(ConfigError, match=r"other settings \(model.size differ\)"):
        claim(tmp_path, {"model": {"size": 96}, "run": {"seed": 1}})
