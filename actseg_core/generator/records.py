"""What the generator knows of a written video; one JSON file each, written last."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actseg_core.errors import DatasetError
from actseg_core.generator.clip import ActorRecord, GeneratedClip
from actseg_core.generator.record_files import write_text


@dataclass(frozen=True)
class Query:
    """A sentence about an instance (id from 1)."""

    instance_id: int
    query: str


@dataclass(frozen=True)
class VideoRecord:
    """A written video.

    Attributes:
        name: Video id.
        index: Its place in the data set.
        seed: Of the clip.
        label: A2D label of the actor that covers most pixels.
        height: Of its frames [px].
        width: Of its frames [px].
        frames: Number of frames.
        fps: Frames per second.
        annotated: Number of annotated frames.
        split: 0 train, 1 test.
        background: Kind of place.
        queries: Its sentences.
        distractors: Kind and text of sentences that are false of everyone in it.
        actors: All that is known of its actors.
    """

    name: str
    index: int
    seed: int
    label: int
    height: int
    width: int
    frames: int
    fps: float
    annotated: int
    split: int
    background: str
    queries: tuple[Query, ...]
    distractors: tuple[tuple[str, str], ...]
    actors: tuple[dict[str, Any], ...]

    def write(self, folder: Path) -> None:
        """Write it as JSON; its presence says that the video is complete."""
        write_text(folder / f"{self.name}.json", json.dumps(asdict(self), indent=1) + "\n")


def read_record(path: Path) -> VideoRecord:
    """Read a record.

    Raises:
        DatasetError: If it is damaged.
    """
    try:
        content = json.loads(path.read_text())
        content["queries"] = tuple(Query(**item) for item in content["queries"])
        content["distractors"] = tuple(tuple(item) for item in content["distractors"])
        content["actors"] = tuple(content["actors"])
        return VideoRecord(**content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{path} is damaged ({error}); delete it and generate again: its video is remade"
        ) from None


def actor_facts(clip: GeneratedClip, actor: ActorRecord) -> dict[str, Any]:
    """All that is known of an actor, as plain values, with its boxes per frame."""
    facts = asdict(actor)
    facts["pair"] = actor.pair.label
    facts["boxes"] = clip.boxes(actor.instance_id).tolist()
    return facts
