"""Find the actor that a sentence describes in a video, pixel by pixel. No ROS in here.

Start with `Predictor` (clip and sentences in, masks out) or `StreamingEngine` (camera frames in,
masks out). The names of `__all__` are the public ones; what lies in the modules below may change.
Each is imported when it is first used, because what some of them need takes seconds.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actseg_core.config import Config, ModelConfig, RuntimeConfig, StreamConfig
    from actseg_core.datasets.custom import CustomDataset
    from actseg_core.errors import ActSegError
    from actseg_core.predictor import Predictor
    from actseg_core.streaming.engine import StreamingEngine
    from actseg_core.types import Clip, Frame, MaskResult, Sentence
    from actseg_core.video import VideoWriter, read_video

# ONNX Runtime 1.32, which reads this when it is loaded, otherwise keeps a device id in the user's
# cache folder and reports to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "ActSegError",
    "Clip",
    "Config",
    "CustomDataset",
    "Frame",
    "MaskResult",
    "ModelConfig",
    "Predictor",
    "RuntimeConfig",
    "Sentence",
    "StreamConfig",
    "StreamingEngine",
    "VideoWriter",
    "read_video",
]
_MODULES = {
    "config": ("Config", "ModelConfig", "RuntimeConfig", "StreamConfig"),
    "datasets.custom": ("CustomDataset",),
    "errors": ("ActSegError",),
    "predictor": ("Predictor",),
    "streaming.engine": ("StreamingEngine",),
    "types": ("Clip", "Frame", "MaskResult", "Sentence"),
    "video": ("VideoWriter", "read_video"),
}


if not TYPE_CHECKING:  # else a type checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        for module, names in _MODULES.items():
            if name in names:
                value: object = getattr(import_module(f"{__name__}.{module}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
