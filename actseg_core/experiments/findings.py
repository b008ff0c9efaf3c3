"""The paper's findings as comparisons of rows, and whether they hold in what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from actseg_core.evaluation.paper_tables import ABLATION, TABLE_1, TABLE_2
from actseg_core.experiments.bootstrap import Difference, Measure, difference, read_sums

Verdict = Literal[
    "holds", "does not hold", "within noise", "not measured", "higher, one seed", "lower, one seed"
]
BY_WEIGHT: tuple[Verdict, ...] = (
    "does not hold",
    "not measured",
    "within noise",
    "lower, one seed",
    "higher, one seed",
    "holds",
)
"""Of several claims, the verdict that comes first here is that of the finding."""
Samples = Mapping[str, Mapping[int, Path]]
"""samples.jsonl of a row, by preset and seed."""


@dataclass(frozen=True)
class Claim:
    """One row is better than another.

    Attributes:
        better: Preset of the row that the paper finds better.
        worse: Preset of the other.
        measure: By which the paper says so.
    """

    better: str
    worse: str
    measure: Measure = "overall IoU"


@dataclass(frozen=True)
class Finding:
    """A finding of the paper.

    Attributes:
        text: In a few words.
        claims: All of which must hold.
        name: Of its figure.
    """

    text: str
    claims: tuple[Claim, ...]
    name: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim and what was measured; None where a row is missing."""

    claim: Claim
    difference: Difference | None

    @property
    def effect(self) -> float | None:
        """The difference that the paper reports [percentage points]; None: it prints none."""
        better = paper_value(self.claim.better, self.claim.measure)
        worse = paper_value(self.claim.worse, self.claim.measure)
        return None if better is None or worse is None else better - worse

    @property
    def is_narrow(self) -> bool:
        """Whether the interval is narrower than half of what the paper reports."""
        found, effect = self.difference, self.effect
        if found is None or effect is None:
            return False
        return found.high - found.low < abs(effect) / 2

    @property
    def verdict(self) -> Verdict:
        """Whether the 95 % interval of the difference lies above, below or around zero.

        One seed says nothing of how much training varies, so it decides nothing.
        """
        found = self.difference
        if found is None:
            return "not measured"
        if found.low <= 0 <= found.high:
            return "within noise"
        if found.seeds < 2:
            return "higher, one seed" if found.low > 0 else "lower, one seed"
        return "holds" if found.low > 0 else "does not hold"


@dataclass(frozen=True)
class JudgedFinding:
    """A finding and its claims."""

    finding: Finding
    claims: tuple[Judged, ...]

    @property
    def verdict(self) -> Verdict:
        """Holds if every claim does; one claim that does not is enough against it."""
        verdicts = {claim.verdict for claim in self.claims}
        return next(verdict for verdict in BY_WEIGHT if verdict in verdicts)


FINDINGS = (
    Finding(
        "More frames help (section 5.1)",
        tuple(Claim(f"ablation_frames_{count}", "ablation_frames_1") for count in (4, 8, 16)),
        "frames",
    ),
    Finding(
        "A convolution encodes sentences better than an LSTM (section 5.1)",
        (
            Claim("ablation_text_conv", "ablation_text_lstm"),
            Claim("ablation_text_conv", "ablation_text_bilstm"),
        ),
        "text",
    ),
    Finding(
        "The loss at several resolutions helps (section 5.1)",
        (Claim("ablation_resolution_multi", "ablation_resolution_single"),),
        "resolution",
    ),
    Finding(
        "RGB and flow together are better than either (section 5.1)",
        (
            Claim("ablation_stream_rgb_flow", "ablation_stream_rgb"),
            Claim("ablation_stream_rgb_flow", "ablation_stream_flow"),
        ),
        "streams",
    ),
    Finding(
        "Better than both image baselines (section 5.2, Table 1)",
        tuple(
            Claim("table1_rgb_flow", baseline, measure)
            for baseline in ("table1_hu_tuned", "table1_li_tuned")
            for measure in ("overall IoU", "mean IoU", "mAP")
        ),
        "baselines",
    ),
    Finding(
        "Generalises better to the second data set (section 5.2, Table 2)",
        tuple(
            Claim("table2_rgb_flow", baseline, measure)
            for baseline in ("table2_hu", "table2_li")
            for measure in ("mAP", "mean IoU")
        ),
        "transfer",
    ),
)


def paper_value(preset: str, measure: Measure) -> float | None:
    """What the paper prints of a row [%]; None where it prints nothing."""
    column = "mAP 0.5:0.95" if measure == "mAP" else measure
    for paper in (ABLATION, TABLE_1, TABLE_2):
        for row in paper.rows:
            if preset in row.presets and column in paper.columns:
                return row.values[paper.columns.index(column)]
    return None


def judge(samples: Samples) -> tuple[JudgedFinding, ...]:
    """Every finding with the differences that were measured.

    Raises:
        DatasetError: If a file is damaged, or two rows were asked about different videos.
    """
    return tuple(
        JudgedFinding(item, tuple(_judge(claim, samples) for claim in item.claims))
        for item in FINDINGS
    )


def _judge(claim: Claim, samples: Samples) -> Judged:
    ours, theirs = samples.get(claim.better, {}), samples.get(claim.worse, {})
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        return Judged(claim, None)
    better = [read_sums(ours[seed], claim.measure) for seed in seeds]
    worse = [read_sums(theirs[seed], claim.measure) for seed in seeds]
    return Judged(claim, difference(better, worse))
