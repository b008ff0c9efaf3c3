"""The figures that the paper prints, in percent, as in its Tables 1 to 3 and section 5.1.

And where figures come from: the mark that every reported number carries.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["a2d-sentences", "jhmdb-sentences", "a2d-pairs", "custom"]
Origin = Literal["published", "generated", "unverified"]

TITLES: dict[Kind, str] = {
    "a2d-sentences": "A2D Sentences",
    "jhmdb-sentences": "J-HMDB Sentences",
    "a2d-pairs": "A2D pairs",
    "custom": "custom data",
}
OVERLAP_COLUMNS = (
    *("P@0.5", "P@0.6", "P@0.7", "P@0.8", "P@0.9"),
    *("mAP 0.5:0.95", "overall IoU", "mean IoU"),
)
_TASKS = ("actor", "action", "actor and action")
PAIR_COLUMNS = tuple(
    f"{task}: {column}" for task in _TASKS for column in ("class-average", "global", "mean IoU")
)

_RGB = ("table1_rgb",)
_RGB_FLOW = ("table1_rgb_flow", "paper")


@dataclass(frozen=True)
class Provenance:
    """What was measured, on what.

    Attributes:
        kind: Layout of the data set.
        origin: published: its text files have the published counts; generated: written by
            `actseg generate`; unverified: anything else.
        folder: Name of its folder.
        split: Of the data set; empty: all of it.
        asked: Samples (Table 3: frames) that were asked, without swapped sentences.
        available: Those that the data set has.
        left_out: Damaged ones that were left out; each is named in `problems`.
        model: Name of the network's configuration.
        weights: File name of its weights, and the first digits of their SHA-256.
        row: Preset of the row of the paper's tables that the network stands for; empty: ours.
        notes: Anything that makes the figures another thing than the row claims.
        problems: What was left out and why, the first ones.
    """

    kind: Kind
    origin: Origin
    folder: str
    split: str
    asked: int
    available: int
    left_out: int
    model: str
    weights: str
    row: str = ""
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_papers_data(self) -> bool:
        """Whether it is the whole data that the paper measured on, asked as the paper asks."""
        whole = self.asked == self.available and not self.left_out and not self.notes
        return self.origin == "published" and whole and self.split in ("test", "")

    @property
    def mark(self) -> str:
        """The data in a few words, for tables."""
        title = TITLES[self.kind]
        if self.origin == "generated":
            title = f"generated, layout of {title}"
        elif self.origin == "unverified" and self.kind != "custom":
            title = f"unverified copy of {title}"
        elif self.kind == "custom":
            title = f"custom data {self.folder}"
        parts = [f"{title}, {self.split}" if self.split else title, self._extent()]
        return "; ".join([*parts, *self.notes])

    def _extent(self) -> str:
        unit = "frames" if self.kind == "a2d-pairs" else "samples"
        extent = f"{self.asked} of {self.available} {unit}"
        if self.asked == self.available:
            extent = f"all {self.asked} {unit}"
        return extent + (f", {self.left_out} damaged items left out" if self.left_out else "")


@dataclass(frozen=True)
class PaperRow:
    """A row as printed.

    Attributes:
        label: Its first cell.
        presets: Our presets that stand for it; none for methods that are not implemented here.
        values: Percent, in the order of the columns; None where the paper prints none.
    """

    label: str
    presets: tuple[str, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        title: Number and subject.
        kind: Data that it is measured on.
        columns: Of figures.
        rows: In the paper's order.
    """

    title: str
    kind: Kind
    columns: tuple[str, ...]
    rows: tuple[PaperRow, ...]


