"""Reads rosbag2 recordings (sqlite3 and MCAP) without a ROS installation. No ROS types.

rosbags reads the files. A message is passed on as the bytes that were recorded, so that nothing is
lost; before that it is taken apart once, because middlewares trust lengths that they read.
"""

import itertools
import struct
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore

from actseg_core.errors import ActSegError
from actseg_core.live.frame_checks import NANOSECONDS, StampRefused, stamp_to_ns

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
ENCAPSULATION_BYTES = 4
SHOWN_TOPICS = 12
# Stamps that run back by less are frames in the wrong order, not a clock that was set.
RESET_NS = NANOSECONDS
# Stamps may advance this far, and this many times as fast as the times of recording, in one step.
JUMP_NS = 5 * NANOSECONDS
JUMP_FACTOR = 100
LONGEST_PAUSE_NS = NANOSECONDS
METADATA = "metadata.yaml"
RECORDING_ENDINGS = (".mcap", ".db3")
ROS1_SIGNATURE = b"#ROSBAG V"
WHAT_IS_WANTED = (
    f"give a rosbag2 folder with {METADATA}, or a complete .mcap or .db3 file (a cut one: "
    "ros2 bag reindex)"
)


class BagError(ActSegError):
    """A recording cannot be read, or lacks what was asked for."""


@dataclass(frozen=True)
class Recorded:
    """One message of a recording.

    Attributes:
        topic: As recorded.
        time_ns: When it was recorded [ns].
        stamp_ns: Its header.stamp [ns]; 0: it has none.
        data: CDR bytes with their encapsulation header.
    """

    topic: str
    time_ns: int
    stamp_ns: int
    data: bytes


