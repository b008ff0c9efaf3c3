"""Random I3D weights under the names of all three public codes, and a slow I3D to compare with.

Everything here is written from the published description of the network and of the file formats,
independently of actseg_core.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

STEM = (("Conv3d_1a_7x7", 7, 64), ("Conv3d_2b_1x1", 1, 64), ("Conv3d_2c_3x3", 3, 192))
BLOCKS = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
BRANCHES = ("b0", "b1a", "b1b", "b2a", "b2b", "b3b")
POOLS_BEFORE = {
    "Conv3d_2b_1x1": ((1, 3, 3), (1, 2, 2)),
    "Mixed_3b": ((1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ((3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ((2, 2, 2), (2, 2, 2)),
}
OWN_BRANCHES = ("branch_0", *(f"branch_{n}.{i}" for n in (1, 2) for i in (0, 1)), "branch_3.1")
TF_BRANCHES = (
    "Branch_0/Conv3d_0a_1x1",
    "Branch_1/Conv3d_0a_1x1",
    "Branch_1/Conv3d_0b_3x3",
    "Branch_2/Conv3d_0a_1x1",
    "Branch_2/Conv3d_0b_3x3",
    "Branch_3/Conv3d_0b_1x1",
)


class Unit(NamedTuple):
    """A convolution and its batch norm."""

    w: Array  # (out, in, t, h, w)
    gamma: Array
    beta: Array
    mean: Array
    var: Array


class Weights(NamedTuple):
    """A whole I3D; units by ("Conv3d_1a_7x7", "") or ("Mixed_4f", "b1a")."""

    units: dict[tuple[str, str], Unit]
    logits: Array  # (classes, channels)
    bias: Array


@pytest.fixture(scope="session")
def make_weights() -> Callable[..., Weights]:
    """Random weights that keep activations near 1, with batch norms that do something."""

    def make(
        in_channels: int, width: float, classes: int, seed: int = 0, gamma: bool = True
    ) -> Weights:
        rng = np.random.default_rng(seed)

        def unit(inputs: int, outputs: int, kernel: int) -> Unit:
            shape = (outputs, inputs, kernel, kernel, kernel)
            scale = np.float32(np.sqrt(2 / (inputs * kernel**3)))
            return Unit(
                rng.standard_normal(shape, np.float32) * scale,
                rng.uniform(0.8, 1.2, outputs).astype("f") if gamma else np.ones(outputs, "f"),
                rng.normal(0, 0.1, outputs).astype("f"),
                rng.normal(0, 0.1, outputs).astype("f"),
                rng.uniform(0.5, 1.5, outputs).astype("f"),
            )

        def scaled(count: int) -> int:
            return max(1, round(count * width))

        units = {}
        channels = in_channels
        for name, kernel, count in STEM:
            units[name, ""] = unit(channels, scaled(count), kernel)
            channels = scaled(count)
        for name, counts in BLOCKS.items():
            a, b, c, d, e, f = (scaled(count) for count in counts)
            sizes = ((channels, a, 1), (channels, b, 1), (b, c, 3))
            sizes += ((channels, d, 1), (d, e, 3), (channels, f, 1))
            for branch, size in zip(BRANCHES, sizes, strict=True):
                units[name, branch] = unit(*size)
            channels = a + c + e + f
        logits = rng.normal(0, 0.1, (classes, channels)).astype("f")
        return Weights(units, logits, rng.normal(0, 1, classes).astype("f"))

    return make


@pytest.fixture(scope="session")
def as_own() -> Callable[[Weights], dict[str, torch.Tensor]]:
    """Under the names of actseg_core.networks.i3d.I3d."""
    return lambda weights: _as_torch(
        weights, dict(zip(BRANCHES, OWN_BRANCHES, strict=True)), "conv", "norm", "Logits", str
    )


@pytest.fixture(scope="session")
def as_piergiaj() -> Callable[[Weights], dict[str, torch.Tensor]]:
    """Under the names of piergiaj/pytorch-i3d."""
    return lambda weights: _as_torch(
        weights, {branch: branch for branch in BRANCHES}, "conv3d", "bn", "logits", str
    )


@pytest.fixture(scope="session")
def as_hassony2() -> Callable[[Weights], dict[str, torch.Tensor]]:
    """Under the names of hassony2/kinetics_i3d_pytorch."""
    return lambda weights: _as_torch(
        weights,
        dict(zip(BRANCHES, OWN_BRANCHES, strict=True)),
        "conv3d",
        "batch3d",
        "conv3d_0c_1x1",
        lambda layer: layer[0].lower() + layer[1:],
    )


def _as_torch(
    weights: Weights,
    branches: dict[str, str],
    conv: str,
    norm: str,
    logits: str,
    rename: Callable[[str], str],
) -> dict[str, torch.Tensor]:
    state = {}
    for (layer, branch), unit in weights.units.items():
        name = f"{rename(layer)}.{branches[branch]}" if branch else rename(layer)
        state[f"{name}.{conv}.weight"] = torch.from_numpy(unit.w)
        state[f"{name}.{norm}.weight"] = torch.from_numpy(unit.gamma)
        state[f"{name}.{norm}.bias"] = torch.from_numpy(unit.beta)
        state[f"{name}.{norm}.running_mean"] = torch.from_numpy(unit.mean)
        state[f"{name}.{norm}.running_var"] = torch.from_numpy(unit.var)
    classifier = torch.from_numpy(weights.logits)[:, :, None, None, None]
    state[f"{logits}.{conv}.weight"] = classifier.contiguous()
    state[f"{logits}.{conv}.bias"] = torch.from_numpy(weights.bias)
    return state


@pytest.fixture(scope="session")
def as_tf() -> Callable[..., dict[str, Array]]:
    """Under the names, and in the axis order, of DeepMind's checkpoints; no gamma there."""

    def convert(weights: Weights, scope: str, bn_axes: int = 1) -> dict[str, Array]:
        names = dict(zip(BRANCHES, TF_BRANCHES, strict=True))
        arrays = {}
        for (layer, branch), unit in weights.units.items():
            name = f"{scope}{layer}/{names[branch]}" if branch else f"{scope}{layer}"
            if (layer, branch) == ("Mixed_5b", "b2b"):
                name = f"{scope}Mixed_5b/Branch_2/Conv3d_0a_3x3"  # the published typo
            shape = (*(1,) * (bn_axes - 1), -1)
            arrays[f"{name}/conv_3d/w"] = unit.w.transpose(2, 3, 4, 1, 0)
            arrays[f"{name}/batch_norm/beta"] = unit.beta.reshape(shape)
            arrays[f"{name}/batch_norm/moving_mean"] = unit.mean.reshape(shape)
            arrays[f"{name}/batch_norm/moving_variance"] = unit.var.reshape(shape)
        arrays[f"{scope}Logits/Conv3d_0c_1x1/conv_3d/w"] = weights.logits.T[None, None, None]
        arrays[f"{scope}Logits/Conv3d_0c_1x1/conv_3d/b"] = weights.bias
        return arrays

    return convert


