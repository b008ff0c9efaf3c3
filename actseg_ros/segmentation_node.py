"""The lifecycle node: camera images and sentences in, masks out. Wiring only.

It owns what all cameras share: the weights, the parameters, the worker. Each Camera has the rest.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, TimeJump
from rclpy.clock_type import ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from actseg_core.config import Config, OverlayConfig, StreamConfig
from actseg_core.live.camera_task import HEARTBEAT_S
from actseg_core.live.reports import Health, LoadedModel
from actseg_core.live.states import State
from actseg_core.live.worker import Worker
from actseg_ros import graph
from actseg_ros.camera import Camera
from actseg_ros.camera_node import CameraNode, check_cameras
from actseg_ros.clock import ClockWatch
from actseg_ros.convert import CONVERTER_NAME
from actseg_ros.diagnostics import diagnostics_message
from actseg_ros.lifecycle import ManagedNode, report_failures
from actseg_ros.parameters import ParameterChanges, declare, refuse_changes, refuse_unknown
from actseg_ros.process import Interrupted, interruptible, release_memory, run, trim
from actseg_ros.settings import (
    LabelMaskConfig,
    NamedCameraConfig,
    NodeSettings,
    SegmentationConfig,
    SpatialConfig,
    WebPageConfig,
    change_of,
)

DIAGNOSTICS_S = 1.0
LOOK_S = 0.25
TRIM_S = 60.0
STOP_TIMEOUT_S = 10.0
LAST_WORD_TIMEOUT_S = 0.5
SWITCH_INTERVAL_S = 0.0005
Loader = Callable[[SegmentationConfig, StreamConfig], LoadedModel]


def load_when_configured(config: SegmentationConfig, stream: StreamConfig) -> LoadedModel:
    """actseg_ros.model.load_model; what it imports takes time, so not before the first status."""
    from actseg_ros.model import load_model

    return load_model(config, stream)


class SegmentationNode(ManagedNode):
    """Topics, services and parameters are described in docs/node.md.

    Args:
        load: Loads the model; tests give their own.
        options: Passed to rclpy's Node.

    Attributes:
        settings: Parameters that hold for all cameras.
        cameras: By their names; that of a single one is empty.

    Raises:
        ConfigError: If a parameter is unknown or its value is wrong.
    """

    def __init__(self, load: Loader = load_when_configured, **options: Any) -> None:
        super().__init__("actseg", **options)
        groups: dict[str, Config] = {
            "": declare(self, SegmentationConfig, "", change_of),
            "stream": declare(self, StreamConfig, "stream", change_of),
            "spatial": declare(self, SpatialConfig, "spatial", change_of),
            "overlay": declare(self, OverlayConfig, "overlay", change_of),
            "label_mask": declare(self, LabelMaskConfig, "label_mask", change_of),
            "web": declare(self, WebPageConfig, "web", change_of),
        }
        self.settings = NodeSettings.of(groups)
        names = self.settings.node.cameras
        check_cameras(names)
        inherited = self.settings.only_camera.model_dump()
        for name in filter(None, names):
            groups[name] = declare(self, NamedCameraConfig, name, change_of, inherited)
        refuse_unknown(self)
        self.add_on_set_parameters_callback(refuse_changes)
        self._changes = ParameterChanges(
            self, groups, change_of, lambda: self._model is not None, self._on_parameters
        )
        self._load = load
        self._model: LoadedModel | None = None
        self._worker: Worker | None = None
        pages = self.settings.web.one_port_each(len(names))
        self.cameras = {
            name: self._camera(name, groups, page) for name, page in zip(names, pages, strict=True)
        }
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady clocks: with simulated time a stopped /clock would stop what watches over it.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(HEARTBEAT_S, self._on_beat, clock=steady)
        self.create_timer(DIAGNOSTICS_S, self._on_diagnostics, clock=steady)
        self.create_timer(LOOK_S, self._on_look, clock=steady)
        self.create_timer(TRIM_S, trim, clock=steady)
        self._clock_watch = ClockWatch(self, self.settings.stream.max_gap_s, self._on_jump)

    def _camera(self, name: str, groups: Mapping[str, Config], page: WebPageConfig) -> Camera:
        own = self._own(name, groups)
        node = CameraNode(self, name, own.inputs, self.settings.node.cameras)
        return Camera(node, own, self.settings, page, lambda: self._model)

    def _own(self, name: str, groups: Mapping[str, Config]) -> NamedCameraConfig:
        """The parameters of one camera."""
        own = groups[name] if name else self.settings.only_camera
        assert isinstance(own, NamedCameraConfig)
        return own

    # ------------------------------------------------------------------------------ lifecycle
    @report_failures
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and warm it up; sentences are accepted from here on."""
        settings = self.settings.node
        name = settings.checkpoint or settings.preset
        self._rest(Health(State.UNCONFIGURED, detail="loading the model"))
        self.get_logger().info(f"loading the model {name} on {settings.device}")
        self._resting = Health(State.UNCONFIGURED)
        try:
            with interruptible():
                self._model = self._load(settings, self.settings.stream)
        except Interrupted:
            self._resting = Health(State.UNCONFIGURED, detail="loading was broken off by a signal")
            self.get_logger().info(self._resting.detail)
            return TransitionCallbackReturn.FAILURE
        release_memory()  # what loading took: 150 MB with the shipped weights
        for camera in self.cameras.values():
            camera.configure(self._model)
        self._rest(Health(State.INACTIVE))
        self.get_logger().info(
            f"model {self._model.name} loaded on {settings.device}, run by {self._model.runtime}"
        )
        return TransitionCallbackReturn.SUCCESS

    @report_failures
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the cameras and start the worker."""
        assert self._model is not None
        self._worker = Worker(
            [
                camera.activate(engine, lambda: self._clock_watch.step_s)
                for camera, engine in zip(self.cameras.values(), self._model.engines, strict=True)
            ]
        )
        self._worker.start()
        return TransitionCallbackReturn.SUCCESS

    @report_failures
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop; sentences stay, and are answered again after the next activation.

        A worker that does not stop still holds the engines: then the model is given up, and the
        node is unconfigured.
        """
        if not self._stop():
            raise RuntimeError(f"the worker did not stop within {STOP_TIMEOUT_S:g} s")
        self._rest(Health(State.INACTIVE))
        return TransitionCallbackReturn.SUCCESS

    # --------------------------------------------------------------- for the process around it
    def start(self) -> str:
        """Configure and activate as far as `autostart` says; why it failed, or nothing."""
        return self.configure_and_activate() if self.settings.node.autostart else ""

    def stuck_s(self) -> float:
        """How long the worker has made no progress [s]; 0 while there is none."""
        return time.monotonic() - self._worker.progress_s if self._worker else 0.0

    @property
    def hang_s(self) -> float:
        """How long the worker may be stuck [s]."""
        return self.settings.node.hang_s

    def close(self) -> None:
        """Stop, and say SHUTDOWN as the last word while the context still works."""
        self._release()
        self._rest(Health(State.SHUTDOWN))
        end_s = time.monotonic() + LAST_WORD_TIMEOUT_S
        for camera in self.cameras.values():
            camera.wait_for_last_word(max(0.0, end_s - time.monotonic()))
        for camera in self.cameras.values():
            camera.close()

    # ------------------------------------------------------------------------------ callbacks
    def _on_parameters(self, groups: Mapping[str, Config]) -> None:
        self.settings = NodeSettings.of(groups)
        self._clock_watch.jump_s = self.settings.stream.max_gap_s
        for name, camera in self.cameras.items():
            camera.reconfigure(self.settings, self._own(name, groups))

    def _on_jump(self, jump: TimeJump) -> None:
        by_ns, now_ns = jump.delta.nanoseconds, self.get_clock().now().nanoseconds
        begins_anew = by_ns < 0 or by_ns == now_ns  # it starts over, or this is the first /clock
        for camera in self.cameras.values():
            camera.clock_jumped(by_ns if begins_anew else 0)

    def _on_beat(self) -> None:
        """The heartbeat while no worker runs; with one, it speaks for itself."""
        if self._worker is None:
            self._publish_health(self._resting)
            for camera in self.cameras.values():
                camera.renew_labels()

    def _on_look(self) -> None:
        clock_problem = self._clock_watch.hint(False) if self._worker else ""
        for camera in self.cameras.values():
            camera.look(clock_problem)

    def _on_diagnostics(self) -> None:
        model, twin = self._model, graph.twin(self)
        shared = {
            "model": model.name if model else "",
            "runtime": model.runtime if model else "",
            "device": self.settings.node.device,
            "image converter": CONVERTER_NAME,
            "worker last seen [s]": f"{self.stuck_s():.1f}",
        }
        statuses = [
            camera.diagnostics(self._clock_watch.hint, twin, shared)
            for camera in self.cameras.values()
        ]
        now_ns = int(self.get_clock().now().nanoseconds)
        self._diagnostics.publish(diagnostics_message(statuses, now_ns))

    # -------------------------------------------------------------------------------- helpers
    def _stop(self) -> bool:
        """Whether the worker, if there was one, has ended."""
        stopped = True
        for camera in self.cameras.values():
            camera.end_input()
        if self._worker is not None:
            stopped = self._worker.stop(STOP_TIMEOUT_S)
            self._worker = None
            if not stopped:
                self.get_logger().error(f"the worker did not stop within {STOP_TIMEOUT_S:g} s")
        for camera in self.cameras.values():
            camera.end_output()
        if not stopped:
            self._model = None  # the worker has it, and may go on to use it
        return stopped

    def _release(self) -> None:
        self._stop()
        model, self._model = self._model, None
        for engine in model.engines if model else ():
            engine.close()
        for camera in self.cameras.values():
            camera.release()
        del model
        release_memory()

    def _publish_health(self, health: Health) -> None:
        for camera in self.cameras.values():
            camera.rest(health)

    def _show(self, health: Health) -> None:
        for camera in self.cameras.values():
            camera.outputs.latest = health


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
