"""Figures of a streaming model on what it is never trained on: development clips and photographs.

python tools/measure_objects.py MODEL --davis FOLDER --paraphrases --clips FOLDER... --out OUT

Each part is measured alone if its option is given. Tables are printed and written to
OUT/figures.json; contact sheets (white outline: the truth) lie beside it. `--against` an earlier
figures.json shows what changed.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import cv2
from development import clips, davis, photos
from development.run import Run, Table, show, write_json

from actseg_core.predictor import Predictor


def parts_of(options: argparse.Namespace) -> dict[str, Callable[[Run], Table]]:
    """The parts that are asked for, by name."""
    parts: dict[str, Callable[[Run], Table]] = {}
    if options.davis:
        found = davis.sequences(options.davis, davis.QUESTIONS)
        parts["davis"] = lambda run: davis.measure_davis(run, "davis", found)
        if options.paraphrases:
            parts["paraphrases"] = lambda run: davis.measure_paraphrases(run, "paraphrases", found)
    if options.davis_train:
        train = davis.sequences(options.davis_train, davis.TRAIN_QUESTIONS)
        parts["davis-train"] = lambda run: davis.measure_davis(run, "davis-train", train)
    if options.clips:
        parts["clips"] = lambda run: clips.measure_clips(run, "clips", options.clips)
    if options.photos:
        if not options.ids:
            raise SystemExit("--photos needs --ids: the photographs that nothing was trained on")
        parts["photos"] = lambda run: photos.measure_photos(
            run, "photos", options.photos, options.ids
        )
        if options.pairs:
            parts["pairs"] = lambda run: photos.measure_pairs(
                run, "pairs", options.photos, options.ids, options.dressed
            )
    chosen = options.only.split(",") if options.only else list(parts)
    return {name: part for name, part in parts.items() if name in chosen}


def earlier(path: Path, quick: bool) -> dict[str, Table]:
    """The tables of another run's figures.json.

    Raises:
        SystemExit: If it asked another number of questions: the figures would not compare.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["quick"] != quick:
        way = "with" if content["quick"] else "without"
        raise SystemExit(f"{path} was measured {way} --quick; compare like with like")
    tables: dict[str, Table] = content["parts"]
    return tables


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="preset or .safetensors file")
    parser.add_argument("--davis", type=Path, help="DAVIS 2016's validation split")
    parser.add_argument("--paraphrases", action="store_true", help="other wordings, too (--davis)")
    parser.add_argument("--davis-train", type=Path, help="its training split, for tuning")
    parser.add_argument("--clips", type=Path, nargs="+", help="folders of the clips or of wheels")
    parser.add_argument("--photos", type=Path, help="photographs in COCO format")
    parser.add_argument("--ids", type=Path, help="JSON list of the ids held out of all training")
    parser.add_argument("--pairs", action="store_true", help="two of a kind, too (--photos)")
    parser.add_argument("--dressed", type=Path, help="photographs with garments (--pairs)")
    parser.add_argument("--only", default="", help="comma-separated: of these parts alone")
    parser.add_argument("--quick", action="store_true", help="fewer frames, photographs and pairs")
    parser.add_argument("--resume", action="store_true", help="keep what was done before in --out")
    parser.add_argument("--out", type=Path, default=Path("out/objects"))
    parser.add_argument("--against", type=Path, help="figures.json of another model")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    parts = parts_of(options)
    before = earlier(options.against, options.quick) if options.against else {}
    run = Run(
        Predictor.load(options.model), options.model, options.out, options.quick, options.resume
    )
    for name, measure in parts.items():
        start = time.monotonic()
        run.tables[name] = measure(run)
        print(show(name, run.tables[name], before.get(name, {})))
        print(f"{time.monotonic() - start:.0f} s\n", flush=True)
        content = {"model": options.model, "quick": options.quick, "parts": run.tables}
        write_json(options.out / "figures.json", content)


if __name__ == "__main__":
    main()