class Bag:
    """An open recording.

    Args:
        path: Folder with metadata.yaml, or one .mcap or .db3 file; see `recording_at`.

    Attributes:
        topics: Type of each topic that holds messages.
        duration_ns: From the first message to the last [ns].
        skipped: Damaged or unstamped messages left out so far.
        problem: What was wrong with the newest of them; empty if none.

    Raises:
        BagError: If it is missing, cut off, damaged, or of a kind that is not known.
    """

    def __init__(self, path: Path) -> None:
        self._path = path = recording_at(path)
        self.skipped = 0
        self.problem = ""
        self._types = get_typestore(Stores.LATEST)
        try:
            self._reader = Reader(path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._reader.open()
        except Exception as error:  # sqlite3's, struct's, YAML's and rosbags' own: no common base
            raise self._unreadable(error) from error
        self._start_ns = self._reader.start_time
        self.duration_ns = self._reader.duration
        self.topics: dict[str, str] = {
            name: info.msgtype or "of several types"
            for name, info in self._reader.topics.items()
            if info.msgcount
        }

    def find(self, topic: str, kinds: Collection[str], what: str) -> str:
        """Make sure of a topic.

        Args:
            topic: As recorded; empty: the only one of these kinds.
            kinds: Message types that will do.
            what: For the error: "image", "depth".

        Raises:
            BagError: If it is missing, of another type, or not the only one.
        """
        fitting = [name for name, kind in self.topics.items() if kind in kinds]
        if not topic and len(fitting) == 1:
            return fitting[0]
        if topic in fitting:
            return topic
        wanted = " or ".join(kinds)
        if not topic:
            found = "several" if fitting else "no"
            raise BagError(
                f"{self._path} holds {found} topics of {wanted}; name the {what} topic with the "
                f"parameter {what} (bag_{what}:= of the launch file), it holds {self._listing()}"
            )
        kind = f"is {self.topics[topic]}" if topic in self.topics else "is not in it"
        raise BagError(
            f"the {what} topic {topic} of {self._path} {kind}, wanted is {wanted}; it holds "
            f"{self._listing()}"
        )

    def messages(
        self,
        topics: Collection[str],
        start_s: float = 0.0,
        duration_s: float = 0.0,
        unstamped: Collection[str] = (),
    ) -> Iterator[Recorded]:
        """Messages of some topics in the order in which they were recorded.

        Damaged and unstamped ones are left out and counted in `skipped`.

        Args:
            topics: Of IMAGE, COMPRESSED or CAMERA_INFO.
            start_s: Left out at the start, by the times of recording [s].
            duration_s: Of the part that is read, by the times of recording [s]; 0: to the end.
            unstamped: Topics whose messages need no stamp.

        Raises:
            BagError: If the file cannot be read on.
        """
        first_ns = self._start_ns + round(start_s * NANOSECONDS)
        end_ns = first_ns + round(duration_s * NANOSECONDS) if duration_s else None
        wanted = [item for item in self._reader.connections if item.topic in topics]
        stored = self._reader.messages(wanted, start=first_ns, stop=end_ns)
        promised = 0 if start_s or duration_s else sum(item.msgcount for item in wanted)
        for count in itertools.count():
            try:
                item, time_ns, data = next(stored)
            except StopIteration:
                if count < promised:
                    cut = EOFError(f"it ends after {count} of {promised} messages")
                    raise self._unreadable(cut) from None
                return
            except Exception as error:
                raise self._unreadable(error) from error
            message = self._checked(item, time_ns, data, item.topic in unstamped)
            if message is not None:
                yield message

    def close(self) -> None:
        """Let go of the files."""
        self._reader.close()

    def first(
        self, topic: str, count: int, start_s: float = 0.0, duration_s: float = 0.0
    ) -> list[Recorded]:
        """The first usable messages of a topic, with a stamp or without; arguments as above.

        Raises:
            BagError: If the file cannot be read on.
        """
        skipped = self.skipped
        messages = self.messages((topic,), start_s, duration_s, (topic,))
        found = list(itertools.islice(messages, count))
        self.skipped = skipped  # they are met again when the recording is played
        return found

    def _checked(
        self, item: Any, time_ns: int, data: bytes, may_be_unstamped: bool
    ) -> Recorded | None:
        try:
            stamp = self._types.deserialize_cdr(memoryview(data), item.msgtype).header.stamp  # type: ignore[attr-defined]
            has_none = may_be_unstamped and stamp.sec == stamp.nanosec == 0
            stamp_ns = 0 if has_none else stamp_to_ns(stamp.sec, stamp.nanosec)
        except StampRefused as error:
            problem = str(error)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            return Recorded(item.topic, time_ns, stamp_ns, data)
        self.skipped += 1
        self.problem = f"a message of {item.topic} is damaged and left out: {problem}"
        return None

    def _unreadable(self, error: Exception) -> BagError:
        reason = " ".join(str(error).split()) or type(error).__name__
        return BagError(f"cannot read the recording {self._path}: {reason}; {WHAT_IS_WANTED}")

    def _listing(self) -> str:
        shown = [f"{name} ({kind})" for name, kind in sorted(self.topics.items())]
        more = f" and {len(shown) - SHOWN_TOPICS} more" if len(shown) > SHOWN_TOPICS else ""
        return ", ".join(shown[:SHOWN_TOPICS]) + more if shown else "no messages"


def recording_at(path: Path) -> Path:
    """What to open for a path as people give it.

    The folder of a metadata.yaml; of a folder without one, as `ros2 bag record` leaves it when it
    is killed, the only recording in it.

    Raises:
        BagError: If it is a recording of ROS 1, or a folder with none or several recordings.
    """
    if path.name == METADATA:
        return path.parent
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(ROS1_SIGNATURE)) == ROS1_SIGNATURE:
                raise BagError(
                    f"cannot read the recording {path}: it is one of ROS 1; say "
                    f"rosbags-convert --src {path.name} --dst {path.stem}"
                )
    if not path.is_dir() or (path / METADATA).exists():
        return path
    files = [item for item in sorted(path.iterdir()) if not item.name.startswith(".")]
    found = [item for item in files if item.suffix in RECORDING_ENDINGS]
    if len(found) == 1:
        return found[0]
    inside = found or [item for item in files if (item / METADATA).exists()]
    names = ", ".join(item.name for item in inside[:SHOWN_TOPICS])
    advice = f"name one of {names}" if inside else WHAT_IS_WANTED
    raise BagError(f"cannot read the recording {path}: it holds no {METADATA}; {advice}")


def restamp(data: bytes, stamp_ns: int) -> bytes:
    """The same message with another header.stamp, which is the first thing in its bytes.

    Args:
        data: CDR with its encapsulation header, of a type that begins with std_msgs/Header.
        stamp_ns: The new stamp [ns].
    """
    changed = bytearray(data)
    order = "<" if data[1] & 1 else ">"
    struct.pack_into(
        f"{order}iI",
        changed,
        ENCAPSULATION_BYTES,
        stamp_ns // NANOSECONDS,
        stamp_ns % NANOSECONDS,
    )
    return bytes(changed)


