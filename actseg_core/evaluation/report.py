"""A run as files: metrics.json, samples.jsonl, report.md, plots and a contact sheet."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from actseg_core.evaluation import pictures
from actseg_core.evaluation.masks import PAPER_THRESHOLDS, MaskScores
from actseg_core.evaluation.paper_tables import Provenance
from actseg_core.evaluation.pictures import ImageOf, contact_sheet
from actseg_core.evaluation.run import Evaluation
from actseg_core.evaluation.semantic import ClassificationScores, ClassScores, SemanticScores
from actseg_core.evaluation.summary import (
    row_values,
    summarise,
    summarise_pairs,
    write_json,
    write_json_lines,
    write_text,
)

FORMAT = "actseg evaluation"
VERSION = 1
METRICS_FILE = "metrics.json"
SAMPLES_FILE = "samples.jsonl"
REPORT_FILE = "report.md"


def write_report(
    folder: Path, provenance: Provenance, evaluation: Evaluation, image_of: ImageOf
) -> None:
    """Write the report of a run on sentences.

    Args:
        folder: Made if missing; files of an earlier run are replaced.
        provenance: What was measured, on what.
        evaluation: Its scores.
        image_of: Gives the frame of a row, (H, W, 3) uint8 RGB.

    Raises:
        DatasetError: If a file cannot be written.
    """
    pictures = _pictures(folder, evaluation, image_of)
    write_json_lines(folder / SAMPLES_FILE, (row_values(row) for row in evaluation.rows))
    write_text(folder / REPORT_FILE, markdown(provenance, evaluation, pictures))
    write_json(folder / METRICS_FILE, _document(provenance, summarise(evaluation)))


def write_pairs_report(
    folder: Path,
    provenance: Provenance,
    semantic: SemanticScores,
    classification: ClassificationScores | None,
) -> None:
    """Write the report of a run on the 43 pairs: metrics.json and report.md.

    Raises:
        DatasetError: If a file cannot be written.
    """
    write_text(folder / REPORT_FILE, pairs_markdown(provenance, semantic, classification))
    write_json(
        folder / METRICS_FILE, _document(provenance, summarise_pairs(semantic, classification))
    )


def _document(provenance: Provenance, scores: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "provenance": asdict(provenance),
        "measured_on": provenance.mark,
        "scores": scores,
    }


def _pictures(folder: Path, evaluation: Evaluation, image_of: ImageOf) -> dict[str, str]:
    """File names by caption; plots without data are left out."""
    figures = {
        ("iou_histogram.png", "IoU of the samples"): pictures.iou_histogram(evaluation.masks)
        if evaluation.masks.samples
        else None,
        ("precision_curve.png", "Precision over the IoU threshold"): pictures.precision_curve(
            evaluation.masks
        )
        if evaluation.masks.samples
        else None,
        ("pairs.png", "IoU by actor-action pair"): pictures.pair_bars(evaluation.by_pair)
        if evaluation.by_pair
        else None,
        ("calibration.png", "Confidence against presence"): pictures.calibration_plot(
            evaluation.presence.calibration
        ),
        ("contact_sheet.png", "Answers in magenta, truth outlined in white"): contact_sheet(
            evaluation.rows, image_of
        ),
    }
    for (name, _), figure in figures.items():
        if figure is not None:
            pictures.save_figure(figure, folder / name)
    return {caption: name for (name, caption), figure in figures.items() if figure is not None}


def markdown(provenance: Provenance, evaluation: Evaluation, pictures: dict[str, str]) -> str:
    """The report of a run on sentences, for people.

    Args:
        provenance: What was measured, on what.
        evaluation: Its scores.
        pictures: File names by caption.
    """
    parts = [
        _head(provenance),
        _overlap_part(evaluation),
        _presence_part(evaluation),
        _verb_part(evaluation),
        _time_part(evaluation),
        _pair_part(evaluation.by_pair),
        *(f"![{caption}]({name})" for caption, name in pictures.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def pairs_markdown(
    provenance: Provenance,
    semantic: SemanticScores,
    classification: ClassificationScores | None,
) -> str:
    """The report of a run on the 43 pairs, for people."""
    tasks = {
        "actor": semantic.actor,
        "action": semantic.action,
        "actor and action": semantic.joint,
    }
    rows = [
        [
            name,
            *(percent(value) for value in (it.class_average, it.global_accuracy, it.mean_iou)),
        ]
        for name, it in tasks.items()
    ]
    parts = [
        _head(provenance),
        f"## Label maps of {semantic.frames} frames, %\n\n"
        + table(["task", "class-average", "global", "mean IoU"], rows),
        *(_classes_part(name, scores) for name, scores in tasks.items()),
    ]
    if classification:
        mean = percent(classification.mean_average_precision)
        lines = sorted(classification.per_class.items(), key=lambda item: -item[1])
        shown = [[name, percent(value)] for name, value in lines]
        parts.append(
            f"## Classification of {classification.videos} videos, %\n\n"
            + table(["pair", "average precision"], [["mean", mean], *shown])
        )
    return "\n\n".join(parts) + "\n"


def _classes_part(task: str, scores: ClassScores) -> str:
    rows = [[name, percent(value)] for name, value in scores.per_class.items()]
    return f"## IoU by {task}, %\n\n" + table(["class", "IoU"], rows)


def _head(provenance: Provenance) -> str:
    stands = f", row `{provenance.row}`" if provenance.row else ""
    lines = [
        f"# {provenance.model} on {provenance.mark}",
        f"Weights: {provenance.weights}{stands}. Folder: {provenance.folder}.",
    ]
    if provenance.left_out:
        lines.append(f"{provenance.left_out} damaged items were left out:")
        lines.append("\n".join(f"- {problem}" for problem in provenance.problems))
    if not provenance.is_papers_data:
        lines.append("Not the paper's data in full: not comparable with the paper's figures.")
    return "\n\n".join(lines)


def _overlap_part(evaluation: Evaluation) -> str:
    masks, coco, sequences = evaluation.masks, evaluation.coco, evaluation.sequences
    rows = [
        *([f"P@{at}", _both(masks, at)] for at in PAPER_THRESHOLDS),
        ["mAP, the paper's: mean of P@.50:.05:.95", percent(masks.map_mean_precision)],
        ["AP, COCO's", percent(coco.average)],
        ["AP, COCO's, at IoU 0.5", percent(coco.at_50)],
        ["overall IoU", percent(masks.overall_iou)],
        ["mean IoU", percent(masks.mean_iou)],
        [f"J, region, mean over {sequences.objects} objects", percent(sequences.region)],
        ["F, boundary", percent(sequences.boundary)],
        ["J&F", percent(sequences.region_and_boundary)],
    ]
    if evaluation.pointing == evaluation.pointing:
        rows.append(["strongest response on the actor", percent(evaluation.pointing)])
    title = f"## Overlap in {masks.samples} samples with a target, %"
    return (
        f"{title}\n\n"
        + table(["measure", "value"], rows)
        + ("\n\nP@K counts IoU >= K; in brackets IoU > K, where it differs.")
    )


def _both(masks: MaskScores, threshold: float) -> str:
    usual = percent(masks.precision_at(threshold))
    strict = percent(masks.precision_at(threshold, strict=True))
    return usual if usual == strict else f"{usual} ({strict})"


def _presence_part(evaluation: Evaluation) -> str:
    presence = evaluation.presence
    rows = [["there", str(presence.targets), percent(presence.target_accuracy), ""]]
    if presence.absent.samples:
        kinds = {"not there, all kinds": presence.absent, **presence.absent_by_kind}
        rows += [
            [name.replace("_", " "), str(it.samples), percent(it.accuracy), percent(it.false_area)]
            for name, it in kinds.items()
        ]
    return (
        "## Is the described actor there? %\n\n"
        + table(["sentences", "samples", "answered rightly", "wrongly marked area"], rows)
        + f"\n\nAUROC of the confidence {percent(presence.auroc)} %, "
        f"expected calibration error {percent(presence.calibration_error)} %."
    )


def _verb_part(evaluation: Evaluation) -> str:
    verbs = evaluation.verbs
    if not verbs.pairs and not verbs.rivals:
        return ""
    rows = [
        ["found", percent(verbs.found), percent(verbs.other_found)],
        ["share of the actor covered", percent(verbs.coverage), percent(verbs.other_coverage)],
    ]
    text = (
        f"## Same actor, other verb: {verbs.pairs} pairs of sentences, %\n\n"
        + table(["", "right verb", "wrong verb"], rows)
        + f"\n\nThe right verb has the higher confidence in {percent(verbs.ranked)} % of the "
        f"pairs; the confidence drops by {percent(verbs.confidence_drop)} points on average."
    )
    if verbs.rivals:
        text += (
            f" Of {verbs.rivals} answers about one of two actors of a kind that do different "
            f"things, {percent(verbs.told_apart)} % overlap the right one more."
        )
    return text


def _time_part(evaluation: Evaluation) -> str:
    time = evaluation.consistency
    if not time.samples:
        return ""
    return (
        f"## From frame to frame, {time.samples} pairs\n\n"
        f"Mean IoU of the masks in two consecutive frames {percent(time.plain)} %, after "
        f"undoing the motion along the flow {percent(time.warped)} %."
    )


def _pair_part(by_pair: dict[str, MaskScores]) -> str:
    if not by_pair:
        return ""
    rows = [
        [name, str(it.samples), percent(it.overall_iou), percent(it.mean_iou)]
        for name, it in by_pair.items()
    ]
    heading = ["pair", "samples", "overall IoU", "mean IoU"]
    return "## By actor and action, %\n\n" + table(heading, rows)


def percent(value: float | None) -> str:
    """A share in [0, 1] in percent with one decimal; "-" for NaN and None."""
    return "-" if value is None or value != value else f"{100 * value:.1f}"


def table(heading: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A Markdown table; all columns but the first `texts` are aligned to the right."""
    rules = ["---" if place < texts else "---:" for place in range(len(heading))]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in (heading, rules, *rows))
    return "\n".join("| " + " | ".join(line) + " |" for line in escaped)
