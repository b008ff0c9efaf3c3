"""Graphs as ONNX, and the folder that keeps them between starts."""

import contextlib
import hashlib
import io
import os
import warnings
from pathlib import Path

import torch

from actseg_core.errors import BackendError
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network
from actseg_core.runtime.graphs import Graph

OPSET = 18
EXPORT_SENTENCES = 2  # one fewer than the examples: an exported constant would show in the check
KEPT_MODELS = 8
SENTENCES_AXIS = "sentences"


def to_onnx(graph: Graph) -> bytes:
    """A graph as ONNX, its weights inside, the number of sentences left open.

    PyTorch's tracing exporter takes half a second where the one on torch.export takes 5 to 14,
    and needs no further package.

    Raises:
        BackendError: If it cannot be written.
    """
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter(
                "ignore"
            )  # of the tracer, about sizes that are meant to be fixed
            torch.onnx.export(
                graph.module.eval(),
                tuple(graph.example(EXPORT_SENTENCES)),
                buffer,  # type: ignore[arg-type]  # with dynamo=False it takes a file object
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_axes=open_axes(graph),
                opset_version=OPSET,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BackendError(
            f"graph {graph.name} cannot be written as ONNX ({reason}); take runtime: torch"
        ) from error
    return buffer.getvalue()


def open_axes(graph: Graph) -> dict[str, dict[int, str]]:
    """Names of the axes that are left open, by inputs and outputs."""
    axes: dict[str, dict[int, str]] = {
        name: dict(sides) for name, sides in graph.open_sides.items()
    }
    for name in graph.per_sentence:
        axes[name] = {0: SENTENCES_AXIS, **axes.get(name, {})}
    return axes


class OnnxCache:
    """Keeps a network's graphs as files, so that only its first start converts them.

    A file that is cut short or stale is found by the check that follows every load; `renew`
    then converts again. Files are written beside their place and renamed.

    Args:
        network: In evaluation mode; its weights and settings are the key.
        folder: Where folders of graphs lie; None: nothing is kept.
    """

    def __init__(self, network: Network | ObjectsModel, folder: Path | None) -> None:
        self._folder = None if folder is None else folder / fingerprint(network)
        self.used = False

    def get(self, graph: Graph) -> bytes:
        """The graph from its file, or converted and kept.

        Raises:
            BackendError: If it cannot be converted. A folder that cannot be written is no error.
        """
        if self._folder is not None:
            try:
                model = (self._folder / f"{graph.name}.onnx").read_bytes()
            except OSError:
                pass
            else:
                self.used = True
                return model
        return self.renew(graph)

    def renew(self, graph: Graph) -> bytes:
        """The graph converted anew and kept."""
        model = to_onnx(graph)
        if self._folder is not None:
            path = self._folder / f"{graph.name}.onnx"
            partial = path.with_name(f"{path.name}.{os.getpid()}.part")
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                partial.write_bytes(model)
                os.replace(partial, path)
                self._forget_old()
            except OSError:  # read-only home, full disk: the next start converts again
                with contextlib.suppress(OSError):
                    partial.unlink(missing_ok=True)
        return model

    def _forget_old(self) -> None:
        assert self._folder is not None
        folders = [item for item in self._folder.parent.iterdir() if item.is_dir()]
        folders.sort(key=lambda item: item.stat().st_mtime, reverse=True)
        for folder in folders[KEPT_MODELS:]:
            for file in folder.glob("*.onnx*"):
                file.unlink(missing_ok=True)
            folder.rmdir()


def cache_folder() -> Path | None:
    """ACTSEG_CACHE, else the user's cache folder (XDG); None for a user without a home folder."""
    given = os.environ.get("ACTSEG_CACHE") or os.environ.get("XDG_CACHE_HOME")
    try:
        base = Path(given) if given else Path.home() / ".cache"
    except RuntimeError:
        return None
    return base / "actseg" / "graphs"


def fingerprint(network: Network | ObjectsModel) -> str:
    """Of weights, settings and everything that writes the graphs."""
    digest = hashlib.sha256(
        f"{torch.__version__} {OPSET} ".encode() + network.config.model_dump_json().encode()
    )
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:24]
