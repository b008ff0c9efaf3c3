"""Generator of A2D-like clips with sentences, masks, instance ids and true flow."""

from actseg_core.data.generator.clip import ActorRecord, Distractor, GeneratedClip
from actseg_core.data.generator.generate import describe, render_clip
from actseg_core.data.generator.settings import SceneConfig

__all__ = [
    "ActorRecord",
    "Distractor",
    "GeneratedClip",
    "SceneConfig",
    "describe",
    "render_clip",
]
