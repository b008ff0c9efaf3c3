"""Answers as vision_msgs/Detection2DArray, where that package is installed. Pure functions."""

from actseg.msg import ActorMask, ActorMaskArray
from geometry_msgs.msg import PoseWithCovariance
from vision_msgs.msg import (
    BoundingBox2D,
    Detection2D,
    Detection2DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
    Point2D,
    Pose2D,
)

from actseg_core.live.states import State


def detections_message(array: ActorMaskArray) -> Detection2DArray:
    """The actors that were found; none: no elements."""
    found = [mask for mask in array.masks if mask.state.value == State.FOUND]
    return Detection2DArray(header=array.header, detections=[_detection(mask) for mask in found])


def _detection(mask: ActorMask) -> Detection2D:
    region = mask.region
    # Pixel centres have whole coordinates, so a box over columns 3 to 8 has its centre at 5.5.
    middle = Point2D(
        x=region.x_offset + (region.width - 1) / 2, y=region.y_offset + (region.height - 1) / 2
    )
    return Detection2D(
        header=mask.header,
        id=mask.query_id,
        bbox=BoundingBox2D(
            center=Pose2D(position=middle, theta=0.0),
            size_x=float(region.width),
            size_y=float(region.height),
        ),
        results=[
            ObjectHypothesisWithPose(
                hypothesis=ObjectHypothesis(class_id=mask.sentence, score=mask.confidence),
                pose=PoseWithCovariance(),
            )
        ],
    )
