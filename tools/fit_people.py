"""Fit the table that tells women from men and children from grown-ups (objects/people.npz).

    python tools/fit_people.py FOLDER... --ids coco_val2017_ids.json [--out FILE.npz]

FOLDERs hold photographs in COCO format; who is who in them says tools/lite_recipe/people.txt. The
shipped model looks at each person, and two logistic regressions read the names that it gives.
People of photographs whose licence does not allow commercial use, and of every third id, are not
trained on; the latter are measured: area under the ROC curve, which is how often, of a woman and a
man, the woman is the likelier woman.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from actseg_core.objects.people import FLOOR, TABLE
from actseg_core.objects.perception import ObjectRunner
from actseg_core.objects.scene import box_overlap
from actseg_core.predictor import Predictor
from actseg_core.training.lite.photos import Photo, other_light, read_photos
from actseg_core.training.lite.recipe import HELD_OUT_EVERY

LABELS = Path(__file__).parent / "lite_recipe" / "people.txt"
VIEWS = 6
STRENGTH = 0.005  # of the data against the penalty on weights (scikit-learn's C)
LIKELY, AGREES = 0.05, 0.5
Array = NDArray[np.float32]


class Person(NamedTuple):
    """One labelled person: where, and m, w, b, g or c."""

    photo: Photo
    box: Array  # left, top, right, bottom [px]
    who: str
    is_held_out: bool


def read_labels() -> dict[tuple[str, int, int], str]:
    """(folder, number, annotation): letter."""
    found, folder = {}, ""
    for line in LABELS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            folder = line.strip("[]")
        elif not line.startswith("#"):
            for item in line.split():
                number, _, rest = item.partition(":")
                found[folder, int(number), int(rest[:-1])] = rest[-1]
    return found


def people(folders: list[Path], held_out: frozenset[int]) -> Iterator[Person]:
    """The labelled ones that may be trained on or are held out."""
    labels = read_labels()
    for folder in folders:
        allowed = {photo.path for photo in read_photos(folder, permissive_only=True)}
        for photo in read_photos(folder):
            apart = photo.number in held_out and photo.number % HELD_OUT_EVERY == 0
            for index, outline in enumerate(photo.polygons):
                who = labels.get((folder.name, photo.number, index))
                if who is not None and (apart or photo.path in allowed):
                    points = np.concatenate(outline)
                    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
                    yield Person(photo, box.astype(np.float32), who, apart)


def view_of(person: Person, side: int, rng: np.random.Generator | None) -> tuple[Any, Array]:
    """A square piece of the photograph around the person, (side, side, 3), and the box in it
    (centre, width, height); moved to another scale, mirrored and relit with a generator."""
    image = cv2.cvtColor(cv2.imread(str(person.photo.path)), cv2.COLOR_BGR2RGB)
    scale = side / max(image.shape[:2])
    if rng is not None:
        scale *= float(np.exp(rng.uniform(-0.6, 0.3)))
    box = person.box * scale
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=way)
    centre = (box[:2] + box[2:]) / 2
    room = np.maximum(np.array([image.shape[1], image.shape[0]]) - side, 0)
    left, top = np.clip(centre - side / 2, 0, room).astype(int)
    view = np.zeros((side, side, 3), np.uint8)
    shown = image[top : top + side, left : left + side]
    view[: shown.shape[0], : shown.shape[1]] = shown
    inside = np.concatenate([centre - (left, top), box[2:] - box[:2]])
    if rng is not None:
        if rng.random() < 0.5:
            view, inside[0] = np.ascontiguousarray(view[:, ::-1]), side - inside[0]
        view = other_light(view, rng)
    return view, inside.astype(np.float32)


def names_of(runner: ObjectRunner, view: Any, box: Array) -> Array:
    """(1000,) what ImageNet calls the person; in the detector's box where one agrees."""
    frame = runner.see(view)
    likely = frame.boxes[frame.objectness * frame.classes[:, 0] > LIKELY]
    if len(likely):
        overlap = box_overlap(box[None], likely)[0]
        if overlap.max() > AGREES:
            box = likely[overlap.argmax()]
    return runner.look(frame, box[None]).names[0]


def fitted(features: Array, are: NDArray[np.bool_]) -> tuple[Array, float]:
    """Weights (1000,) and bias of one regression."""
    steps = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500),
    ).fit(features, are)
    scaler, regression = steps[0], steps[1]
    weights = regression.coef_[0] / scaler.scale_
    return weights.astype(np.float32), float(regression.intercept_[0] - weights @ scaler.mean_)


def main() -> None:
    """Look, fit, measure, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--ids", type=Path, required=True)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--out", type=Path, default=TABLE)
    args = parser.parse_args()
    held_out = frozenset(json.loads(args.ids.read_text(encoding="utf-8")))
    predictor = Predictor.load(args.model)
    runner, side = predictor.runner, predictor.config.size
    found, who, apart = [], [], []
    for number, person in enumerate(people(args.folders, held_out)):
        for view in range(1 if person.is_held_out else VIEWS):
            rng = np.random.default_rng((number, view)) if view else None
            found.append(names_of(runner, *view_of(person, side, rng)))
            who.append(person.who)
            apart.append(person.is_held_out)
    names, letters, test = np.log(np.stack(found) + FLOOR), np.array(who), np.array(apart)
    weights, biases = [], []
    for title, are, asked in (
        ("woman, not man", np.isin(letters, ["w", "g"]), letters != "c"),
        ("child, not grown-up", np.isin(letters, ["b", "g", "c"]), letters == letters),
    ):
        weight, bias = fitted(names[asked & ~test], are[asked & ~test])
        score = names[asked & test] @ weight + bias
        area = roc_auc_score(are[asked & test], score)
        counts = f"{(asked & ~test).sum()} views, {(asked & test).sum()} held out"
        print(f"{title}: area under ROC {area:.3f} ({counts})")
        weights.append(weight)
        biases.append(bias)
    np.savez_compressed(
        args.out, weights=np.stack(weights).astype(np.float16), bias=np.array(biases, np.float32)
    )


if __name__ == "__main__":
    main()
