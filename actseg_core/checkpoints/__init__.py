"""Weights on disk: our own checkpoints, and public weights under their authors' names."""
