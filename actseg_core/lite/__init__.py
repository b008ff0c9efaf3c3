"""The embedded default: a streaming network of our own that keeps the paper's scheme."""

from actseg_core.lite.segmenter import LiteSegmenter

__all__ = ["LiteSegmenter"]
