"""A figure per finding: its rows as bars with intervals, and what the paper prints of them."""

import textwrap
from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from actseg_core.evaluation.pictures import BLUE, ORANGE, new_figure
from actseg_core.experiments.bootstrap import Measure, estimate, read_sums
from actseg_core.experiments.findings import Finding, JudgedFinding, Samples, paper_value
from actseg_core.experiments.plan import SETS

PANEL_IN = 2.9
HEIGHT_IN = 3.4
LETTERS_PER_IN = 12


def finding_file(finding: Finding) -> str:
    """Name of the picture of a finding."""
    return f"finding_{finding.name}.png"


def finding_figures(
    findings: Sequence[JudgedFinding], samples: Samples
) -> Iterator[tuple[Finding, Figure]]:
    """The figures of the findings of which a claim was measured.

    Raises:
        DatasetError: If a result is damaged.
    """
    for item in findings:
        if any(claim.difference for claim in item.claims):
            yield item.finding, finding_figure(item, samples)


def finding_figure(judged: JudgedFinding, samples: Samples) -> Figure:
    """A panel per measure; bars: here, with the 95 % interval of each row; diamonds: the paper.

    Rows are compared with each other in the table of findings; the interval of a difference is
    narrower than those of the rows suggest, for both rows were asked about the same videos.
    """
    finding = judged.finding
    measures = list(dict.fromkeys(claim.measure for claim in finding.claims))
    width = max(4.2, PANEL_IN * len(measures))
    figure = new_figure(width, HEIGHT_IN)
    for place, measure in enumerate(measures, 1):
        _panel(figure.add_subplot(1, len(measures), place), rows_of(finding), measure, samples)
    title = f"{finding.text}: {judged.verdict}"
    figure.suptitle(textwrap.fill(title, int(LETTERS_PER_IN * width)), fontsize=9)
    return figure


def rows_of(finding: Finding) -> list[str]:
    """Presets of the rows that a finding speaks of, those that the paper finds worse first."""
    worse = [claim.worse for claim in finding.claims]
    return list(dict.fromkeys([*worse, *(claim.better for claim in finding.claims)]))


def _panel(axes: Axes, presets: Sequence[str], measure: Measure, samples: Samples) -> None:
    for place, preset in enumerate(presets):
        seeds = samples.get(preset, {})
        if seeds:
            found = estimate([read_sums(seeds[seed], measure) for seed in sorted(seeds)])
            reach = [[found.mean - found.low], [found.high - found.mean]]
            axes.bar(place, found.mean, 0.7, yerr=reach, color=BLUE, capsize=4)
            axes.text(place, 0.5, f"{found.mean:.1f}", ha="center", fontsize=7, color="white")
        if (printed := paper_value(preset, measure)) is not None:
            axes.plot(place, printed, "D", color=ORANGE, markersize=5)
    axes.set_xticks(range(len(presets)), [_label(preset) for preset in presets])
    axes.tick_params(axis="x", labelrotation=20, labelsize=7)
    axes.set_title(f"{measure} [%]", fontsize=9)
    axes.set(xlim=(-0.6, len(presets) - 0.4))
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)


def _label(preset: str) -> str:
    return next(row.label for rows in SETS.values() for row in rows if row.preset == preset)
