"""What Fast DDS keeps in shared memory, and leaves there when its process is killed."""

import re
from pathlib import Path

# What a process sends through, half a megabyte and more. Mailboxes (fastdds_portN) are small, and
# Fast DDS leaves some of them to the next process with the same port.
SEGMENT = re.compile(r"/dev/shm/fastdds_[0-9a-f]{16}")


def mapped(pid: int) -> set[str]:
    """Segments that a process has mapped; none of one that has ended."""
    try:
        return set(SEGMENT.findall(Path(f"/proc/{pid}/maps").read_text()))
    except OSError:
        return set()


def remove_segments(names: set[str]) -> None:
    """Remove segments, each with its lock file, that no living process uses any more."""
    for name in names:
        for path in (Path(name), Path(f"{name}_el")):
            path.unlink(missing_ok=True)
