"""Weights of all public codes: recognised, converted strictly, and the same network for all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional

from actseg_core.checkpoints import public_weights as weights_module
from actseg_core.checkpoints.public_weights import (
    load_i3d,
    load_vgg16,
    read_weights,
    save_weights,
)
from actseg_core.checkpoints.tensorflow_file import crc32c
from actseg_core.config import VideoConfig
from actseg_core.errors import CheckpointError
from actseg_core.networks.i3d import I3d
from actseg_core.networks.paper import VideoEncoder

State = dict[str, torch.Tensor]
Convert = Callable[..., Any]
CLASSES = 7
TENSORFLOW = "DeepMind kinetics-i3d (TensorFlow)"  # slow to write; another test has one, too
PIERGIAJ_FIRST = "Conv3d_1a_7x7.conv3d.weight"


@pytest.fixture(scope="module")
def weights(make_weights: Callable[..., Any]) -> Any:
    """A whole RGB I3D of full width; no scale in its batch norms, as in DeepMind's files."""
    return make_weights(in_channels=3, width=1.0, classes=CLASSES, gamma=False)


@pytest.fixture(scope="module")
def clip() -> torch.Tensor:
    return torch.rand(1, 3, 4, 18, 33, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def expected(weights: Any, clip: torch.Tensor, slow_i3d: Callable[..., Any]) -> np.ndarray:
    """Logits by the slow reference."""
    logits: np.ndarray = slow_i3d(weights, clip[0].numpy())["Logits"]
    return logits


@pytest.fixture
def state(weights: Any, as_piergiaj: Convert) -> State:
    """piergiaj's names; a fresh mapping that a test may change."""
    return as_piergiaj(weights)


def logits_of(path: Path, clip: torch.Tensor) -> torch.Tensor:
    network = I3d(3, classes=CLASSES).eval()
    load_i3d(path, network)
    with torch.inference_mode():
        return network(clip)[0]


def saved(state: State, path: Path) -> Path:
    torch.save(state, path)
    return path


@pytest.mark.parametrize(
    ("flavour", "found_as"),
    [
        ("piergiaj", "piergiaj pytorch-i3d"),
        ("hassony2", "hassony2 kinetics_i3d_pytorch"),
        pytest.param("deepmind", TENSORFLOW, marks=pytest.mark.slow),
        pytest.param("kinetics-600", TENSORFLOW, marks=pytest.mark.slow),
        ("own", "actseg"),
    ],
    ids=lambda value: value.split()[0],
)
def test_every_flavour_gives_the_slow_references_logits(
    flavour: str,
    found_as: str,
    tmp_path: Path,
    weights: Any,
    clip: torch.Tensor,
    expected: np.ndarray,
    request: pytest.FixtureRequest,
) -> None:
    path = tmp_path / "weights"
    if flavour in ("deepmind", "kinetics-600"):
        scope, axes = ("RGB/inception_i3d/", 1) if flavour == "deepmind" else ("", 5)
        arrays = request.getfixturevalue("as_tf")(weights, scope, axes)
        if flavour == "kinetics-600":
            arrays["Mixed_3b/Branch_0/Conv3d_0a_1x1/conv_3d/w/Momentum"] = np.zeros(3, "f")
        request.getfixturevalue("write_tf")(path, arrays, crc=crc32c)
    elif flavour == "own":
        save_file(request.getfixturevalue("as_own")(weights), path)
    else:
        saved(request.getfixturevalue(f"as_{flavour}")(weights), path)

    found = read_weights(path)

    assert found.flavour == found_as
    assert (found.network, found.stream, found.classes) == ("i3d", "rgb", CLASSES)
    assert len(found.tensors) == 57 * 5 + 2
    assert len(found.ignored) == (flavour == "kinetics-600")
    np.testing.assert_allclose(logits_of(path, clip), expected, rtol=0, atol=1e-4)


def test_all_flavours_give_identical_tensors(
    tmp_path: Path,
    weights: Any,
    as_own: Convert,
    as_piergiaj: Convert,
    as_hassony2: Convert,
    as_tf: Convert,
    write_tf: Convert,
) -> None:
    paths = [saved(as_piergiaj(weights), tmp_path / "p.pt")]
    paths.append(saved(as_hassony2(weights), tmp_path / "h.pth"))
    paths.append(
        write_tf(tmp_path / "model.ckpt", as_tf(weights, "RGB/inception_i3d/"), crc=crc32c)
    )
    wanted = as_own(weights)
    for path in paths:
        got = read_weights(path).tensors
        assert got.keys() == wanted.keys()
        assert all(torch.equal(got[name], wanted[name]) for name in wanted)


def test_scales_of_batch_norms_are_taken_over(
    tmp_path: Path,
    make_weights: Callable[..., Any],
    as_own: Convert,
    as_piergiaj: Convert,
    as_hassony2: Convert,
) -> None:
    weights = make_weights(in_channels=2, width=1.0, classes=1)
    wanted = as_own(weights)["Mixed_4f.branch_2.1.norm.weight"]
    assert not torch.equal(wanted, torch.ones_like(wanted))
    for convert in (as_piergiaj, as_hassony2):
        found = read_weights(saved(convert(weights), tmp_path / "w.pt"))
        assert found.stream == "flow"
        assert torch.equal(found.tensors["Mixed_4f.branch_2.1.norm.weight"], wanted)


def test_counters_may_be_there_or_not(tmp_path: Path, state: State) -> None:
    state["Mixed_4f.b0.bn.num_batches_tracked"] = torch.tensor(5)
    found = read_weights(saved(state, tmp_path / "w.pt"))
    assert found.ignored == ("Mixed_4f.b0.bn.num_batches_tracked",)
    assert not any("num_batches" in name for name in found.tensors)


def test_the_encoder_takes_what_it_needs(
    tmp_path: Path, state: State, clip: torch.Tensor, weights: Any, slow_i3d: Callable[..., Any]
) -> None:
    encoder = VideoEncoder(VideoConfig(), in_channels=3).eval()
    load_i3d(saved(state, tmp_path / "w.pt"), encoder.i3d)
    with torch.inference_mode():
        got = encoder(clip)[0].numpy()
    features = slow_i3d(weights, clip[0].numpy())["Mixed_4f"].mean(axis=1)
    wanted = features / np.sqrt((features**2).sum(axis=0))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)


