"""From single frames to answers: window, per-frame caches, engine."""
