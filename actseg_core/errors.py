"""Errors that the caller can act on. Every message says what was wanted, what came, what to do."""

import zlib
from tokenize import TokenError
from zipfile import BadZipFile

DAMAGED_ARRAYS = (
    *(OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error),
    *(TokenError, SyntaxError),  # headers are read as Python
)
"""What NumPy raises for a damaged .npz or .npy file."""


class ActSegError(Exception):
    """Base of all errors that the node and the command line catch and report in one line."""


class ShapeError(ActSegError, ValueError):
    """An array or tensor has another shape or dtype than the operation needs."""


class ConfigError(ActSegError, ValueError):
    """A configuration has an unknown key, a value out of range, or parts that contradict."""


class CheckpointError(ActSegError):
    """A weight file is missing, damaged, of a foreign layout, or does not fit the model."""


class DatasetError(ActSegError):
    """A dataset file is missing, damaged, or disagrees with the annotation beside it."""


class VideoError(ActSegError):
    """A video, image folder or camera cannot be read."""


class VocabularyError(ActSegError):
    """A word vector file cannot be read, or does not have the width that the model needs."""


class TrainingError(ActSegError):
    """A training cannot go on: its loss is no number, its disk is full, its state is lost."""


class BackendError(ActSegError):
    """A runtime is missing, does not run on the device, or answers otherwise than PyTorch."""


class MissingPackageError(ActSegError, ImportError):
    """A Python package that is wanted here is not installed."""


class WebError(ActSegError):
    """The page in the browser cannot be served, or was asked for what it does not do."""
