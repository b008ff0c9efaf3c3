"""Weight files of others: read without running anything, or refused with a reason."""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from actseg_core.checkpoints import foreign_file
from actseg_core.checkpoints.foreign_file import read_state
from actseg_core.errors import CheckpointError

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([1.5, -2.0])}


class Evil:
    """Writes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def torch_bytes(content: object, zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def rezip(content: bytes, compression: int) -> bytes:
    """The same archive with other compression."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", compression) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return buffer.getvalue()


def assert_is_state(got: dict[str, torch.Tensor]) -> None:
    assert got.keys() == STATE.keys()
    for name, value in STATE.items():
        assert torch.equal(got[name], value)


ZIPPED = torch_bytes(STATE)
PLAIN = torch_bytes(STATE, zipped=False)


@pytest.mark.parametrize(
    "content",
    [
        ZIPPED,
        PLAIN,
        torch_bytes(OrderedDict(STATE)),
        torch_bytes({"epoch": 3, "state_dict": STATE}),
        torch_bytes({"model_state_dict": OrderedDict(STATE), "optimizer": {"lr": 0.1}}),
        torch_bytes({f"module.{name}": value for name, value in STATE.items()}),
        torch_bytes({name: torch.nn.Parameter(value) for name, value in STATE.items()}),
    ],
    ids=["zip", "legacy", "ordered", "wrapped", "wrapped with more", "parallel", "parameters"],
)
def test_state_dicts_are_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    got = read_state(path)
    assert_is_state(got)
    assert not any(value.requires_grad for value in got.values())


def test_safetensors_are_read_whatever_their_ending(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "weights.bin")
    assert_is_state(read_state(tmp_path / "weights.bin"))


def test_a_prefix_of_some_names_only_is_part_of_the_name(tmp_path: Path) -> None:
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "w.pt")
    assert read_state(tmp_path / "w.pt").keys() == {"module.a", "b"}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(
    tmp_path: Path, zipped: bool
) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "evil.pt").write_bytes(torch_bytes({"a": Evil(mark)}, zipped))
    with pytest.raises(CheckpointError, match=r"would run code \(_?io\.open\) and is refused"):
        read_state(tmp_path / "evil.pt")
    assert not mark.exists()
    torch.load(tmp_path / "evil.pt", weights_only=False)  # the trap is real
    assert mark.exists()


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_bare_pickle_is_refused_unread(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Evil(mark), protocol))
    with pytest.raises(CheckpointError, match="is a pickle, which could run code, and is refused"):
        read_state(tmp_path / "evil.pkl")
    assert not mark.exists()


def test_a_pickled_module_is_refused_with_advice(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pt")
    with pytest.raises(CheckpointError, match=r"Linear.*model\.state_dict\(\)") as caught:
        read_state(tmp_path / "module.pt")
    assert "weights_only" not in str(caught.value)  # torch advises to switch the protection off


def test_a_deflate_bomb_is_refused_before_it_grows(tmp_path: Path) -> None:
    bomb = rezip(torch_bytes({"a": torch.zeros(1_000_000)}), zipfile.ZIP_DEFLATED)
    assert len(bomb) < 10_000
    (tmp_path / "bomb.pt").write_bytes(bomb)
    with pytest.raises(CheckpointError, match="has compressed entries, which torch.save never"):
        read_state(tmp_path / "bomb.pt")


def test_a_zip_that_claims_more_than_it_has_is_refused(tmp_path: Path) -> None:
    content = bytearray(rezip(ZIPPED, zipfile.ZIP_STORED))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = struct.pack("<II", 10**9, 10**9)
    (tmp_path / "liar.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match="claims to hold more bytes than it has"):
        read_state(tmp_path / "liar.pt")


def test_a_flipped_bit_in_a_weight_is_refused(tmp_path: Path) -> None:
    content = bytearray(ZIPPED)
    content[content.index(STATE["a.weight"].numpy().tobytes()) + 6] ^= 1
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"the checksum of \S+/data/0 .* is wrong"):
        read_state(tmp_path / "w.pt")


@pytest.mark.parametrize("content", [ZIPPED, PLAIN], ids=["zip", "legacy"])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_file_cut_anywhere_is_refused(
    tmp_path: Path, content: bytes, data: st.DataObject
) -> None:
    length = data.draw(st.integers(0, len(content) - 1))
    (tmp_path / "w.pt").write_bytes(content[:length])
    with pytest.raises(CheckpointError):
        read_state(tmp_path / "w.pt")


@pytest.mark.parametrize("content", [ZIPPED, PLAIN], ids=["zip", "legacy"])
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damage_never_ends_in_another_error(
    tmp_path: Path, content: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "w.pt").write_bytes(damaged)
    try:
        got = read_state(tmp_path / "w.pt")
    except CheckpointError:
        return
    assert all(isinstance(value, torch.Tensor) for value in got.values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no PyTorch file, safetensors file or TensorFlow checkpoint"),
        (b"just some text, long enough to be anything", "is no PyTorch file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "git lfs pull"),
        (struct.pack("<Q", 50) + b'{"a": 1}', "is not a readable safetensors file"),
        (torch_bytes([torch.ones(1)]), "holds list, not a state dict"),
        (torch_bytes({"a": torch.ones(1), "epoch": 3}), "holds int under 'epoch'"),
        (torch_bytes({3: torch.ones(1)}), "holds Tensor under 3"),
        (torch_bytes({"a": torch.eye(3).to_sparse()}), "a in .* is not a dense tensor"),
    ],
    ids=["empty", "text", "lfs", "safetensors", "list", "number", "key", "sparse"],
)
def test_foreign_content_is_refused_with_a_reason(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_state(tmp_path / "w.pt")


def test_any_other_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match="is not a readable PyTorch file"):
        read_state(tmp_path / "w.pt")


@pytest.mark.parametrize("name", ["missing.pt", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="does not exist or is not a file"):
        read_state(tmp_path / name)


def test_a_link_to_a_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.pt").symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match="does not exist or is not a file"):
        read_state(tmp_path / "w.pt")


def test_an_oversized_file_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_file, "SIZE_LIMIT_BYTES", len(ZIPPED) - 1)
    (tmp_path / "w.pt").write_bytes(ZIPPED)
    with pytest.raises(CheckpointError, match="is larger than"):
        read_state(tmp_path / "w.pt")
