"""How long the default model takes to start, and what memory it takes, with torch and without.

    python tools/measure_start.py [--model lite] [--repeat 5] [runtime ...]

Each runtime is a process of its own, in turn; the default is auto (from the graphs that ship with
the package, without torch) beside torch. Times are medians since the start of the process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from typing import Any

PROGRAM = """
import json, sys, time
begun_s = float(sys.argv[1])
told = {}

def note(name):
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
    memory_mb = int(fields["VmRSS"].split()[0]) / 1024
    told[name] = (time.time() - begun_s, memory_mb)

import numpy as np
from actseg_core import Frame, Predictor, RuntimeConfig, StreamingEngine
StreamingEngine, Predictor  # each is imported when it is named
note("imported")
predictor = Predictor.load(sys.argv[2], runtime=RuntimeConfig(runtime=sys.argv[3]))
note("loaded")
engine = StreamingEngine(predictor)
engine.set_queries([("1", predictor.read("the person on the left"))])
noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
for number in range(predictor.config.frames):
    engine.push(Frame(noise, number * 33_000_000))
assert engine.answer()
note("first answer")
print(json.dumps({"told": told, "runtime": predictor.runtime, "torch": "torch" in sys.modules}))
"""


def run(model: str, runtime: str) -> dict[str, Any]:
    """Seconds and megabytes at each step of one process.

    Raises:
        SystemExit: If it fails.
    """
    command = [sys.executable, "-c", PROGRAM, str(time.time()), model, runtime]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure in turn and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runtimes", nargs="*", default=["auto", "torch"])
    parser.add_argument("--model", default="lite")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    runs: dict[str, list[dict[str, Any]]] = {}
    for _ in range(options.repeat):
        for runtime in options.runtimes:
            runs.setdefault(runtime, []).append(run(options.model, runtime))
    print("| runtime | imports torch | step | s | MB |\n|---|---|---|---|---|")
    for runtime, found in runs.items():
        for step in found[0]["told"]:
            seconds = statistics.median(one["told"][step][0] for one in found)
            memory = statistics.median(one["told"][step][1] for one in found)
            is_torch = "yes" if found[0]["torch"] else "no"
            print(f"| {runtime} | {is_torch} | {step} | {seconds:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
