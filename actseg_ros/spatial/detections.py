"""Actors in space as vision_msgs/Detection3DArray, where that package is installed."""

from collections.abc import Sequence

from geometry_msgs.msg import Pose, PoseWithCovariance, Quaternion, Vector3
from std_msgs.msg import Header
from vision_msgs.msg import (
    BoundingBox3D,
    Detection3D,
    Detection3DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
)

from actseg_ros.spatial.actors import ActorInSpace
from actseg_ros.spatial.frames import Rigid
from actseg_ros.spatial.messages import point_message


def detections_message(
    header: Header, actors: Sequence[ActorInSpace], transform: Rigid
) -> Detection3DArray:
    """All actors, each in a box that stands upright in the camera's frame.

    Args:
        header: Frame of the boxes, stamp of the image.
        actors: In the camera's optical frame; none: no elements.
        transform: From there to the header's frame.
    """
    boxes = [_detection(header, actor, transform) for actor in actors]
    return Detection3DArray(header=header, detections=boxes)


def _detection(header: Header, actor: ActorInSpace, transform: Rigid) -> Detection3D:
    x, y, z, w = transform.rotation
    turn = Quaternion(x=x, y=y, z=z, w=w)
    middle = Pose(position=point_message(transform.apply(actor.extent.middle)), orientation=turn)
    centre = Pose(position=point_message(transform.apply(actor.extent.centre)), orientation=turn)
    width, height, depth = (float(side) for side in actor.extent.size)
    return Detection3D(
        header=header,
        id=str(actor.track_id or actor.query_id),
        bbox=BoundingBox3D(center=middle, size=Vector3(x=width, y=height, z=depth)),
        results=[
            ObjectHypothesisWithPose(
                hypothesis=ObjectHypothesis(class_id=actor.sentence, score=actor.confidence),
                pose=PoseWithCovariance(pose=centre),
            )
        ],
    )
