"""Topics and services of the segmentation node, as docs/node.md tells them.

A test compares the list with what a running node has: names, types and QoS.
"""

from dataclasses import dataclass

ANSWERS = "reliable, volatile, depth 1"


@dataclass(frozen=True)
class Topic:
    """A topic of the node.

    Attributes:
        name: Relative to the node.
        type: Package and message.
        qos: Reliability, durability, depth and what else is not the default.
        about: What it carries and when.
    """

    name: str
    type: str
    qos: str
    about: str


@dataclass(frozen=True)
class Service:
    """A service of the node; attributes as of Topic."""

    name: str
    type: str
    about: str


INPUTS = (
    Topic(
        "~/image",
        "sensor_msgs/Image",
        "best effort or reliable, volatile, depth 2",
        "the camera; remap it. Reliability by `image_reliability`, depth by `image_depth`",
    ),
    Topic(
        "~/image/compressed",
        "sensor_msgs/CompressedImage",
        "as `~/image`",
        "instead of it with `compressed: true`; JPEG or PNG",
    ),
    Topic(
        "~/command",
        "std_msgs/String",
        "reliable, volatile, depth 10; transient local, too, once a latched publisher is there",
        "a sentence becomes the only active one; a text without a letter or digit clears. A "
        "latched command from before the node's start is obeyed",
    ),
    Topic(
        "~/depth",
        "sensor_msgs/Image",
        "by `spatial.depth_reliability`, volatile, depth 2",
        "aligned depth, 16UC1 [mm] or 32FC1 [m]; with `spatial.enabled`, and only while a 3-D "
        "output is subscribed to",
    ),
    Topic("~/camera_info", "sensor_msgs/CameraInfo", "as `~/depth`", "of `~/image`; with depth"),
)
OUTPUTS = (
    Topic(
        "~/result",
        "actseg/ActorMaskArray",
        ANSWERS,
        "one message per answered frame; one to acknowledge each change of sentences; one when "
        "the state changes to one without an answer",
    ),
    Topic(
        "~/mask",
        "sensor_msgs/Image",
        ANSWERS,
        "mono8, 255 where any sentence's actor is; for answered frames",
    ),
    Topic("~/mask/compressed", "sensor_msgs/CompressedImage", ANSWERS, "the same as PNG"),
    Topic(
        "~/overlay",
        "sensor_msgs/Image",
        ANSWERS,
        "bgr8, for people; without a sentence the plain picture. Style by `overlay.*`",
    ),
    Topic("~/overlay/compressed", "sensor_msgs/CompressedImage", ANSWERS, "the same as JPEG"),
    Topic(
        "~/detections",
        "vision_msgs/Detection2DArray",
        ANSWERS,
        "box, sentence (`class_id`), confidence (`score`) and query id of each actor found, for "
        "answered frames; only where vision_msgs is installed",
    ),
    Topic(
        "~/status",
        "actseg/SegmentationStatus",
        "reliable, volatile, depth 1, deadline `status_deadline_s`, liveliness MANUAL_BY_TOPIC "
        "with `status_lease_s`",
        "10 Hz and on each change, from the thread that computes the masks",
    ),
    Topic(
        "~/centroid",
        "geometry_msgs/PointStamped",
        ANSWERS,
        "the actor's place [m]; see [3-D](#3-d)",
    ),
    Topic("~/points", "sensor_msgs/PointCloud2", ANSWERS, "the actor's points [m]"),
    Topic("~/markers", "visualization_msgs/MarkerArray", ANSWERS, "a box and a text for RViz"),
    Topic(
        "/diagnostics",
        "diagnostic_msgs/DiagnosticArray",
        "reliable, volatile, depth 10",
        "1 Hz; see [Diagnostics](#diagnostics)",
    ),
)
SERVICES = (
    Service(
        "~/add_query",
        "actseg/AddQuery",
        "one more sentence, for ever or for `lifetime`; its id. The same sentence again keeps "
        "its id and renews its lifetime",
    ),
    Service("~/remove_query", "actseg/RemoveQuery", "one sentence less, by its id"),
    Service(
        "~/list_queries",
        "actseg/ListQueries",
        "the active sentences with state, confidence, unknown words and end of life",
    ),
    Service("~/clear", "std_srvs/Trigger", "no sentence at all"),
)
