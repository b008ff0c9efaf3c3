"""Where figures come from: the mark that every reported number carries."""

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