class Timeline:
    """When each message of a recording is due, and which stamp it gets: one line for all topics.

    The line is drawn by the stamps of the images. Times of recording may be of another clock, and
    run at another speed: those of a simulation are. They count only where stamps do not advance,
    or jump as no pause of the recording explains: there the line begins anew.

    After a delay it goes on from now and does not catch up; the stamps move along, and those of
    messages that belonged together still do.

    Args:
        rate: Seconds of the stamps per second, above 0.

    Attributes:
        interval_ns: Between the newest images, by their stamps [ns]; 0 before the second.
    """

    late_s = 0.5

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._stamp_ns: int | None = None
        self._steady_s = 0.0
        self._clock_ns = 0
        self._record_ns = 0
        self._image_ns: int | None = None
        self._image_due_s = 0.0
        self._held = False
        self.interval_ns = 0

    def begin(
        self, record_ns: int, steady_s: float, clock_ns: int, stamp_ns: int | None = None
    ) -> None:
        """Let an image's stamp be that of now.

        Args:
            record_ns: When the image was recorded [ns].
            steady_s: Steady clock now [s].
            clock_ns: The node's clock now [ns].
            stamp_ns: Of the image [ns]; None: the next that is asked about.
        """
        self._record_ns, self._steady_s, self._clock_ns = record_ns, steady_s, clock_ns
        self._stamp_ns, self._image_ns = stamp_ns, None
        self._held, self._image_due_s = False, steady_s

    def follow(self, stamp_ns: int, record_ns: int, steady_s: float, clock_ns: int) -> str:
        """Take in the next image; `wait_s` then says when it is due.

        Args:
            stamp_ns: Of the image [ns].
            record_ns: When it was recorded [ns].
            steady_s: Steady clock now [s].
            clock_ns: The node's clock now [ns].

        Returns:
            Why the line begins anew with it; empty if it goes on.
        """
        recorded_ns = max(0, record_ns - self._record_ns)
        self._record_ns = record_ns
        before_ns, self._image_ns = self._image_ns, stamp_ns
        step_ns = 0 if before_ns is None else stamp_ns - before_ns
        self._held = before_ns is not None and step_ns <= 0
        if self._held:
            # Nothing but the times of recording tells how long the camera took.
            self._image_due_s += min(recorded_ns, LONGEST_PAUSE_NS) / NANOSECONDS / self._rate
        if -RESET_NS < step_ns <= JUMP_NS + JUMP_FACTOR * recorded_ns:
            if step_ns > 0:
                self.interval_ns = step_ns
            return ""
        pause_s = min(recorded_ns, LONGEST_PAUSE_NS) / NANOSECONDS / self._rate
        moved_ns = clock_ns + round(pause_s * NANOSECONDS)
        self.begin(record_ns, steady_s + pause_s, moved_ns, stamp_ns)
        self._image_ns = stamp_ns
        return (
            f"the images' stamps {'jump' if step_ns > 0 else 'run back'} by "
            f"{abs(step_ns) / NANOSECONDS:.1f} s"
        )

    def wait_s(self, stamp_ns: int, steady_s: float, clock_ns: int) -> float:
        """Seconds until the image of a stamp is due; 0 if it is late."""
        if not self._held:
            self._image_due_s = self._due_s(stamp_ns)
            if steady_s - self._image_due_s > self.late_s:
                self._stamp_ns, self._steady_s, self._clock_ns = stamp_ns, steady_s, clock_ns
                self._image_due_s = steady_s
        return max(0.0, self._image_due_s - steady_s)

    def wait_beside_s(self, stamp_ns: int, steady_s: float) -> float:
        """Seconds until another message is due; none that lies beyond the next image waits."""
        if not 0 <= self.lead_ns(stamp_ns) <= self.interval_ns:
            return 0.0
        return max(0.0, self._due_s(stamp_ns) - steady_s)

    def lead_ns(self, stamp_ns: int) -> int:
        """How far a stamp is ahead of the newest image's, or of the first one's [ns]."""
        image_ns = self._anchored_ns(stamp_ns) if self._image_ns is None else self._image_ns
        return stamp_ns - image_ns

    def bag_now_ns(self, steady_s: float) -> int:
        """The stamp [ns] whose moment is now."""
        passed_ns = round(max(0.0, steady_s - self._steady_s) * self._rate * NANOSECONDS)
        return (self._stamp_ns or 0) + passed_ns

    def stamp_ns(self, stamp_ns: int) -> int:
        """A recorded stamp, moved to where its moment lies on the node's clock [ns]."""
        return self._clock_ns + round((stamp_ns - self._anchored_ns(stamp_ns)) / self._rate)

    def _due_s(self, stamp_ns: int) -> float:
        passed_ns = stamp_ns - self._anchored_ns(stamp_ns)
        return self._steady_s + passed_ns / NANOSECONDS / self._rate

    def _anchored_ns(self, stamp_ns: int) -> int:
        if self._stamp_ns is None:
            self._stamp_ns = stamp_ns
        return self._stamp_ns
