"""Objects over time: which object of this frame is which of the frames before.

Association in two rounds as in ByteTrack (Zhang et al., 2022): sure objects first, then unsure
ones, which may continue a track and never begin one. What is known of a track fades in over its
frames, so that one bad frame does not change an answer.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from actseg_core.objects.motion import FrameMotion, object_motion, warp_masks
from actseg_core.objects.scene import Objects, box_overlap, mask_overlap

Array = NDArray[np.float32]
SURE = 0.20  # objectness from which an object may begin a track
MIN_OVERLAP = 0.2
MEMORY_FRAMES = 90  # how long a lost track is remembered
SEEN_AGAIN = 0.80  # likeness from which a lost track is taken up again
OLD_SHARE = 0.3  # of a track's mask is the frame before's, moved along the flow
STEADY = 0.5  # overlap of both from which they are averaged


@dataclass(eq=False)
class Track:
    """One object over time.

    Attributes:
        number: The track's id, from 1 on, never used twice by one tracker.
        box: (4,) centre, width, height [px], of the newest frame.
        mask: (m, m) float32 probabilities: those of the newest frame, averaged with the frames
            before where they agree.
        objectness: Running mean of the objects' probability.
        classes: (80,) running mean.
        names: (1000,) running mean.
        embedding: (D,) running mean.
        colours: (R, 11) running mean.
        skin: (2,) running mean.
        motion: (5,) running mean of `object_motion`; zeros before the second frame.
        frames: Frames in which it was seen.
        missed: Frames since it was seen last.
        moved: Whether `motion` was measured yet.
    """

    number: int
    box: Array
    mask: Array
    objectness: float
    classes: Array
    names: Array
    embedding: Array
    colours: Array
    skin: Array
    motion: Array = field(default_factory=lambda: np.zeros(5, np.float32))
    frames: int = 1
    missed: int = 0
    moved: bool = False


class Tracker:
    """Keeps the tracks of one camera.

    Args:
        patience: Frames for which a track that is not seen keeps its mask, moved along the flow.
        seconds: Time constant [s] of what is known of a track.
    """

    def __init__(self, patience: int = 2, seconds: float = 0.5) -> None:
        self.patience, self.seconds = patience, seconds
        self.tracks: list[Track] = []
        self._lost: list[Track] = []
        self._count = 0

    def forget(self) -> None:
        """Begin anew; ids go on counting."""
        self.tracks, self._lost = [], []

    def update(self, objects: Objects, motion: FrameMotion | None) -> list[Track]:
        """Take in the objects of the next frame.

        Args:
            objects: Of the newest frame.
            motion: From the frame before to it; None if it follows none.

        Returns:
            The tracks that are there now, those of the newest objects first.
        """
        before = self.tracks
        seconds = motion.seconds if motion is not None else 1 / 15
        masks = np.stack([track.mask for track in before]) if before else _no_masks(objects)
        moves = object_motion(motion, masks) if motion is not None else None
        if motion is not None:
            masks = warp_masks(masks, motion.flow)
        pairs = self._associate(objects, masks)
        seen: list[Track] = []
        for row, column in pairs:
            track = before[row]
            self._renew(track, objects, column, seconds)
            track.mask = steadied(objects.masks[column], masks[row])
            seen.append(track)
        if moves is not None:
            for track, values in zip(before, moves, strict=True):
                self._move(track, values, seconds)
        matched_tracks = {row for row, _ in pairs}
        waiting: list[Track] = []
        for row, track in enumerate(before):
            if row in matched_tracks:
                continue
            track.missed += 1
            track.mask = masks[row]
            track.objectness *= 0.9
            kept = track.missed <= min(self.patience, track.frames) and track.mask.max() > 0.5
            (waiting if kept else self._lost).append(track)
        for column in sorted(set(range(len(objects))) - {column for _, column in pairs}):
            if objects.objectness[column] >= SURE:
                seen.append(self._begin(objects, column))
        self.tracks = seen + waiting
        for track in self._lost:
            track.missed += 1
        self._lost = [track for track in self._lost if track.missed < MEMORY_FRAMES]
        return self.tracks

    def _associate(self, objects: Objects, masks: Array) -> list[tuple[int, int]]:
        """(track, object) pairs, by overlap and likeness, sure objects first."""
        if not self.tracks or not len(objects):
            return []
        overlap = mask_overlap(masks, objects.masks)
        boxes = np.stack([track.box for track in self.tracks])
        overlap = np.maximum(overlap, 0.9 * box_overlap(boxes, objects.boxes))
        like = np.stack([_likeness(track, objects) for track in self.tracks])
        worth = np.where(overlap >= MIN_OVERLAP, overlap + 0.3 * like, 0)
        pairs: list[tuple[int, int]] = []
        for least in (SURE, 0.0):
            allowed = worth * (objects.objectness >= least)[None]
            for row, column in pairs:
                allowed[row], allowed[:, column] = 0, 0
            while allowed.max() > 0:
                row, column = (int(k) for k in np.unravel_index(allowed.argmax(), allowed.shape))
                pairs.append((row, column))
                allowed[row], allowed[:, column] = 0, 0
        return pairs

    def _renew(self, track: Track, objects: Objects, index: int, seconds: float) -> None:
        new = max(1 - np.exp(-seconds / self.seconds), 1 / (track.frames + 1))
        for name in ("classes", "names", "colours", "skin"):
            old = getattr(track, name)
            setattr(track, name, old + new * (getattr(objects, name)[index] - old))
        track.embedding = track.embedding + new * (objects.embeddings[index] - track.embedding)
        track.objectness += new * (float(objects.objectness[index]) - track.objectness)
        track.box, track.mask = objects.boxes[index], objects.masks[index]
        track.frames += 1
        track.missed = 0

    def _move(self, track: Track, values: Array, seconds: float) -> None:
        new = 1.0 if not track.moved else 1 - np.exp(-seconds / self.seconds)
        track.motion = track.motion + np.float32(new) * (values - track.motion)
        track.moved = True

    def _begin(self, objects: Objects, index: int) -> Track:
        """A new track, or one that was lost and looks the same."""
        again = [(_likeness(track, objects)[index], k) for k, track in enumerate(self._lost)]
        if again and max(again)[0] >= SEEN_AGAIN:
            track = self._lost.pop(max(again)[1])
            self._renew(track, objects, index, self.seconds)
            return track
        self._count += 1
        return Track(
            number=self._count,
            box=objects.boxes[index],
            mask=objects.masks[index],
            objectness=float(objects.objectness[index]),
            classes=objects.classes[index],
            names=objects.names[index],
            embedding=objects.embeddings[index],
            colours=objects.colours[index],
            skin=objects.skin[index],
        )


def steadied(new: Array, before: Array) -> Array:
    """A new (m, m) mask, averaged with the one before if both agree: edges that come and go from
    frame to frame are left out, and the next frame's object is known again more easily."""
    both, either = np.minimum(new, before) > 0.5, np.maximum(new, before) > 0.5
    if both.sum() < STEADY * either.sum():
        return new
    return np.asarray(OLD_SHARE * before + (1 - OLD_SHARE) * new, np.float32)


def _likeness(track: Track, objects: Objects) -> Array:
    """(K,) in [0, 1]: how alike a track and each object are, by class, colours and features."""
    classes = _shared(track.classes, objects.classes)
    colours = np.minimum(track.colours, objects.colours).sum(axis=2).mean(axis=1)
    embedding = objects.embeddings @ track.embedding
    length = np.linalg.norm(objects.embeddings, axis=1) * np.linalg.norm(track.embedding)
    cosine = embedding / np.maximum(length, 1e-6)
    return np.asarray(classes * np.clip(colours, 0, 1) * np.clip(cosine, 0, 1), np.float32) ** (
        1 / 3
    )


def _shared(one: Array, other: Array) -> Array:
    """(K,) cosine of class probabilities."""
    length = np.linalg.norm(other, axis=1) * np.linalg.norm(one)
    return np.asarray((other @ one) / np.maximum(length, 1e-6), np.float32)


def _no_masks(objects: Objects) -> Array:
    return np.zeros((0, *objects.masks.shape[1:]), np.float32)
