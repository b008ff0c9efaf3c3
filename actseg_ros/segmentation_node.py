"""The lifecycle node: camera images and sentences in, masks out. Wiring only."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from rclpy.clock import Clock, TimeJump
from rclpy.clock_type import ClockType
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from actseg_core.config import Config, OverlayConfig, StreamConfig
from actseg_core.live.frame_checks import StampGate
from actseg_core.live.picture_checks import PictureChecks
from actseg_core.live.queries import QuerySet
from actseg_core.live.reports import FanOut, Health, LoadedModel, Report, ReportPublisher
from actseg_core.live.states import State
from actseg_core.live.worker import HEARTBEAT_S, Worker
from actseg_ros import graph
from actseg_ros.clock import ClockWatch
from actseg_ros.commands import CommandInterface
from actseg_ros.convert import CONVERTER_NAME, decode, has_16_bits
from actseg_ros.diagnostics import NewProblems, diagnostics_message, sentence_facts
from actseg_ros.find.finder import Finder
from actseg_ros.images import ImageInput
from actseg_ros.label_output import threshold_of
from actseg_ros.lifecycle import ManagedNode, report_failures
from actseg_ros.parameters import ParameterChanges, declare, refuse_changes, refuse_unknown
from actseg_ros.process import Interrupted, interruptible, release_memory, run, trim
from actseg_ros.publishers import TopicPublishers
from actseg_ros.qos import QosWatch
from actseg_ros.settings import SegmentationConfig, SpatialConfig, WebPageConfig, change_of
from actseg_ros.spatial.output import SpatialOutput
from actseg_ros.web_page import WebPage

DIAGNOSTICS_S = 1.0
REFUSALS_LOGGED_EVERY_S = 5.0
LOOK_S = 0.25
TRIM_S = 60.0
STOP_TIMEOUT_S = 10.0
LAST_WORD_TIMEOUT_S = 0.5
SWITCH_INTERVAL_S = 0.0005
Loader = Callable[[SegmentationConfig, StreamConfig], LoadedModel]


def load_when_configured(config: SegmentationConfig, stream: StreamConfig) -> LoadedModel:
    """actseg_ros.model.load_model; torch is imported here, not before the first status."""
    from actseg_ros.model import load_model

    return load_model(config, stream)


class SegmentationNode(ManagedNode):
    """Topics, services and parameters are described in docs/node.md.

    Args:
        load: Loads the model; tests give their own.
        options: Passed to rclpy's Node.

    Raises:
        ConfigError: If a parameter is unknown or its value is wrong.
    """

    def __init__(self, load: Loader = load_when_configured, **options: Any) -> None:
        super().__init__("actseg", **options)
        self.settings = declare(self, SegmentationConfig, "", change_of)
        self.stream = declare(self, StreamConfig, "stream", change_of)
        spatial = declare(self, SpatialConfig, "spatial", change_of)
        style = declare(self, OverlayConfig, "overlay", change_of)
        web = declare(self, WebPageConfig, "web", change_of)
        refuse_unknown(self)
        self.add_on_set_parameters_callback(refuse_changes)
        self._changes = ParameterChanges(
            self,
            {
                **{"": self.settings, "stream": self.stream, "overlay": style},
                **{"spatial": spatial, "web": web},
            },
            change_of,
            lambda: self._model is not None,
            self._on_parameters,
        )
        self._load = load
        self._queries = QuerySet(self.stream.max_queries, self.stream.max_sentence_chars)
        self._model: LoadedModel | None = None
        self._commands: CommandInterface | None = None
        self._worker: Worker | None = None
        self._images: ImageInput | None = None
        self._watch = QosWatch(self)
        self._outputs = TopicPublishers(
            self, self.settings.status_deadline_s, self.settings.status_lease_s, self._watch
        )
        self._outputs.style, self._outputs.after = style, self._on_report
        self._outputs.labels.threshold = lambda: threshold_of(self._model, self.stream)
        self._new_problems = NewProblems()
        self._pictures = PictureChecks(self.settings.frozen_frames, self.settings.bit_depth)
        self._spatial: SpatialOutput | None = None
        if spatial.enabled:
            self._spatial = SpatialOutput(
                self, spatial, self.stream.max_pixels, self._queries.holding, self._watch
            )
        self._reports: ReportPublisher = self._outputs
        self._page: WebPage | None = None
        if web.enabled:
            self._page = WebPage(self, web, self._queries, self._on_changed)
            self._reports = FanOut(self._outputs, self._page.view)
            if self._spatial is not None:
                self._spatial.also_wanted = self._page.view.wants_image
                self._spatial.placed = self._page.placed
            self._page.look()
        self._finder = Finder(
            self,
            self._queries,
            self._on_changed,
            lambda: self._outputs.latest,
            lambda: self.stream.max_queries,
            lambda: self._worker is not None,
            self._spatial.poses if self._spatial else None,
        )
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady clocks: with simulated time a stopped /clock would stop what watches over it.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(HEARTBEAT_S, self._on_beat, clock=steady)
        self.create_timer(DIAGNOSTICS_S, self._on_diagnostics, clock=steady)
        self.create_timer(LOOK_S, self._on_look, clock=steady)
        self.create_timer(TRIM_S, trim, clock=steady)
        self._clock_watch = ClockWatch(self, self.stream.max_gap_s, self._on_jump)

    # ------------------------------------------------------------------------------ lifecycle
    @report_failures
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and warm it up; sentences are accepted from here on."""
        name = self.settings.checkpoint or self.settings.preset
        self._rest(Health(State.UNCONFIGURED, detail="loading the model"))
        self.get_logger().info(f"loading the model {name} on {self.settings.device}")
        self._resting = Health(State.UNCONFIGURED)
        try:
            with interruptible():
                self._model = self._load(self.settings, self.stream)
        except Interrupted:
            self._resting = Health(State.UNCONFIGURED, detail="loading was broken off by a signal")
            self.get_logger().info(self._resting.detail)
            return TransitionCallbackReturn.FAILURE
        release_memory()  # what loading took: 150 MB with the shipped weights
        self._queries.attach(self._model.read)
        self._commands = CommandInterface(
            self, self._queries, self._on_changed, self._on_refused, self._waiting_for, self._watch
        )
        if self.settings.sentence:
            self._commands.command(self.settings.sentence)
        self._rest(Health(State.INACTIVE))
        self.get_logger().info(
            f"model {self._model.name} loaded on {self.settings.device}, run by "
            f"{self._model.runtime}"
        )
        return TransitionCallbackReturn.SUCCESS

    @report_failures
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the camera and start the worker."""
        assert self._model is not None
        settings = self.settings
        self._model.engine.reconfigure(self.stream)
        self._model.engine.reset("")
        gate = StampGate(
            self.stream.max_age_s,
            settings.future_tolerance_s,
            settings.check_clock,
            lambda: self._clock_watch.step_s,
        )
        self._pictures = PictureChecks(settings.frozen_frames, settings.bit_depth)
        self._worker = Worker(
            self._model.engine,
            self._queries,
            self._reports,
            self._decode,
            self.stream,
            gate,
            lambda: int(self.get_clock().now().nanoseconds),
            settings.check_clock,
            self._missing,
            f"no sentence; publish one on {self.resolve_topic_name('~/command')}",
        )
        self._images = ImageInput(self, settings, self._worker.offer)
        self._worker.start()
        if self._spatial is not None:
            self._spatial.start()
        return TransitionCallbackReturn.SUCCESS

    @report_failures
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop; sentences stay, and are answered again after the next activation.

        A worker that does not stop still holds the engine: then the model is given up, and the
        node is unconfigured.
        """
        if not self._stop():
            raise RuntimeError(f"the worker did not stop within {STOP_TIMEOUT_S:g} s")
        self._rest(Health(State.INACTIVE))
        return TransitionCallbackReturn.SUCCESS

    # --------------------------------------------------------------- for the process around it
    def start(self) -> str:
        """Configure and activate as far as `autostart` says; why it failed, or nothing."""
        return self.configure_and_activate() if self.settings.autostart else ""

    def stuck_s(self) -> float:
        """How long the worker has made no progress [s]; 0 while there is none."""
        return time.monotonic() - self._worker.progress_s if self._worker else 0.0

    @property
    def hang_s(self) -> float:
        """How long the worker may be stuck [s]."""
        return self.settings.hang_s

    def close(self) -> None:
        """Stop, and say SHUTDOWN as the last word while the context still works."""
        self._release()
        self._rest(Health(State.SHUTDOWN))
        self._outputs.status_publisher.wait_for_all_acked(Duration(seconds=LAST_WORD_TIMEOUT_S))
        self._finder.destroy()
        if self._page is not None:
            self._page.close()

    # ------------------------------------------------------------------------------ callbacks
    def _decode(self, message: Any) -> NDArray[np.uint8]:
        image = decode(message, self.stream.max_pixels, self.settings.bit_depth)
        self._pictures.look(image, has_16_bits(message))
        return image

    def _on_report(self, report: Report) -> None:
        """In the worker's thread: what else is made of what was just published."""
        if self._spatial is not None:
            self._spatial.offer(report)
        self._finder.offer(report)

    def _on_changed(self) -> None:
        worker = self._worker  # the page calls this from a thread of its own
        if worker is not None:
            worker.queries_changed()

    def _on_refused(self, reason: str) -> None:
        self._outputs.refused_command = reason
        if reason:
            self.get_logger().warning(
                f"command not taken as said: {reason}",
                throttle_duration_sec=REFUSALS_LOGGED_EVERY_S,
            )

    def _on_parameters(self, groups: Mapping[str, Config]) -> None:
        """Hand new settings to those who use them; each takes them over as a whole."""
        settings, stream, style, spatial = map(groups.get, ("", "stream", "overlay", "spatial"))
        assert isinstance(settings, SegmentationConfig) and isinstance(stream, StreamConfig)
        assert isinstance(style, OverlayConfig) and isinstance(spatial, SpatialConfig)
        self.settings, self.stream, self._outputs.style = settings, stream, style
        self._pictures.reconfigure(settings.frozen_frames, settings.bit_depth)
        self._clock_watch.jump_s = stream.max_gap_s
        if self._spatial is not None:
            self._spatial.reconfigure(spatial, stream.max_pixels)
        self._queries.set_limits(stream.max_queries, stream.max_sentence_chars)
        if self._worker is not None:
            self._worker.reconfigure(stream)

    def _on_jump(self, jump: TimeJump) -> None:
        by_ns, now_ns = jump.delta.nanoseconds, self.get_clock().now().nanoseconds
        if by_ns < 0 or by_ns == now_ns:  # it starts over, or this is the first /clock
            self._queries.move_lifetimes(by_ns)
        if self._worker is not None:
            self._worker.clock_jumped()

    def _on_beat(self) -> None:
        """The heartbeat while no worker runs; with one, it speaks for itself."""
        if self._worker is None:
            self._reports.health(self._resting)
            self._outputs.labels.renew(self._queries.snapshot()[1])

    def _on_look(self) -> None:
        if self._commands is not None:
            self._commands.look_for_latched()
        if self._images is not None:
            self._images.follow_camera()
            if self._outputs.latest.state is State.STALE_INPUT:
                self._images.look_for(self._clock_watch.hint(False))
        if self._spatial is not None:
            self._spatial.follow_demand()
        if self._page is not None:
            self._page.look()

    def _on_diagnostics(self) -> None:
        images, health = self._images, self._outputs.latest
        is_silent = health.state is State.STALE_INPUT
        clock_problem = self._clock_watch.hint(health.state is State.BAD_TIME) if images else ""
        if images:
            images.look_for(clock_problem)
        hints = [
            images.hint(health.received) if images else "",
            clock_problem,
            self._watch.hint(),
            health.pace,
            self._pictures.hint() if self._worker else "",
            self._spatial.hint() if self._spatial and not is_silent else "",
            graph.twin(self),
            self._new_problems.hint(health),
        ]
        told = "; ".join(hint for hint in hints if hint and hint not in health.detail)
        if self._page is not None:
            self._page.view.hint = told
            told = "; ".join(filter(None, (told, self._page.hint())))
        message = diagnostics_message(
            self.get_fully_qualified_name(),
            images.topic_name if images else "",
            health,
            self._facts(),
            told,
            int(self.get_clock().now().nanoseconds),
        )
        self._diagnostics.publish(message)

    # -------------------------------------------------------------------------------- helpers
    def _stop(self) -> bool:
        """Whether the worker, if there was one, has ended."""
        stopped = True
        self._finder.end("the node does not answer any more; activate it and ask again")
        if self._images is not None:
            self._images.destroy()
            self._images = None
        if self._worker is not None:
            stopped = self._worker.stop(STOP_TIMEOUT_S)
            self._worker = None
            if not stopped:
                self.get_logger().error(f"the worker did not stop within {STOP_TIMEOUT_S:g} s")
        if self._spatial is not None:
            self._spatial.stop()
        if not stopped:
            self._model = None  # the worker has it, and may go on to use it
        return stopped

    def _release(self) -> None:
        self._stop()
        model, self._model = self._model, None
        if model is not None:
            model.engine.close()
        if self._commands is not None:
            self._commands.destroy()
            self._commands = None
            self._outputs.refused_command = ""
        self._queries.detach()
        del model
        release_memory()

    def _publish_health(self, health: Health) -> None:
        self._reports.health(health)

    def _show(self, health: Health) -> None:
        self._outputs.latest = health

    def _missing(self) -> str:
        """For the worker: why no image may come."""
        images = self._images
        return images.whereabouts if images else ""

    def _waiting_for(self) -> State:
        return self._outputs.latest.state

    def _facts(self) -> dict[str, str]:
        _, queries = self._queries.snapshot()
        states = [(item, self._queries.state_of(item.id, self._waiting_for())) for item in queries]
        return {
            "model": self._model.name if self._model else "",
            "runtime": self._model.runtime if self._model else "",
            "device": self.settings.device,
            "image converter": CONVERTER_NAME,
            "image reliability": self._images.reliability if self._images else "",
            "same picture in a row": str(self._pictures.repeats),
            "last refused command": self._outputs.refused_command,
            "worker last seen [s]": f"{self.stuck_s():.1f}",
            **sentence_facts(states),
            **(self._spatial.facts() if self._spatial else {}),
            **(self._page.facts() if self._page else {}),
        }


def main(args: list[str] | None = None) -> int:
    """Entry point of `segmentation_node`; 0 after a signal, 2 if it could not start."""
    # Read when torch is imported. By default OpenMP's threads wait for each other in busy loops;
    # with another program on the same cores one answer then took 50 times as long (docs/node.md).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # After each call of OpenCV or the network the worker asks for the interpreter, and waits up to
    # this long while big images are being received; Python's own 5 ms add up to a late status.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return run(SegmentationNode, args)


if __name__ == "__main__":
    raise SystemExit(main())