TABLE_1 = PaperTable(
    "Table 1: segmentation from a sentence on A2D Sentences",
    "a2d-sentences",
    OVERLAP_COLUMNS,
    (
        PaperRow("Hu et al. [6]", ("table1_hu",), (7.7, 3.9, 0.8, 0.0, 0.0, 2.0, 21.3, 12.8)),
        PaperRow("Li et al. [15]", ("table1_li",), (10.8, 6.2, 2.0, 0.3, 0.0, 3.3, 24.8, 14.4)),
        PaperRow(
            "Hu et al. [6] *",
            ("table1_hu_tuned",),
            (34.8, 23.6, 13.3, 3.3, 0.1, 13.2, 47.4, 35.0),
        ),
        PaperRow(
            "Li et al. [15] *",
            ("table1_li_tuned",),
            (38.7, 29.0, 17.5, 6.6, 0.1, 16.3, 51.5, 35.4),
        ),
        PaperRow("This paper: RGB", _RGB, (47.5, 34.7, 21.1, 8.0, 0.2, 19.8, 53.6, 42.1)),
        PaperRow(
            "This paper: RGB + Flow",
            _RGB_FLOW,
            (50.0, 37.6, 23.1, 9.4, 0.4, 21.5, 55.1, 42.6),
        ),
    ),
)
TABLE_2 = PaperTable(
    "Table 2: segmentation from a sentence on J-HMDB Sentences",
    "jhmdb-sentences",
    OVERLAP_COLUMNS,
    (
        PaperRow("Hu et al. [6]", ("table2_hu",), (63.3, 35.0, 8.5, 0.2, 0.0, 17.8, 54.6, 52.8)),
        PaperRow("Li et al. [15]", ("table2_li",), (57.8, 33.5, 10.3, 0.6, 0.0, 17.3, 52.9, 49.1)),
        PaperRow(
            "This paper", ("table2_rgb_flow",), (69.9, 46.0, 17.3, 1.4, 0.0, 23.3, 54.1, 54.2)
        ),
    ),
)
TABLE_3 = PaperTable(
    "Table 3: semantic segmentation of actors and actions on A2D",
    "a2d-pairs",
    PAIR_COLUMNS,
    (
        PaperRow("Xu et al. [29]", (), (45.7, 74.6, None, 47.0, 74.6, None, 25.4, 76.2, None)),
        PaperRow("Xu et al. [28]", (), (58.3, 85.2, 33.4, 60.5, 85.3, 32.0, 43.3, 84.2, 19.9)),
        PaperRow(
            "Kalogeiton et al. [10]", (), (73.7, 90.6, 49.5, 60.5, 89.3, 42.2, 47.5, 88.7, 29.7)
        ),
        PaperRow(
            "This paper",
            ("table3_pairs",),
            (71.4, 92.8, 53.7, 69.3, 92.5, 49.4, 52.4, 91.7, 34.8),
        ),
    ),
)
ABLATION = PaperTable(
    "Section 5.1: ablations on A2D Sentences",
    "a2d-sentences",
    ("overall IoU",),
    (
        PaperRow("N = 1", ("ablation_frames_1",), (48.2,)),
        PaperRow("N = 4", ("ablation_frames_4",), (52.2,)),
        PaperRow("N = 8", ("ablation_frames_8",), (52.8,)),
        PaperRow("N = 16", ("ablation_frames_16", *_RGB), (53.6,)),
        PaperRow("1D convolution", ("ablation_text_conv", *_RGB), (53.6,)),
        PaperRow("LSTM", ("ablation_text_lstm",), (51.8,)),
        PaperRow("bidirectional LSTM", ("ablation_text_bilstm",), (52.1,)),
        PaperRow("multi-resolution loss", ("ablation_resolution_multi", *_RGB), (53.6,)),
        PaperRow("single resolution", ("ablation_resolution_single",), (49.4,)),
        PaperRow("RGB", ("ablation_stream_rgb", *_RGB), (53.6,)),
        PaperRow("Flow", ("ablation_stream_flow",), (49.5,)),
        PaperRow("RGB and Flow, 2:1", ("ablation_stream_rgb_flow", *_RGB_FLOW), (55.1,)),
    ),
)
CLASSIFICATION = PaperTable(
    "Section 5.3: multi-label classification of actor-action pairs on A2D",
    "a2d-pairs",
    ("mAP",),
    (
        PaperRow("Xu et al. [29]", (), (67.0,)),
        PaperRow("This paper", ("table3_pairs",), (70.0,)),
    ),
)
PAPER_TABLES = (TABLE_1, TABLE_2, TABLE_3, ABLATION, CLASSIFICATION)