@pytest.fixture(scope="session")
def slow_i3d() -> Callable[[Weights, Array], dict[str, Doubles]]:
    """Outputs of all blocks and logits for one (C, T, H, W) clip, in float64."""

    def run(weights: Weights, clip: Array) -> dict[str, Doubles]:
        outputs = {}
        x = clip.astype(np.float64)
        for name, _, _ in STEM:
            if name in POOLS_BEFORE:
                x = slow_pool(x, *POOLS_BEFORE[name])
            stride = (2, 2, 2) if name == "Conv3d_1a_7x7" else (1, 1, 1)
            outputs[name] = x = slow_unit(x, weights.units[name, ""], stride)
        for name in BLOCKS:
            if name in POOLS_BEFORE:
                x = slow_pool(x, *POOLS_BEFORE[name])
            outputs[name] = x = _slow_block(x, name, weights)
        outputs["Logits"] = _slow_logits(x, weights)
        return outputs

    return run


def slow_unit(x: Doubles, unit: Unit, stride: tuple[int, int, int] = (1, 1, 1)) -> Doubles:
    """Convolution, batch norm with its stored statistics and eps 1e-3, ReLU."""
    y = slow_conv(x, unit.w, stride)

    def column(values: Array) -> Doubles:
        return values.astype(np.float64)[:, None, None, None]

    normalised = (y - column(unit.mean)) / np.sqrt(column(unit.var) + 1e-3)
    return np.maximum(normalised * column(unit.gamma) + column(unit.beta), 0)


def slow_conv(x: Doubles, w: Array, stride: tuple[int, int, int]) -> Doubles:
    """A sum over kernel positions, with TensorFlow's "SAME" padding."""
    padded, sizes = _same(x, w.shape[2:], stride, 0.0)
    total = np.zeros((w.shape[0], *sizes))
    for offset, part in _windows(padded, w.shape[2:], stride, sizes):
        total += np.tensordot(w[(slice(None), slice(None), *offset)].astype(np.float64), part, 1)
    return total