def test_another_number_of_classes_keeps_its_own_head(tmp_path: Path, state: State) -> None:
    path = saved(state, tmp_path / "w.pt")
    network = I3d(3, classes=43)
    before = network.get_submodule("Logits.conv").weight.clone()
    load_i3d(path, network, head=False)
    assert torch.equal(network.get_submodule("Logits.conv").weight, before)
    loaded = network.get_submodule("Mixed_5c.branch_0.conv").weight
    assert torch.equal(loaded, state["Mixed_5c.b0.conv3d.weight"])
    with pytest.raises(
        CheckpointError, match=r"Logits\.conv\.weight must be \(43, 1024, 1, 1, 1\).*is \(7, 1024"
    ):
        load_i3d(path, network)


def test_nothing_is_loaded_if_something_does_not_fit(tmp_path: Path, state: State) -> None:
    network = I3d(3, width=0.5, final="Mixed_3b")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(
        CheckpointError, match=r"does not fit this network; set its width.* and \d+ mo"
    ):
        load_i3d(saved(state, tmp_path / "w.pt"), network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_rgb_weights_are_refused_for_flow(tmp_path: Path, state: State) -> None:
    path = saved(state, tmp_path / "w.pt")
    with pytest.raises(
        CheckpointError,
        match=r"holds rgb weights \(3 input channels\), but the network reads 2 channels; give "
        "the flow weights",
    ):
        load_i3d(path, I3d(2, final="Conv3d_1a_7x7"))


def test_a_first_convolution_of_other_channels_is_refused(tmp_path: Path, state: State) -> None:
    state[PIERGIAJ_FIRST] = torch.zeros(64, 17, 7, 7, 7)
    with pytest.raises(CheckpointError, match=r"reads 17 channels; I3D reads 3 \(rgb\) or 2"):
        read_weights(saved(state, tmp_path / "w.pt"))


def without(state: State, name: str) -> None:
    del state[name]


def with_shape(state: State, name: str) -> None:
    state[name] = torch.zeros(256, 528, 3, 1, 1)


def with_nan(state: State, name: str) -> None:
    state[name] = state[name].clone()
    state[name].view(-1)[5] = float("nan")


def with_more(state: State, name: str) -> None:
    state[f"{name}.more"] = torch.zeros(1)


def with_negative(state: State, name: str) -> None:
    state[name] = -state[name]


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        (without, "Mixed_4f.b0.conv3d.weight", "Mixed_4f.b0.conv3d.weight is missing"),
        (without, "logits.conv3d.weight", "logits.conv3d.weight is missing"),
        (
            with_shape,
            "Mixed_4f.b0.conv3d.weight",
            r"Mixed_4f.b0.conv3d.weight must be \(256, 528, 1, 1, 1\) \(out, in, time, height, "
            r"width\), is \(256, 528, 3, 1, 1\)",
        ),
        (with_nan, "Mixed_3b.b1b.bn.bias", "Mixed_3b.b1b.bn.bias is not finite"),
        (with_negative, "Mixed_3b.b1b.bn.running_var", "running_var is not finite or a negative"),
        (with_more, "Mixed_3b.b1b.bn", "Mixed_3b.b1b.bn.more is not part of the network"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, state: State, change: Callable[[State, str], None], name: str, message: str
) -> None:
    change(state, name)
    with pytest.raises(CheckpointError, match=f"looks like piergiaj pytorch-i3d .*{message}"):
        read_weights(saved(state, tmp_path / "w.pt"))


def test_many_problems_are_counted(tmp_path: Path, state: State) -> None:
    for name in [name for name in state if name.startswith("Mixed_5c")]:
        del state[name]
    with pytest.raises(CheckpointError, match=r"Mixed_5c\.b0.* is missing; .* and 25 more"):
        read_weights(saved(state, tmp_path / "w.pt"))


def test_a_tensorflow_shape_is_reported_in_one_order(
    tmp_path: Path, weights: Any, as_tf: Convert, write_tf: Convert
) -> None:
    arrays = as_tf(weights, "RGB/inception_i3d/")
    name = "RGB/inception_i3d/Mixed_5b/Branch_2/Conv3d_0a_3x3/conv_3d/w"
    arrays[name] = np.zeros((3, 3, 1, 32, 128), "f")
    prefix = write_tf(tmp_path / "m", arrays, crc=crc32c)
    with pytest.raises(CheckpointError, match=rf"{name} must be \(128, 32, 3, 3, 3\) \(out, in"):
        read_weights(prefix)


def test_a_lying_view_costs_no_memory(tmp_path: Path, state: State) -> None:
    """A tensor of 4 bytes may claim any shape; it is refused before anything is copied."""
    state["Mixed_4f.b0.bn.bias"] = torch.zeros(1).expand(10**6, 10**6)  # 4 TB if copied
    with pytest.raises(CheckpointError, match=r"must be \(256,\), is \(1000000, 1000000\)"):
        read_weights(saved(state, tmp_path / "w.pt"))


def test_foreign_names_are_refused(tmp_path: Path) -> None:
    state = {"backbone.0.weight": torch.zeros(1), "backbone.0.bias": torch.zeros(1)}
    with pytest.raises(
        CheckpointError, match=r"none of its 2 names is a known.*begins with backbone\.0\.weight"
    ):
        read_weights(saved(state, tmp_path / "w.pt"))


def test_saved_weights_come_back_and_other_users_may_read_them(
    tmp_path: Path, state: State
) -> None:
    found = read_weights(saved(state, tmp_path / "w.pt"))
    path = tmp_path / "new folder" / "i3d.safetensors"
    save_weights(found, path)
    again = read_weights(path)
    assert all(torch.equal(again.tensors[name], value) for name, value in found.tensors.items())
    assert path.stat().st_mode == (tmp_path / "w.pt").stat().st_mode
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert (metadata["format"], metadata["stream"]) == ("actseg-weights", "rgb")
    assert [item.name for item in path.parent.iterdir()] == ["i3d.safetensors"]


def test_tensors_that_share_memory_can_be_saved(tmp_path: Path, state: State) -> None:
    shared = torch.arange(300.0)
    state["Mixed_4f.b0.bn.bias"], state["Mixed_4f.b0.bn.weight"] = shared[:256], shared[44:]
    state["Mixed_4c.b2b.bn.bias"] = state["Mixed_4d.b2b.bn.bias"]
    found = read_weights(saved(state, tmp_path / "w.pt"))
    save_weights(found, tmp_path / "w.safetensors")
    again = read_weights(tmp_path / "w.safetensors").tensors
    assert again["Mixed_4f.branch_0.norm.bias"][0] == 0
    assert again["Mixed_4f.branch_0.norm.weight"][0] == 44
    same = (again[f"Mixed_{block}.branch_2.1.norm.bias"] for block in ("4c", "4d"))
    assert torch.equal(*same)


VGG_SIZES = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
VGG_INDICES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
HIDDEN = 6


@pytest.fixture
def vgg(monkeypatch: pytest.MonkeyPatch) -> State:
    """torchvision's names and shapes, except that fc6 and fc7 have 6 channels, not 4096."""
    monkeypatch.setattr(weights_module, "VGG_HIDDEN", HIDDEN)
    state = {}
    inputs = 3
    for index, outputs in zip(VGG_INDICES, VGG_SIZES, strict=True):
        state[f"features.{index}.weight"] = torch.randn(outputs, inputs, 3, 3)
        state[f"features.{index}.bias"] = torch.randn(outputs)
        inputs = outputs
    for index, (outputs, inputs) in {
        0: (HIDDEN, 25088),
        3: (HIDDEN, HIDDEN),
        6: (9, HIDDEN),
    }.items():
        state[f"classifier.{index}.weight"] = torch.randn(outputs, inputs)
        state[f"classifier.{index}.bias"] = torch.randn(outputs)
    return state


def test_fully_connected_layers_of_vgg_become_convolutions(tmp_path: Path, vgg: State) -> None:
    found = read_weights(saved(vgg, tmp_path / "vgg16.pth"))
    assert (found.network, found.stream, found.classes) == ("vgg16", "rgb", 9)
    assert found.tensors.keys() == vgg.keys()
    features = torch.randn(2, 512, 7, 7)
    fc6 = functional.linear(features.flatten(1), vgg["classifier.0.weight"])
    convolved = functional.conv2d(features, found.tensors["classifier.0.weight"])
    torch.testing.assert_close(convolved.flatten(1), fc6, atol=1e-3, rtol=1e-4)
    assert found.tensors["classifier.6.weight"].shape == (9, HIDDEN, 1, 1)
    assert torch.equal(found.tensors["features.28.weight"], vgg["features.28.weight"])


def test_converted_vgg_weights_load_into_a_network_of_torchvisions_names(
    tmp_path: Path, vgg: State
) -> None:
    save_weights(read_weights(saved(vgg, tmp_path / "vgg16.pth")), tmp_path / "v.safetensors")
    convolution = torch.nn.Conv2d(512, HIDDEN, 7)
    network = torch.nn.ModuleDict({"classifier": torch.nn.ModuleList([convolution])})
    load_vgg16(tmp_path / "v.safetensors", network)
    assert torch.equal(convolution.bias, vgg["classifier.0.bias"])
    assert torch.equal(convolution.weight.flatten(1), vgg["classifier.0.weight"])


def test_vgg_with_batch_norm_is_refused(tmp_path: Path, vgg: State) -> None:
    vgg["features.1.running_mean"] = torch.zeros(64)
    with pytest.raises(
        CheckpointError, match="features.1.running_mean is not part of the network"
    ):
        read_weights(saved(vgg, tmp_path / "vgg16_bn.pth"))


def test_i3d_and_vgg_are_not_mixed_up(tmp_path: Path, vgg: State, state: State) -> None:
    saved(vgg, tmp_path / "vgg.pth")
    saved(state, tmp_path / "i3d.pt")
    with pytest.raises(CheckpointError, match="holds vgg16 weights, I3D weights are needed"):
        load_i3d(tmp_path / "vgg.pth", I3d(3, 1 / 16, "Conv3d_1a_7x7"))
    with pytest.raises(CheckpointError, match="holds i3d weights, VGG16 weights are needed"):
        load_vgg16(tmp_path / "i3d.pt", torch.nn.Linear(1, 1))
