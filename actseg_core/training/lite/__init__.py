"""The recipe of the embedded default: objective, optimisation, checkpoint (docs/lite.md)."""
