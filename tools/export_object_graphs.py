"""Write the objects model's two graphs without their weights, as the package ships them.

    python tools/export_object_graphs.py [FOLDER]

Needed when the network's layers change, not when its weights do: the graphs take these from the
checkpoint. Writes objects_see.onnx, objects_look.onnx and objects.json to actseg_core/weights.
"""

import argparse
import io
import json
import warnings
from pathlib import Path

import onnx
import torch

from actseg_core.config import load_preset
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.runtime.graphs import Graph
from actseg_core.runtime.object_runner import object_graphs
from actseg_core.runtime.object_sessions import PREFIX
from actseg_core.runtime.onnx_export import EXPORT_SENTENCES, OPSET, open_axes

FOLDER = Path(__file__).resolve().parent.parent / "actseg_core" / "weights"


def as_trained(graph: Graph) -> onnx.ModelProto:
    """The graph with every weight under its own name: nothing folded, joined or left out."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the tracer, about sizes that are meant to be fixed
        torch.onnx.export(
            graph.module.eval(),
            tuple(graph.example(EXPORT_SENTENCES)),
            buffer,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes=open_axes(graph),
            opset_version=OPSET,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            dynamo=False,
        )
    return onnx.load_model_from_string(buffer.getvalue())


def empty(model: onnx.ModelProto) -> list[str]:
    """Take the weights out of a graph; their names in the checkpoint."""
    names = []
    for weight in model.graph.initializer:
        names.append(weight.name.removeprefix(PREFIX))
        weight.ClearField("raw_data")
        weight.data_location = onnx.TensorProto.EXTERNAL
        entry = weight.external_data.add()
        entry.key, entry.value = "location", "weights"
    for node in model.graph.node:
        node.ClearField("doc_string")
    return names


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    folder = parser.parse_args().folder
    config = load_preset("lite")
    model = ObjectsModel(config).eval()
    for value in model.state_dict().values():  # equal weights would be joined
        if value.is_floating_point():
            value.uniform_(0.5, 1.5)
    facts: dict[str, object] = {"size": config.size}
    for graph in object_graphs(model):
        made = as_trained(graph)
        names = empty(made)
        unknown = set(names) - set(model.state_dict())
        if unknown:
            raise SystemExit(f"not of the checkpoint, so they cannot be left out: {unknown}")
        facts[graph.name] = sorted(names)
        (folder / f"objects_{graph.name}.onnx").write_bytes(made.SerializeToString())
    facts["shapes"] = {name: list(value.shape) for name, value in model.state_dict().items()}
    text = json.dumps(facts, indent=None, separators=(",", ":"))
    (folder / "objects.json").write_text(text + "\n")
    for path in sorted(folder.glob("objects*")):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
