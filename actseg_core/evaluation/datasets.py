"""Data sets by name, what is known of their origin, and which row of the tables is measured."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from actseg_core.config import ModelConfig, preset_names
from actseg_core.datasets.a2d_layout import SPLITS, A2DLayout, Split, read_videoset
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.custom import CustomDataset
from actseg_core.datasets.jhmdb_sentences import JHMDBSentences
from actseg_core.datasets.published_counts import (
    A2D_FRAMES,
    A2D_LISTED,
    check_jhmdb,
    count_a2d_texts,
    require,
)
from actseg_core.datasets.samples import SentenceDataset
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.evaluation.paper_tables import PAPER_TABLES, Kind, Origin
from actseg_core.experiment_config import TestData, load_experiment

GENERATOR_FILE = "generator.json"
READ_BYTES = 1 << 20
DIGEST_DIGITS = 12
TEST_DATA: dict[TestData, Kind] = {
    "a2d_sentences": "a2d-sentences",
    "a2d_pairs": "a2d-pairs",
    "jhmdb_sentences": "jhmdb-sentences",
}
# What makes another row of a table; differences in anything else are noted beside the figures.
_DECISIVE = ("kind", "streams", "frames", "text.encoder", "decoder.multi_resolution")
# Names, and what does not change how the network is built or asked.
_UNIMPORTANT = ("name", "row", "presence", "text.vectors", "text.word_dim")


def check_kind(kind: str) -> Kind:
    """One of the known kinds.

    Raises:
        ConfigError: If there is no such kind.
    """
    for known in get_args(Kind):
        if kind == known:
            return known  # type: ignore[no-any-return]
    raise ConfigError(
        f"there is no kind of data {kind!r}; give one of {', '.join(get_args(Kind))}"
    )


def a2d_split(split: str) -> Split:
    """One of A2D's splits.

    Raises:
        ConfigError: If there is no such split.
    """
    for known in SPLITS:
        if split == known:
            return known
    raise ConfigError(f"A2D has no split {split!r}; give train or test")


def open_sentences(
    kind: Kind, root: Path, split: str, *, frame_list: Path | None = None, skip_bad: bool = False
) -> SentenceDataset:
    """A data set of sentences.

    Args:
        kind: Any but a2d-pairs.
        root: Its folder.
        split: train or test for A2D; any name or empty for custom data; not used for J-HMDB.
        frame_list: The published list of evaluation frames, for J-HMDB alone.
        skip_bad: Leave damaged items out and count them.

    Raises:
        DatasetError: If a file is missing or damaged.
        ConfigError: If the split is unknown, or an option does not belong to the kind.
    """
    if frame_list is not None and kind != "jhmdb-sentences":
        raise ConfigError("a frame list belongs to jhmdb-sentences; leave it out")
    if kind == "a2d-sentences":
        return A2DSentences(root, a2d_split(split), skip_bad=skip_bad)
    if kind == "jhmdb-sentences":
        return JHMDBSentences(root, frame_list=frame_list, skip_bad=skip_bad)
    if kind == "custom":
        return CustomDataset(root, split or None, skip_bad=skip_bad)
    raise ConfigError(f"{kind} has no sentences; it is evaluated by its label maps")


def origin_of(kind: Kind, root: Path) -> Origin:
    """Whether a folder holds the published data, as far as its lists of videos and texts tell.

    Masks and videos are not counted here; `published_counts.check_a2d` does.
    """
    if (root / GENERATOR_FILE).is_file():
        return "generated"
    try:
        if kind == "a2d-sentences":
            layout = A2DLayout(root)
            require(count_a2d_texts(layout.videoset, layout.annotation, layout.missed))
        elif kind == "a2d-pairs":
            _require_videoset(A2DLayout(root).videoset)
        elif kind == "jhmdb-sentences":
            check_jhmdb(root / "jhmdb_annotation.txt")
        else:
            return "unverified"
    except DatasetError:
        return "unverified"
    return "published"


def _require_videoset(path: Path) -> None:
    videos = read_videoset(path).values()
    for split, listed in A2D_LISTED.items():
        own = [entry for entry in videos if entry.split == split]
        found = (len(own), sum(entry.annotated for entry in own))
        if found != (listed, A2D_FRAMES[split]):
            raise DatasetError(f"{path} has {found} {split} videos and annotated frames")


def open_pairs(root: Path, split: str, *, skip_bad: bool = False) -> A2DPairs:
    """A2D's label maps.

    Raises:
        DatasetError: If a file is missing or damaged.
        ConfigError: If the split is unknown.
    """
    return A2DPairs(root, a2d_split(split), skip_bad=skip_bad)


def row_of(config: ModelConfig, kind: Kind, wanted: str = "") -> tuple[str, tuple[str, ...]]:
    """The preset of the row of the paper's tables that a network stands for on some data.

    Without `wanted` it follows from the network's name: a row trained under this name and tested
    on this kind of data, or one that tests its checkpoint without training (Table 2).

    Args:
        config: Of the network.
        kind: Of the data.
        wanted: Preset of the row, if the user named one.

    Returns:
        The preset, empty if there is none, and the network's differences from it as notes.

    Raises:
        ConfigError: If the wanted row is no row of the tables, is tested on other data, or the
            network is decisively another.
    """
    if wanted:
        notes = _differences(config, wanted, kind)
        return wanted, notes
    for row in _rows_of(config.name):
        try:
            return row, _differences(config, row, kind)
        except ConfigError:
            continue
    return "", ()


def _rows_of(name: str) -> list[str]:
    """Rows that a checkpoint of this name may stand for."""
    rows = _all_rows()
    experiments = {row: load_experiment(row)[1] for row in rows if row in preset_names()}
    untrained = [row for row, it in experiments.items() if it.start_from == name and not it.stages]
    return [row for row in (name, *untrained) if row in rows]


def _all_rows() -> list[str]:
    """Presets of all rows, each once."""
    rows = [row for table in PAPER_TABLES for item in table.rows for row in item.presets]
    return list(dict.fromkeys(rows))


def _differences(config: ModelConfig, row: str, kind: Kind) -> tuple[str, ...]:
    if row not in _all_rows():
        raise ConfigError(
            f"{row!r} is no row of the paper's tables; give one of {', '.join(_all_rows())}"
        )
    model, experiment = load_experiment(row)
    if TEST_DATA[experiment.test_on] != kind:
        raise ConfigError(
            f"row {row} is tested on {TEST_DATA[experiment.test_on]}, not on {kind}; give the "
            "other data or leave the row out"
        )
    ours, theirs = flatten(config.model_dump()), flatten(model.model_dump())
    different = {key for key in ours if ours[key] != theirs.get(key)}
    if decisive := [key for key in _DECISIVE if key in different]:
        wanted = ", ".join(f"{key} {theirs[key]}" for key in decisive)
        got = ", ".join(f"{key} {ours[key]}" for key in decisive)
        raise ConfigError(f"row {row} wants {wanted}; this network has {got}: leave the row out")
    return tuple(
        f"{key} {ours[key]} instead of {theirs[key]}"
        for key in sorted(different)
        if not any(key == name or key.startswith(name + ".") for name in _UNIMPORTANT)
    )


def flatten(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted key."""
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def weights_mark(path: Path) -> str:
    """File name and the first digits of the SHA-256 of a weight file.

    Raises:
        DatasetError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            hashed = hashlib.sha256()  # hashlib.file_digest is new in Python 3.11
            while block := file.read(READ_BYTES):
                hashed.update(block)
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error}") from error
    return f"{path.name}, sha256 {hashed.hexdigest()[:DIGEST_DIGITS]}"
