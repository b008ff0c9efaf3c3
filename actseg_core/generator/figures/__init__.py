"""Articulated figures of the seven actors."""

from actseg_core.generator.figures.base import Figure
from actseg_core.generator.figures.build import build_figure

__all__ = ["Figure", "build_figure"]
