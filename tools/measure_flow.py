"""How near estimated optical flow comes to the true flow of generated clips, and what it costs.

    python tools/measure_flow.py --clips 12

The generator knows where every pixel went; the mean end-point error [px] is told over all pixels
and over those of the actors, beside that of saying that nothing moved.
"""

import argparse
import time
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import FlowConfig
from actseg_core.flow import make_estimator
from actseg_core.generator import SceneConfig, render_clip

ESTIMATORS = ("dis", "tvl1", "farneback")
SEED = 50_000_000
EVERY = 5
"""Every so many frames of a clip a pair of frames is asked about."""


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--size", type=int, default=128, help="side of the clips [px]")
    options = parser.parse_args()
    scene = SceneConfig(
        frames=16,
        height=options.size,
        width=options.size,
        min_actors=2,
        actor_scale=1.6,
        camera="moving",
    )
    errors: dict[str, list[tuple[float, float]]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    estimators = {name: make_estimator(FlowConfig(estimator=name)) for name in ESTIMATORS}
    for seed in range(options.clips):
        clip = render_clip(SEED + seed, scene)
        for t in range(0, len(clip) - 1, EVERY):
            true, actors = clip.flow[t], clip.instances[t] > 0
            errors["no motion"].append(end_point(np.zeros_like(true), true, actors))
            for name, estimator in estimators.items():
                start = time.process_time()
                field = estimator.estimate(clip.frames[t], clip.frames[t + 1])
                seconds[name] += time.process_time() - start
                errors[name].append(end_point(field, true, actors))
    pairs = len(errors["no motion"])
    print(f"{options.clips} clips, {pairs} pairs of frames of {options.size} px\n")
    print("| estimator | all pixels [px] | actors [px] | processor time a pair [ms] |")
    print("|---|---|---|---|")
    for name, values in errors.items():
        everywhere, inside = np.nanmean(np.array(values), axis=0)
        cost = f"{1000 * seconds[name] / pairs:.1f}" if name in seconds else ""
        print(f"| {name} | {everywhere:.2f} | {inside:.2f} | {cost} |")


def end_point(
    field: NDArray[np.float32], true: NDArray[np.float32], actors: NDArray[np.bool_]
) -> tuple[float, float]:
    """Mean length [px] of the difference, of all pixels and of those of the actors."""
    away = np.linalg.norm(field - true, axis=2)
    return float(away.mean()), float(away[actors].mean()) if actors.any() else float("nan")


if __name__ == "__main__":
    main()
