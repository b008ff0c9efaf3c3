"""Actors in space as poses and 3-D detections in a named frame. Pure functions."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import Pose, PoseStamped, Quaternion
from numpy.typing import NDArray
from std_msgs.msg import Header

from actseg_core.geometry import Extent
from actseg_core.live.queries import Query
from actseg_core.types import MaskResult
from actseg_ros.spatial.frames import Rigid
from actseg_ros.spatial.messages import point_message

# So much surer [probability] must another actor be before ~/pose goes over to it.
SURER = 0.1
# So near [m], seen from above, to the camera no direction leads to the actor.
OVERHEAD_M = 0.05
# Axes x ahead, y left, z up, in a camera's optical frame: x, y, z, w.
UPRIGHT_IN_OPTICAL = (0.5, -0.5, 0.5, 0.5)
Measure = Callable[[NDArray[np.uint8]], Extent | None]


@dataclass(frozen=True, eq=False)
class ActorInSpace:
    """One actor of one sentence.

    Attributes:
        query_id: Of the sentence.
        sentence: The sentence.
        track_id: Of the actor; 0: the network knows pixels only.
        confidence: That it is what the sentence says, [0, 1].
        extent: Place and size in the camera's optical frame.
    """

    query_id: str
    sentence: str
    track_id: int
    confidence: float
    extent: Extent

    @property
    def key(self) -> tuple[str, int]:
        """The same in the next frame."""
        return self.query_id, self.track_id


def actors_of(
    query: Query, answer: MaskResult, whole: Extent | None, measure_mask: Measure
) -> Iterator[ActorInSpace]:
    """Those that a sentence means, best first; without tracks the one that its mask shows.

    Args:
        query: The sentence.
        answer: FOUND.
        whole: Of the sentence's mask; None: too little depth.
        measure_mask: Extent of a mask of one of several actors; None: too little depth.
    """
    said = query.id, query.sentence.text
    if len(answer.actors) < 2:
        track_id = answer.actors[0].track_id if answer.actors else 0
        if whole is not None:
            yield ActorInSpace(*said, track_id, answer.confidence, whole)
        return
    for actor in answer.actors:
        extent = measure_mask(actor.mask())
        if extent is not None:
            yield ActorInSpace(*said, actor.track_id, actor.confidence, extent)


def chosen(actors: Sequence[ActorInSpace], before: tuple[str, int] | None) -> ActorInSpace | None:
    """The surest; but the one of the frame before while no other is clearly surer."""
    surest = max(actors, key=lambda actor: actor.confidence, default=None)
    for actor in actors:
        if surest and actor.key == before and actor.confidence + SURER >= surest.confidence:
            return actor
    return surest


def pose_message(
    header: Header, actor: ActorInSpace, transform: Rigid, is_optical: bool, otherwise: Quaternion
) -> PoseStamped:
    """Where the actor is [m]; x of the orientation leads from the camera to it, level.

    Args:
        header: Frame of the pose, stamp of the image.
        actor: In the camera's optical frame.
        transform: From there to the header's frame.
        is_optical: Whether the header's frame is a camera's, where up is -y, else up is z.
        otherwise: Orientation of an actor straight above or below the camera.
    """
    place = transform.apply(actor.extent.centre)
    x, y, z = place - np.array(transform.translation)
    ahead, left = (z, -x) if is_optical else (x, y)
    orientation = otherwise
    if math.hypot(ahead, left) >= OVERHEAD_M:
        orientation = _turned(math.atan2(left, ahead), is_optical)
    return PoseStamped(
        header=header, pose=Pose(position=point_message(place), orientation=orientation)
    )


def level(is_optical: bool) -> Quaternion:
    """Ahead and level."""
    return _turned(0.0, is_optical)


def _turned(yaw: float, is_optical: bool) -> Quaternion:
    """Level and turned to the left by `yaw` [rad]."""
    c, s = math.cos(yaw / 2), math.sin(yaw / 2)
    if not is_optical:
        return Quaternion(x=0.0, y=0.0, z=s, w=c)
    x, y, z, w = UPRIGHT_IN_OPTICAL
    return Quaternion(x=x * c + y * s, y=y * c - x * s, z=z * c + w * s, w=w * c - z * s)
