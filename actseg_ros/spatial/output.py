"""3-D outputs: depth and camera_info in; places, clouds, markers and poses out."""

import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeGuard

import numpy as np
from geometry_msgs.msg import PointStamped
from numpy.typing import NDArray
from rclpy.publisher import Publisher
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from actseg_core.errors import ActSegError
from actseg_core.geometry import (
    Extent,
    Pinhole,
    back_project,
    measure,
    thin_out,
    without_rim,
)
from actseg_core.live.frame_checks import NANOSECONDS, StampRefused, stamp_to_ns
from actseg_core.live.reports import Report
from actseg_core.live.stats import Interval
from actseg_core.types import MaskResult
from actseg_ros import qos
from actseg_ros.camera_node import CameraNode
from actseg_ros.messages import time_message
from actseg_ros.settings import SpatialConfig
from actseg_ros.spatial.actors import ActorInSpace, actors_of
from actseg_ros.spatial.depth_image import DepthMessage, camera_of, decode_depth
from actseg_ros.spatial.inputs import DepthInputs
from actseg_ros.spatial.messages import Place, centroid_message, cloud_message
from actseg_ros.spatial.pairing import Pairing
from actseg_ros.spatial.pose_output import PoseOutput
from actseg_ros.spatial.rest import rest_message

try:
    from visualization_msgs.msg import MarkerArray

    from actseg_ros.spatial.markers import marker_message
except ImportError:  # a robot without RViz may lack the package
    MarkerArray = None

STEP_S = 0.1
TF_STEP_S = 0.01  # while a frame waits for its transform
STOP_TIMEOUT_S = 5.0
LARGEST_SAMPLE_BYTES = 4
LOG_EVERY_S = 5.0
HINT_EVERY_S = 30.0
UNPAIRED = 3  # masks in a row
OTHER_CLOCK_S = 60.0
MARKER_INTERVALS = 2.5
NO_MARKERS = "visualization_msgs is not installed, so there is no ~/markers; install it for RViz"