def slow_pool(x: Doubles, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Doubles:
    """A maximum over kernel positions that lie inside."""
    padded, sizes = _same(x, kernel, stride, -np.inf)
    best = np.full((len(x), *sizes), -np.inf)
    for _, part in _windows(padded, kernel, stride, sizes):
        best = np.maximum(best, part)
    return best


def _same(
    x: Doubles, kernel: tuple[int, ...], stride: tuple[int, ...], fill: float
) -> tuple[Doubles, list[int]]:
    """The padded input and the output's sides, by TensorFlow's documented formula."""
    pads, sizes = [(0, 0)], []
    for side, k, s in zip(x.shape[1:], kernel, stride, strict=True):
        size = int(np.ceil(side / s))
        total = max((size - 1) * s + k - side, 0)
        pads.append((total // 2, total - total // 2))
        sizes.append(size)
    return np.pad(x, pads, constant_values=fill), sizes


def _windows(
    padded: Doubles, kernel: tuple[int, ...], stride: tuple[int, ...], sizes: list[int]
) -> Iterator[tuple[tuple[int, ...], Doubles]]:
    """For every kernel position the inputs that meet it, one per output."""
    for offset in itertools.product(*(range(k) for k in kernel)):
        where = [
            slice(o, o + s * (n - 1) + 1, s) for o, s, n in zip(offset, stride, sizes, strict=True)
        ]
        yield offset, padded[(slice(None), *where)]


def _slow_block(x: Doubles, name: str, weights: Weights) -> Doubles:
    unit = {branch: weights.units[name, branch] for branch in BRANCHES}
    first = slow_unit(x, unit["b0"])
    second = slow_unit(slow_unit(x, unit["b1a"]), unit["b1b"])
    third = slow_unit(slow_unit(x, unit["b2a"]), unit["b2b"])
    fourth = slow_unit(slow_pool(x, (3, 3, 3), (1, 1, 1)), unit["b3b"])
    return np.concatenate([first, second, third, fourth])


def _slow_logits(x: Doubles, weights: Weights) -> Doubles:
    """Mean of the scores of every 2x7x7 window, smaller where the map is smaller."""
    window = [min(side, most) for side, most in zip(x.shape[1:], (2, 7, 7), strict=True)]
    starts = itertools.product(
        *(range(side - most + 1) for side, most in zip(x.shape[1:], window, strict=True))
    )
    scores = []
    for t, h, w in starts:
        part = x[:, t : t + window[0], h : h + window[1], w : w + window[2]]
        scores.append(weights.logits.astype(np.float64) @ part.mean(axis=(1, 2, 3)) + weights.bias)
    return np.mean(scores, axis=0)


def slow_crc32c(data: bytes) -> int:
    """CRC-32C bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.fixture(scope="session")
def slow() -> SimpleNamespace:
    """The slow references of single operations."""
    return SimpleNamespace(conv=slow_conv, pool=slow_pool, crc32c=slow_crc32c)


@pytest.fixture(scope="session")
def write_tf() -> Callable[..., Path]:
    """Writes a TensorFlow checkpoint: `write_tf(prefix, arrays, ...)` returns its prefix."""
    return _write_tf


def _write_tf(
    prefix: Path,
    arrays: dict[str, NDArray[np.generic]],
    shards: int = 1,
    per_block: int = 8,
    crc: Callable[[bytes], int] = slow_crc32c,
    header: bytes | None = None,
    edit: Callable[[str, bytes], bytes] = lambda name, entry: entry,
    compression: int = 0,
) -> Path:
    data = [b""] * shards
    records = [(b"", header if header is not None else _field(1, shards) + _field(3, b"\x08\x01"))]
    for number, (name, array) in enumerate(sorted(arrays.items())):
        shard = number * shards // len(arrays)
        raw = np.ascontiguousarray(array).tobytes()
        types = {"<f4": 1, "<f8": 2, "<i4": 3, "<i8": 9, "<f2": 19, "|b1": 10}
        sides = b"".join(_field(2, _field(1, side)) for side in array.shape)
        entry = _field(1, types[array.dtype.str]) + _field(2, sides) + _field(3, shard)
        entry += _field(4, len(data[shard])) + _field(5, len(raw))
        entry += b"\x35" + _masked(crc(raw)).to_bytes(4, "little")
        records.append((name.encode(), edit(name, entry)))
        data[shard] += raw
    for shard, content in enumerate(data):
        Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)
    Path(f"{prefix}.index").write_bytes(_table(records, per_block, crc, compression))
    return prefix


def _table(
    records: list[tuple[bytes, bytes]],
    per_block: int,
    crc: Callable[[bytes], int],
    compression: int,
) -> bytes:
    """A LevelDB table: data blocks, an empty meta index, an index, the footer."""
    table, index = b"", []

    def add(content: list[tuple[bytes, bytes]]) -> bytes:
        nonlocal table
        body = _block(content) + bytes([compression])
        handle = _varint(len(table)) + _varint(len(body) - 1)
        table += body + _masked(crc(body)).to_bytes(4, "little")
        return handle

    for start in range(0, len(records), per_block):
        part = records[start : start + per_block]
        index.append((part[-1][0], add(part)))
    footer = add([]) + add(index)
    return table + footer.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def _block(records: list[tuple[bytes, bytes]], interval: int = 4) -> bytes:
    """Records whose keys share prefixes, and the offsets of those that do not."""
    body, restarts, before = b"", [], b""
    for number, (key, value) in enumerate(records):
        shared = 0
        if number % interval == 0:
            restarts.append(len(body))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        sizes = _varint(shared) + _varint(len(key) - shared) + _varint(len(value))
        body += sizes + key[shared:] + value
        before = key
    restarts = restarts or [0]
    tail = [*restarts, len(restarts)]
    return body + b"".join(number.to_bytes(4, "little") for number in tail)


def _field(number: int, value: int | bytes) -> bytes:
    """A protocol buffer field, varint or bytes."""
    if isinstance(value, int):
        return _varint(number * 8) + _varint(value)
    return _varint(number * 8 + 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    parts = []
    while value >= 128:
        parts.append(value % 128 + 128)
        value //= 128
    return bytes([*parts, value])


def _masked(crc: int) -> int:
    return ((crc >> 15) + (crc << 17) + 0xA282EAD8) % 2**32
