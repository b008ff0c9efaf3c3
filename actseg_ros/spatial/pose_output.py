"""`~/pose` and `~/detections_3d`: actors in the frame that the user names, once tf knows it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.publisher import Publisher
from std_msgs.msg import Header

from actseg_core.live.frame_checks import NANOSECONDS
from actseg_ros import qos
from actseg_ros.camera_node import CameraNode
from actseg_ros.messages import time_message
from actseg_ros.settings import SpatialConfig
from actseg_ros.spatial.actors import ActorInSpace, chosen, level, pose_message
from actseg_ros.spatial.frames import NoTransform, Rigid, TargetFrame

try:
    from vision_msgs.msg import Detection3DArray

    from actseg_ros.spatial.detections import detections_message
except ImportError:  # many robots do without
    Detection3DArray = None

MOST_WAITING = 64  # frames that wait for their transform; they hold no pictures
CLOCK_SET_BACK_NS = NANOSECONDS


@dataclass(frozen=True, eq=False)
class _Frame:
    """The actors of one frame, and until when their transform is waited for."""

    stamp_ns: int
    frame_id: str
    revision: int
    actors: Sequence[ActorInSpace]
    until_s: float


class PoseOutput:
    """Publishes poses and 3-D detections; a frame waits shortly for its transform.

    Args:
        node: Owns the publishers.
        settings: Limits and the frame's name.
        holding: QuerySet.holding; keeps poses of an older set of sentences from going out.

    Attributes:
        problem: Why the newest frame has no pose in the frame wanted; empty if it has.
    """

    def __init__(
        self,
        node: CameraNode,
        settings: SpatialConfig,
        holding: Callable[[int], AbstractContextManager[bool]],
    ) -> None:
        self._node, self._settings, self._holding = node, settings, holding
        self._pose = node.create_publisher(PoseStamped, "~/pose", qos.answers())
        self._detections: Publisher[Any] | None = None
        if Detection3DArray is not None:
            self._detections = node.create_publisher(
                Detection3DArray, "~/detections_3d", qos.answers()
            )
        self._target: TargetFrame | None = None
        self._waiting: deque[_Frame] = deque(maxlen=MOST_WAITING)
        self._lock = threading.Lock()
        self._demanded = False
        self._poses: dict[str, PoseStamped] = {}
        self._followed: tuple[str, int] | None = None
        self._newest_ns = 0
        self.problem = ""

    # ------------------------------------------------------------ called by the node's executor
    def start(self) -> None:
        """Listen to tf where a frame is named."""
        self._target = TargetFrame(self._node, self._settings.target_frame)

    def stop(self) -> None:
        """End that; what waits is dropped. Not while another thread calls `step`."""
        if self._target is not None:
            self._target.end()
            self._target = None
        self.forget()

    def reconfigure(self, settings: SpatialConfig) -> None:
        """Go on with other limits, and in another frame where that is changed."""
        other_frame = settings.target_frame != self._settings.target_frame
        self._settings = settings
        if other_frame and self._target is not None:
            before, self._target = self._target, TargetFrame(self._node, settings.target_frame)
            before.end()
            with self._lock:
                self._poses = {}

    def demand_poses(self, wanted: bool) -> None:
        """Work out poses although nobody subscribes, or no longer."""
        self._demanded = wanted

    def pose_of(self, query_id: str, since_ns: int) -> PoseStamped | None:
        """The newest pose of a sentence's surest actor from `since_ns` on; None: there is none."""
        with self._lock:
            pose = self._poses.get(query_id)
        if pose is None:
            return None
        stamp = pose.header.stamp
        return pose if stamp.sec * NANOSECONDS + stamp.nanosec >= since_ns else None

    def is_wanted(self) -> bool:
        """Whether anybody asks for what is made here."""
        return self._demanded or _is_read(self._pose) or _is_read(self._detections)

    # ----------------------------------------------------------------------- the spatial thread
    def add(
        self, stamp_ns: int, frame_id: str, revision: int, actors: Sequence[ActorInSpace]
    ) -> None:
        """Take the actors of a frame; they go out with the next `step` that has a transform."""
        if stamp_ns < self._newest_ns - CLOCK_SET_BACK_NS and self._target is not None:
            self._waiting.clear()
            self._target.forget()
        self._newest_ns = stamp_ns
        until_s = time.monotonic() + self._settings.tf_timeout_s
        self._waiting.append(_Frame(stamp_ns, frame_id, revision, actors, until_s))

    def step(self) -> bool:
        """Publish what can be; whether a frame still waits for tf."""
        target = self._target
        while self._waiting and target is not None:
            frame = self._waiting[0]
            try:
                transform = target.at(frame.frame_id, frame.stamp_ns)
            except NoTransform as error:
                if time.monotonic() < frame.until_s:
                    return True
                self.problem = str(error)
                with self._lock:
                    self._poses = {}
            else:
                self.problem = ""
                self._publish(frame, transform, target.name)
            self._waiting.popleft()
        return False

    def forget(self) -> None:
        """There is something newer to say than what waits."""
        self._waiting.clear()
        self._followed, self.problem = None, ""
        with self._lock:
            self._poses = {}

    def _publish(self, frame: _Frame, transform: Rigid, target: str) -> None:
        is_optical = target in ("", frame.frame_id)
        header = Header(stamp=time_message(frame.stamp_ns), frame_id=target or frame.frame_id)

        def pose(actor: ActorInSpace) -> PoseStamped:
            before = self._poses.get(actor.query_id)
            otherwise = before.pose.orientation if before else level(is_optical)
            return pose_message(header, actor, transform, is_optical, otherwise)

        best = chosen(frame.actors, self._followed)
        poses: dict[str, PoseStamped] = {}
        for actor in ([best] if best else []) + list(frame.actors):
            if actor.query_id not in poses:
                poses[actor.query_id] = pose(actor)
        with self._holding(frame.revision) as in_force:
            if not in_force:
                return
            if best and _is_read(self._pose):
                self._pose.publish(poses[best.query_id])
            if self._detections is not None and _is_read(self._detections):
                self._detections.publish(detections_message(header, frame.actors, transform))
        self._followed = best.key if best else None
        with self._lock:
            self._poses = poses


def _is_read(publisher: "Publisher[Any] | None") -> bool:
    return publisher is not None and publisher.get_subscription_count() > 0