class SpatialOutput:
    """Publishes what is made of depth while somebody wants what is in it.

    A thread of its own computes, so that neither masks nor callbacks wait for it.

    Args:
        node: Owns publishers and subscriptions.
        settings: Limits.
        max_pixels: Larger depth images are refused [px].
        holding: QuerySet.holding; keeps places of an older set of sentences from going out.
        watch: Is told of publishers whose QoS does not fit.

    Attributes:
        also_wanted: Whether somebody wants places who does not subscribe.
        placed: Called with the places of each answered frame; must return at once.
    """

    def __init__(
        self,
        node: CameraNode,
        settings: SpatialConfig,
        max_pixels: int,
        holding: Callable[[int], AbstractContextManager[bool]],
        watch: qos.QosWatch,
    ) -> None:
        self._node, self._settings, self._holding = node, settings, holding
        self._max_pixels = max_pixels
        newest = qos.answers()
        self._centroid = node.create_publisher(PointStamped, "~/centroid", newest)
        self._points = node.create_publisher(PointCloud2, "~/points", newest)
        self._markers: Publisher[Any] | None = None
        if MarkerArray is None:
            node.get_logger().warning(NO_MARKERS)
        else:
            self._markers = node.create_publisher(MarkerArray, "~/markers", newest)
        self.also_wanted: Callable[[], bool] = lambda: False
        self.placed: Callable[[list[Place]], None] = lambda places: None
        self._rest = node.create_publisher(PointCloud2, "~/points_without_actors", newest)
        self.poses = PoseOutput(node, settings, holding)
        self._inputs = DepthInputs(node, settings, watch, self._on_depth)
        self._changed = threading.Condition()
        self._pairing: Pairing[Report, DepthMessage] = self._new_pairing()
        self._nothing: Report | None = None
        # Without a sentence there is nobody to leave out, and no answer to wait for.
        self._nobody_is_asked_for = False
        self._plain_depth: DepthMessage | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._frame_id = ""
        self._shown = False
        self._hint = self._problem = ""
        self._published = Interval()

    # ------------------------------------------------------------ called by the node's executor
    def start(self) -> None:
        """Begin to work; after a stop, too."""
        self._pairing, self._nothing, self._stopping = self._new_pairing(), None, False
        self._nobody_is_asked_for, self._plain_depth = False, None
        self.poses.start()
        self._thread = threading.Thread(target=self._run, name="actseg_spatial", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and the subscriptions; what RViz shows is taken away."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)
            self._thread = None
            self._clear()
        self.poses.stop()
        self._inputs.end()

    def reconfigure(self, settings: SpatialConfig, max_pixels: int) -> None:
        """Go on with other limits; the depth images that are kept stay."""
        with self._changed:
            self._settings, self._max_pixels = settings, max_pixels
            self._pairing.set_limits(*self._pairing_limits())
        self.poses.reconfigure(settings)

    def follow_demand(self) -> None:
        """Subscribe to depth while somebody wants what is made of it, and only then."""
        if self._thread is not None:
            self._inputs.follow(self._is_wanted())

    def hint(self) -> str:
        """Why nothing comes of what somebody subscribes to; empty if all is well. Logged, too."""
        self._hint = ""
        if self._thread is not None and self._is_wanted():
            missing = self._inputs.missing() or self._unpaired()
            if missing:
                self._node.get_logger().warning(
                    f"no 3-D output: {missing}", throttle_duration_sec=HINT_EVERY_S
                )
            self._hint = missing or self._problem or self.poses.problem
        return f"no 3-D output: {self._hint}" if self._hint else ""

    def facts(self) -> dict[str, str]:
        """For /diagnostics."""
        with self._changed:
            return {
                "depth images kept": str(len(self._pairing)),
                "masks without depth": str(self._pairing.unmatched),
                "depth problem": self._hint or self._problem,
                "tf problem": self.poses.problem,
            }

    def _unpaired(self) -> str:
        """Why depth images and masks do not find each other."""
        with self._changed:
            pairing, settings = self._pairing, self._settings
            apart_ns, kept, came_late = pairing.apart_ns, len(pairing), pairing.came_late
            if pairing.failures < UNPAIRED or apart_ns is None:
                return ""
        if came_late and kept >= settings.depth_frames:
            return (
                f"a mask comes later than the depth image of its frame is kept: raise "
                f"spatial.depth_frames, now {settings.depth_frames}"
            )
        where = "after" if apart_ns > 0 else "before"
        apart_s = abs(apart_ns) / NANOSECONDS
        told = (
            f"depth images of {self._inputs.depth_topic} lie {apart_s:.3f} s {where} the "
            f"images nearest to them, spatial.tolerance_s allows {settings.tolerance_s:g} s"
        )
        if apart_s > OTHER_CLOCK_S:
            return f"{told}: their stamps are of different clocks"
        return f"{told}: synchronise the two, or raise it"

    def _on_depth(self, message: DepthMessage) -> None:
        """Only kept here; most of them are never looked at."""
        try:
            stamp_ns = stamp_to_ns(message.header.stamp.sec, message.header.stamp.nanosec)
        except StampRefused as error:
            self._note(f"a depth image is left out: {error}")
            return
        if len(message.data) > LARGEST_SAMPLE_BYTES * self._max_pixels:
            self._note("a depth image is left out: it is larger than stream.max_pixels")
            return
        with self._changed:
            self._pairing.add_depth(stamp_ns, message)
            if self._nobody_is_asked_for and self._has_reader(self._rest):
                self._plain_depth = message
            self._changed.notify()

    # ----------------------------------------------------------------------- called by the worker
    def offer(self, report: Report) -> None:
        """Take what was just published on `result`; returns at once."""
        self._nobody_is_asked_for = not report.queries
        if not self._is_wanted() and not self._shown:
            return
        with self._changed:
            if report.answers:
                newest_ns = max(answer.stamp_ns for answer in report.answers.values())
                self._pairing.add_answer(newest_ns, report)
            else:
                self._pairing.forget_answers()
                self._nothing = report
            self._changed.notify()

    # ---------------------------------------------------------------------------- its own thread
    def _run(self) -> None:
        is_waiting = False
        while True:
            with self._changed:
                if self._stopping:
                    return
                nothing, self._nothing = self._nothing, None
                plain, self._plain_depth = self._plain_depth, None
                pair = self._pairing.take()
                is_lost = self._shown and self._pairing.failures >= UNPAIRED
                if nothing is None and plain is None and pair is None and not is_lost:
                    self._changed.wait(TF_STEP_S if is_waiting else STEP_S)
            try:
                if nothing is not None:
                    self._publish_nothing(nothing)
                if plain is not None:
                    self._publish_rest(plain.header, decode_depth(plain, self._max_pixels), [])
                if pair is not None:
                    self._publish(*pair)
                elif is_lost:
                    self._clear()
                is_waiting = self.poses.step()
            except ActSegError as error:
                self._give_up(str(error))
            except Exception:
                self._give_up(traceback.format_exc(limit=-4))

    def _publish(self, report: Report, depth: DepthMessage) -> None:
        newest = max(report.answers.values(), key=lambda answer: answer.stamp_ns)
        header = Header(stamp=time_message(newest.stamp_ns), frame_id=newest.frame_id)
        depth_m = decode_depth(depth, self._max_pixels)
        places, actors, problem = self._places(report, newest, depth_m)
        outgoing = self._messages(header, places)
        with self._holding(report.revision) as in_force:
            if in_force:
                for publisher, message in outgoing:
                    publisher.publish(message)
                self.placed(places)
                self._frame_id, self._shown = newest.frame_id, bool(places)
                self._problem = "" if places else problem
                self._published.tick(time.monotonic())
        if self.poses.is_wanted():
            self.poses.add(newest.stamp_ns, newest.frame_id, report.revision, actors)
        found = [answer.mask for answer in report.answers.values() if answer.found]
        self._publish_rest(header, depth_m, found)

    def _publish_rest(
        self, header: Header, depth_m: NDArray[np.float32], masks: list[NDArray[np.uint8]]
    ) -> None:
        if self._has_reader(self._rest):
            settings, (height, width) = self._settings, (masks[0] if masks else depth_m).shape
            camera = self._camera(width, height)
            limits = settings.cloud_step, settings.actor_margin_px, settings.max_depth_m
            self._rest.publish(rest_message(header, depth_m, masks, camera, *limits))

    def _camera(self, width: int, height: int) -> Pinhole:
        if self._inputs.info is None:
            raise ActSegError("no camera_info has come; connect the camera's to ~/camera_info")
        return camera_of(self._inputs.info, width, height)

    def _places(
        self, report: Report, newest: MaskResult, depth_m: NDArray[np.float32]
    ) -> tuple[list[Place], list[ActorInSpace], str]:
        """Of sentences whose actor is found in the newest frame, and why one has no place."""
        height, width = newest.mask.shape
        camera, settings = self._camera(width, height), self._settings
        wants_actors = self.poses.is_wanted()

        def points_of(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
            return without_rim(back_project(depth_m, mask, camera, settings.max_depth_m))

        def measured(mask: NDArray[np.uint8]) -> Extent | None:
            points = points_of(mask)
            return measure(points) if len(points) >= settings.min_points else None

        places: list[Place] = []
        actors: list[ActorInSpace] = []
        problem = ""
        for query in report.queries:
            answer = report.answers.get(query.id)
            if answer is None or not answer.found or answer.stamp_ns != newest.stamp_ns:
                continue
            points, extent = points_of(answer.mask), None
            if len(points) >= settings.min_points:
                kept, extent = thin_out(points, settings.max_points), measure(points)
                places.append(
                    Place(query.sentence.text, query.number, answer.confidence, kept, extent)
                )
            else:
                problem = (
                    f"{query.id} is found, but only {len(points)} pixels of its mask have depth "
                    f"up to {settings.max_depth_m:g} m (spatial.max_depth_m), spatial.min_points "
                    f"wants {settings.min_points}"
                )
            if wants_actors:
                actors += actors_of(query, answer, extent, measured)
        return places, actors, problem

    def _messages(self, header: Header, places: list[Place]) -> list[tuple["Publisher[Any]", Any]]:
        outgoing: list[tuple[Publisher[Any], Any]] = []
        if places and self._has_reader(self._centroid):
            surest = max(places, key=lambda place: place.confidence)
            outgoing.append((self._centroid, centroid_message(header, surest)))
        if self._has_reader(self._points):
            outgoing.append((self._points, cloud_message(header, places)))
        if self._has_reader(self._markers):
            lifetime_s = max(
                self._settings.marker_lifetime_s, MARKER_INTERVALS * self._published.value_s
            )
            lifetime_ns = round(lifetime_s * NANOSECONDS)
            outgoing.append((self._markers, marker_message(header, places, lifetime_ns)))
        return outgoing

    def _publish_nothing(self, report: Report) -> None:
        with self._holding(report.revision) as in_force:
            if in_force:
                self._clear()

    def _give_up(self, problem: str) -> None:
        self._note(problem)
        self._clear()

    def _clear(self) -> None:
        """An empty cloud and no markers, once; the stamp is the node's clock, of no frame."""
        self.poses.forget()
        if self._shown:
            self._shown = False
            stamp = self._node.get_clock().now().to_msg()
            header = Header(stamp=stamp, frame_id=self._frame_id)
            for publisher, message in self._messages(header, []):
                publisher.publish(message)

    def _is_wanted(self) -> bool:
        topics = (self._centroid, self._points, self._markers, self._rest)
        asked = any(map(self._has_reader, topics)) or self.poses.is_wanted()
        return asked or self.also_wanted()

    @staticmethod
    def _has_reader(publisher: "Publisher[Any] | None") -> TypeGuard["Publisher[Any]"]:
        return publisher is not None and publisher.get_subscription_count() > 0

    def _note(self, problem: str) -> None:
        self._problem = problem
        self._node.get_logger().warning(
            f"no 3-D output: {problem}", throttle_duration_sec=LOG_EVERY_S
        )

    def _new_pairing(self) -> "Pairing[Report, DepthMessage]":
        return Pairing(*self._pairing_limits())

    def _pairing_limits(self) -> tuple[int, int]:
        return round(self._settings.tolerance_s * NANOSECONDS), self._settings.depth_frames
