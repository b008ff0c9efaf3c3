"""Print requirements/lock.txt anew: what is installed in this Python's environment."""

import importlib.metadata
import re
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "lock.txt"
NOT_PINNED = {"actseg", "pip"}


def main() -> None:
    """Print the lock file's head as it is, then one line per installed distribution."""
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            print(line)
    pins = {}
    for distribution in importlib.metadata.distributions():
        # The ros-* wheels carry records of the packages inside them (rclpy in ros-rclpy). Those
        # have no RECORD, and under their names the registry has other people's packages.
        if distribution.read_text("RECORD") is None:
            continue
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        # 2.13.0+cpu and the CUDA build are the same release; each machine takes its own.
        pins[name] = distribution.version.partition("+")[0]
    for name in sorted(pins.keys() - NOT_PINNED):
        print(f"{name}=={pins[name]}")


if __name__ == "__main__":
    main()
