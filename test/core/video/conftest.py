"""Videos made here."""

from numbered_videos import numbered

__all__ = ["numbered"]
