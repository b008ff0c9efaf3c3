"""One camera of the node: its topics, its sentences, its window of frames, and its state."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from numpy.typing import NDArray
from rclpy.duration import Duration

from actseg_core.live.camera_task import CameraTask
from actseg_core.live.frame_checks import StampGate
from actseg_core.live.picture_checks import PictureChecks
from actseg_core.live.queries import QuerySet
from actseg_core.live.reports import (
    Engine,
    FanOut,
    Health,
    LoadedModel,
    Report,
    ReportPublisher,
)
from actseg_core.live.states import State
from actseg_ros.camera_node import CameraNode
from actseg_ros.commands import CommandInterface
from actseg_ros.convert import decode, has_16_bits
from actseg_ros.diagnostics import NewProblems, camera_status, sentence_facts
from actseg_ros.find.finder import Finder
from actseg_ros.images import ImageInput
from actseg_ros.label_output import threshold_of
from actseg_ros.publishers import TopicPublishers
from actseg_ros.qos import QosWatch
from actseg_ros.settings import NamedCameraConfig, NodeSettings, WebPageConfig
from actseg_ros.spatial.output import SpatialOutput
from actseg_ros.web_page import WebPage

REFUSALS_LOGGED_EVERY_S = 5.0


class Camera:
    """Owns what the node has once per camera; the executor's thread calls it.

    Args:
        node: The node as this camera sees it.
        own: This camera's parameters.
        settings: Those that hold for all.
        web: Where this camera's page is served, if it is.
        model: The model that is loaded now.

    Attributes:
        queries: The sentences.
        outputs: The topics that the worker publishes.
        images: The image subscription while the node is active.
        task: What the worker does for this camera, while the node is active.
        spatial: The 3-D outputs, if there are any.
        page: The page in a browser, if it is served.
        pictures: What is noticed about the pictures themselves.
        commands: The sentence topic and services while a model is loaded.
    """

    def __init__(
        self,
        node: CameraNode,
        own: NamedCameraConfig,
        settings: NodeSettings,
        web: WebPageConfig,
        model: Callable[[], LoadedModel | None],
    ) -> None:
        self._node, self._own, self._settings = node, own, settings
        stream = settings.stream
        self.queries = QuerySet(stream.max_queries, stream.max_sentence_chars)
        self.commands: CommandInterface | None = None
        self.images: ImageInput | None = None
        self.task: CameraTask | None = None
        self._watch = QosWatch(node)
        self.outputs = TopicPublishers(
            node, settings.node.status_deadline_s, settings.node.status_lease_s, self._watch
        )
        self.outputs.style, self.outputs.after = settings.overlay, self._on_report
        self.outputs.labels.scale = settings.label_mask.scale
        self.outputs.labels.threshold = lambda: threshold_of(model(), self._settings.stream)
        self._new_problems = NewProblems()
        self.pictures = PictureChecks(settings.node.frozen_frames, settings.node.bit_depth)
        self.spatial: SpatialOutput | None = None
        if own.spatial:
            self.spatial = SpatialOutput(
                node,
                settings.spatial.model_copy(update={"depth_compressed": own.depth_compressed}),
                stream.max_pixels,
                self.queries.holding,
                self._watch,
            )
        self._reports: ReportPublisher = self.outputs
        self.page: WebPage | None = None
        if web.enabled:
            self._serve(web)
        self._finder = Finder(
            node,
            self.queries,
            self._on_changed,
            lambda: self.outputs.latest,
            lambda: self._settings.stream.max_queries,
            lambda: self.task is not None,
            self.spatial.poses if self.spatial else None,
        )

    def _serve(self, web: WebPageConfig) -> None:
        self.page = page = WebPage(self._node, web, self.queries, self._on_changed)
        self._reports = FanOut(self.outputs, page.view)
        if self.spatial is not None:
            self.spatial.also_wanted = page.view.wants_image
            self.spatial.placed = page.placed
        page.look()

    # ------------------------------------------------------------------------------ lifecycle
    def configure(self, model: LoadedModel) -> None:
        """Accept sentences from here on."""
        self.queries.attach(model.read)
        self.commands = CommandInterface(
            self._node,
            self.queries,
            self._on_changed,
            self._on_refused,
            lambda: self.outputs.latest.state,
            self._watch,
        )
        if self._own.sentence:
            self.commands.command(self._own.sentence)

    def activate(self, engine: Engine, step_s: Callable[[], float]) -> CameraTask:
        """Subscribe to the images; what the worker has to do with them.

        Args:
            engine: Of this camera alone.
            step_s: Tells by how much the node's clock usually moves on at once [s].
        """
        settings, stream = self._settings.node, self._settings.stream
        engine.reconfigure(stream)
        engine.reset("")
        gate = StampGate(
            stream.max_age_s, settings.future_tolerance_s, settings.check_clock, step_s
        )
        self.pictures = PictureChecks(settings.frozen_frames, settings.bit_depth)
        self.task = CameraTask(
            engine,
            self.queries,
            self._reports,
            self._decode,
            stream,
            gate,
            self._now_ns,
            settings.check_clock,
            self._missing,
            f"no sentence; publish one on {self._node.resolve_topic_name('~/command')}",
        )
        chosen = settings.model_copy(update={"compressed": self._own.compressed})
        self.images = ImageInput(self._node, chosen, self.task.offer)
        if self.spatial is not None:
            self.spatial.start()
        return self.task

    def end_input(self) -> None:
        """Before the worker is stopped: no goal and no image comes any more."""
        self._finder.end("the node does not answer any more; activate it and ask again")
        if self.images is not None:
            self.images.destroy()
            self.images = None

    def end_output(self) -> None:
        """After the worker has stopped."""
        self.task = None
        if self.spatial is not None:
            self.spatial.stop()

    def release(self) -> None:
        """Drop the sentences and refuse new ones."""
        if self.commands is not None:
            self.commands.destroy()
            self.commands = None
            self.outputs.refused_command = ""
        self.queries.detach()

    def wait_for_last_word(self, timeout_s: float) -> None:
        """Until the last status has arrived, or so long [s]."""
        self.outputs.status_publisher.wait_for_all_acked(Duration(seconds=timeout_s))

    def close(self) -> None:
        """Take the action and the page away."""
        self._finder.destroy()
        if self.page is not None:
            self.page.close()

    # ------------------------------------------------------------------------ the node's timers
    def rest(self, health: Health) -> None:
        """The heartbeat while no worker runs; with one, it speaks for itself."""
        self._reports.health(health)

    def renew_labels(self) -> None:
        """Tell the numbers of the sentences while no worker does."""
        self.outputs.labels.renew(self.queries.snapshot()[1])

    def look(self, clock_problem: str) -> None:
        """Follow what others offer and want.

        Args:
            clock_problem: Why the node's clock may be why nothing comes; may be empty.
        """
        if self.commands is not None:
            self.commands.look_for_latched()
        if self.images is not None:
            self.images.follow_camera()
            if self.outputs.latest.state is State.STALE_INPUT:
                self.images.look_for(clock_problem)
        if self.spatial is not None:
            self.spatial.follow_demand()
        if self.page is not None:
            self.page.look()

    def diagnostics(
        self, clock_hint: Callable[[bool], str], twin: str, shared: Mapping[str, str]
    ) -> DiagnosticStatus:
        """What is to be said of this camera on /diagnostics.

        Args:
            clock_hint: What is wrong with the clock; told whether stamps are refused.
            twin: What is wrong if another node has the same name.
            shared: Facts about the model and the worker.
        """
        images, health = self.images, self.outputs.latest
        is_silent = health.state is State.STALE_INPUT
        clock_problem = clock_hint(health.state is State.BAD_TIME) if images else ""
        if images:
            images.look_for(clock_problem)
        hints = [
            images.hint(health.received) if images else "",
            clock_problem,
            self._watch.hint(),
            health.pace,
            self.pictures.hint() if self.task else "",
            self.spatial.hint() if self.spatial and not is_silent else "",
            twin,
            self._new_problems.hint(health),
        ]
        told = "; ".join(hint for hint in hints if hint and hint not in health.detail)
        if self.page is not None:
            self.page.view.hint = told
            told = "; ".join(filter(None, (told, self.page.hint())))
        return camera_status(
            self._node.get_fully_qualified_name(),
            images.topic_name if images else "",
            health,
            {**shared, **self._facts()},
            told,
        )

    def reconfigure(self, settings: NodeSettings, own: NamedCameraConfig) -> None:
        """Hand new settings to those who use them; each takes them over as a whole."""
        self._settings, self._own = settings, own
        stream = settings.stream
        self.outputs.style = settings.overlay
        self.outputs.labels.scale = settings.label_mask.scale
        self.pictures.reconfigure(settings.node.frozen_frames, settings.node.bit_depth)
        if self.spatial is not None:
            self.spatial.reconfigure(settings.spatial, stream.max_pixels)
        self.queries.set_limits(stream.max_queries, stream.max_sentence_chars)
        if self.task is not None:
            self.task.reconfigure(stream)

    def clock_jumped(self, begins_anew_by_ns: int) -> None:
        """The node's clock was set.

        Args:
            begins_anew_by_ns: By how much [ns], if what is left of lifetimes stays; 0: they go on.
        """
        if begins_anew_by_ns:
            self.queries.move_lifetimes(begins_anew_by_ns)
        if self.task is not None:
            self.task.clock_jumped()

    # ------------------------------------------------------------------------------ callbacks
    def _decode(self, message: Any) -> NDArray[np.uint8]:
        bit_depth = self._settings.node.bit_depth
        image = decode(message, self._settings.stream.max_pixels, bit_depth)
        self.pictures.look(image, has_16_bits(message))
        return image

    def _on_report(self, report: Report) -> None:
        """In the worker's thread: what else is made of what was just published."""
        if self.spatial is not None:
            self.spatial.offer(report)
        self._finder.offer(report)

    def _on_changed(self) -> None:
        task = self.task  # the page calls this from a thread of its own
        if task is not None:
            task.queries_changed()

    def _on_refused(self, reason: str) -> None:
        self.outputs.refused_command = reason
        if reason:
            self._node.get_logger().warning(
                f"command not taken as said: {reason}",
                throttle_duration_sec=REFUSALS_LOGGED_EVERY_S,
            )

    def _missing(self) -> str:
        """For the worker: why no image may come."""
        images = self.images
        return images.whereabouts if images else ""

    def _facts(self) -> dict[str, str]:
        _, queries = self.queries.snapshot()
        state = self.outputs.latest.state
        states = [(item, self.queries.state_of(item.id, state)) for item in queries]
        return {
            "image reliability": self.images.reliability if self.images else "",
            "same picture in a row": str(self.pictures.repeats),
            "last refused command": self.outputs.refused_command,
            **sentence_facts(states),
            **(self.spatial.facts() if self.spatial else {}),
            **(self.page.facts() if self.page else {}),
        }

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
