"""The lifecycle node: camera images and sentences in, masks out. Wiring only."""

import os
import time
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, JumpThreshold
from rclpy.clock_type import ClockType
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from actseg_core.config import StreamConfig
from actseg_core.errors import ActSegError
from actseg_ros.commands import CommandInterface
from actseg_ros.convert import CONVERTER_NAME, decode
from actseg_ros.diagnostics import diagnostics_message
from actseg_ros.image_input import ImageInput
from actseg_ros.parameters import declare, refuse_changes, refuse_unknown
from actseg_ros.queries import QuerySet
from actseg_ros.reports import Health, LoadedModel
from actseg_ros.runner import run
from actseg_ros.settings import SegmentationConfig, SpatialConfig
from actseg_ros.sink import TopicSink
from actseg_ros.spatial import SpatialOutput
from actseg_ros.stamps import StampGate
from actseg_ros.states import State
from actseg_ros.worker import HEARTBEAT_S, Worker

DIAGNOSTICS_S = 1.0
LOOK_S = 0.25
STOP_TIMEOUT_S = 10.0
LAST_WORD_TIMEOUT_S = 0.5
Loader = Callable[[SegmentationConfig, StreamConfig], LoadedModel]
Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def told(transition: Transition) -> Transition:
    """Log what a transition raises: rclpy turns it into ERROR without a word."""

    @wraps(transition)
    def guarded(self: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(self, state)
        except ActSegError as error:
            self.explain(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            self.explain(f"{type(error).__name__}: {error}")
            self.get_logger().error(traceback.format_exc())
            return TransitionCallbackReturn.ERROR

    return guarded


def load_when_configured(config: SegmentationConfig, stream: StreamConfig) -> LoadedModel:
    """actseg_ros.model.load_model; torch is imported here, not before the first status."""
    from actseg_ros.model import load_model

    return load_model(config, stream)


class SegmentationNode(LifecycleNode):
    """Topics, services and parameters are described in docs/node.md.

    Args:
        load: Loads the model; tests give their own.
        options: Passed to rclpy's Node.

    Raises:
        ConfigError: If a parameter is unknown or its value is wrong.
    """

    def __init__(self, load: Loader = load_when_configured, **options: Any) -> None:
        super().__init__("actseg", **options)
        self.settings = declare(self, SegmentationConfig)
        self.stream = declare(self, StreamConfig, "stream")
        spatial = declare(self, SpatialConfig, "spatial")
        refuse_unknown(self)
        self.add_on_set_parameters_callback(refuse_changes)
        self.finished = False
        self.failed = ""
        self._load = load
        self._queries = QuerySet(self.stream.max_queries, self.stream.max_sentence_chars)
        self._model: LoadedModel | None = None
        self._commands: CommandInterface | None = None
        self._worker: Worker | None = None
        self._images: ImageInput | None = None
        self._resting = Health(State.UNCONFIGURED)
        settings = self.settings
        self._sink = TopicSink(self, settings.status_deadline_s, settings.status_lease_s)
        self._spatial: SpatialOutput | None = None
        if spatial.enabled:
            self._spatial = SpatialOutput(
                self, spatial, self.stream.max_pixels, self._queries.holding
            )
            self._sink.after = self._spatial.offer
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady clocks: with simulated time a stopped /clock would stop what watches over it.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(HEARTBEAT_S, self._on_beat, clock=steady)
        self.create_timer(DIAGNOSTICS_S, self._on_diagnostics, clock=steady)
        self.create_timer(LOOK_S, self._on_look, clock=steady)
        self._jump_handle = self.get_clock().create_jump_callback(
            JumpThreshold(
                min_forward=Duration(seconds=self.stream.max_gap_s),
                min_backward=Duration(nanoseconds=-1),
                on_clock_change=True,
            ),
            post_callback=self._on_jump,
        )

    # ------------------------------------------------------------------------------ lifecycle
    @told
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and warm it up; sentences are accepted from here on."""
        self._model = self._load(self.settings, self.stream)
        self._queries.attach(self._model.read)
        self._commands = CommandInterface(self, self._queries, self._on_changed, self._waiting_for)
        if self.settings.sentence:
            self._commands.command(self.settings.sentence)
        self._resting = Health(State.INACTIVE)
        self.get_logger().info(
            f"model {self._model.name} loaded on {self.settings.device}, run by "
            f"{self._model.runtime}"
        )
        return TransitionCallbackReturn.SUCCESS

    @told
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the camera and start the worker."""
        assert self._model is not None
        self._model.engine.reset("")
        settings = self.settings
        gate = StampGate(self.stream.max_age_s, settings.future_tolerance_s, settings.check_clock)
        max_pixels = self.stream.max_pixels
        self._worker = Worker(
            self._model.engine,
            self._queries,
            self._sink,
            lambda message: decode(message, max_pixels),
            self.stream,
            gate,
            lambda: int(self.get_clock().now().nanoseconds),
            settings.check_clock,
        )
        self._worker.start()
        if self._spatial is not None:
            self._spatial.start()
        self._images = ImageInput(self, settings, self._worker.offer)
        return TransitionCallbackReturn.SUCCESS

    @told
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop; sentences stay, and are answered again after the next activation."""
        self._stop()
        self._rest(Health(State.INACTIVE))
        return TransitionCallbackReturn.SUCCESS

    @told
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the model and the sentences."""
        self._release()
        self._rest(Health(State.UNCONFIGURED))
        return TransitionCallbackReturn.SUCCESS

    @told
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good; the process ends."""
        self._release()
        self._rest(Health(State.SHUTDOWN))
        self.finished = True
        return TransitionCallbackReturn.SUCCESS

    @told
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Back to unconfigured, from where configure may be tried again."""
        self._release()
        self._rest(Health(State.UNCONFIGURED, detail=self._resting.detail))
        return TransitionCallbackReturn.SUCCESS

    def explain(self, reason: str) -> None:
        """Log why a transition failed, and keep it in status and diagnostics."""
        self.get_logger().error(reason)
        self._resting = Health(self._resting.state, detail=reason)
        self._sink.latest = self._resting

    # --------------------------------------------------------------- for the process around it
    def start(self) -> str:
        """Configure and activate as far as `autostart` says; why it failed, or nothing."""
        if not self.settings.autostart:
            return ""
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != TransitionCallbackReturn.SUCCESS:
                return self._resting.detail or "the node could not be started"
        return ""

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
        self._sink.status_publisher.wait_for_all_acked(Duration(seconds=LAST_WORD_TIMEOUT_S))

    # ------------------------------------------------------------------------------ callbacks
    def _on_changed(self) -> None:
        if self._worker is not None:
            self._worker.queries_changed()

    def _on_jump(self, _jump: Any) -> None:
        if self._worker is not None:
            self._worker.clock_jumped()

    def _on_beat(self) -> None:
        """The heartbeat while no worker runs; with one, it speaks for itself."""
        if self._worker is None:
            self._sink.health(self._resting)

    def _on_look(self) -> None:
        if self._commands is not None:
            self._commands.look_for_latched()
        if self._images is not None:
            self._images.follow_camera()
        if self._spatial is not None:
            self._spatial.follow_demand()

    def _on_diagnostics(self) -> None:
        images = self._images
        message = diagnostics_message(
            self.get_fully_qualified_name(),
            images.topic_name if images else "",
            self._sink.latest,
            self._facts(),
            images.hint(self._sink.latest.received) if images else "",
            int(self.get_clock().now().nanoseconds),
        )
        self._diagnostics.publish(message)

    # -------------------------------------------------------------------------------- helpers
    def _stop(self) -> None:
        if self._images is not None:
            self._images.destroy()
            self._images = None
        if self._worker is not None:
            if not self._worker.stop(STOP_TIMEOUT_S):
                self.get_logger().error(f"the worker did not stop within {STOP_TIMEOUT_S:g} s")
            self._worker = None
        if self._spatial is not None:
            self._spatial.stop()

    def _release(self) -> None:
        self._stop()
        if self._commands is not None:
            self._commands.destroy()
            self._commands = None
        self._queries.detach()
        self._model = None

    def _rest(self, health: Health) -> None:
        """Say at once what the state is now, without waiting for the next heartbeat."""
        self._resting = health
        self._sink.health(health)

    def _waiting_for(self) -> State:
        return self._sink.latest.state

    def _facts(self) -> dict[str, str]:
        return {
            "model": self._model.name if self._model else "",
            "device": self.settings.device,
            "image converter": CONVERTER_NAME,
            "image reliability": self._images.reliability if self._images else "",
            "last refused command": self._commands.last_refusal if self._commands else "",
            "worker last seen [s]": f"{self.stuck_s():.1f}",
            **(self._spatial.facts() if self._spatial else {}),
        }


def main(args: list[str] | None = None) -> int:
    """Entry point of `segmentation_node`; 0 after a signal, 2 if it could not start."""
    # Read when torch is imported. By default OpenMP's threads wait for each other in busy loops;
    # with another program on the same cores one answer then took 50 times as long (docs/node.md).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return run(SegmentationNode, args)


if __name__ == "__main__":
    raise SystemExit(main())
