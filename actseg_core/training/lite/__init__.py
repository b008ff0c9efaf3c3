"""The recipe of the embedded default: data sources, mixture, optimisation (docs/lite.md)."""
