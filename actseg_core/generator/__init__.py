"""Generator of A2D-like clips with sentences, masks, instance ids and true flow."""

from actseg_core.generator.clip import ActorRecord, Distractor, GeneratedClip
from actseg_core.generator.generate import describe, render_clip
from actseg_core.generator.settings import SceneConfig

__all__ = [
    "ActorRecord",
    "Distractor",
    "GeneratedClip",
    "SceneConfig",
    "describe",
    "render_clip",
]
