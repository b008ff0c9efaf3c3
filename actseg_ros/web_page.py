"""The page in a browser of one node: a second place for its reports, and for sentences."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from actseg_core.errors import WebError
from actseg_core.live.queries import QuerySet
from actseg_core.web.commands import Commands
from actseg_core.web.server import WebServer
from actseg_core.web.view import View
from actseg_ros.camera_node import CameraNode
from actseg_ros.settings import WebPageConfig
from actseg_ros.spatial.messages import Place

TRY_AGAIN_S = 5.0
LOG_EVERY_S = 5.0


class WebPage:
    """Serves the page as long as the node lives; whatever becomes of it, the node goes on.

    Args:
        node: Whose clock and log are used.
        settings: Where to listen, and limits.
        queries: The node's sentences.
        changed: Called after each change of them.

    Attributes:
        view: Takes the worker's reports and the heartbeats.
    """

    def __init__(
        self,
        node: CameraNode,
        settings: WebPageConfig,
        queries: QuerySet,
        changed: Callable[[], None],
    ) -> None:
        self._node, self._settings = node, settings
        self.view = View(queries, node.get_fully_qualified_name())
        self._commands = Commands(queries, self._now_ns, changed, self._say)
        self._server: WebServer | None = None
        self._problem = ""
        self._try_at_s = 0.0

    def look(self) -> None:
        """Start the server, or start it again if it could not be or has gone; returns at once."""
        if self._server is not None and self._server.is_running:
            return
        if time.monotonic() < self._try_at_s:
            return
        self._try_at_s = time.monotonic() + TRY_AGAIN_S
        server = WebServer(self._settings, self.view, self._commands, self._warn)
        if self._server is not None:
            server.token = self._server.token
        try:
            server.start()
        except WebError as error:
            if str(error) != self._problem:
                self._node.get_logger().error(f"{error}; it is tried again")
            self._problem = str(error)
            return
        self._server, self._problem = server, ""
        self._node.get_logger().info(f"the page: {server.url}")

    def hint(self) -> str:
        """Why there is no page; empty if there is."""
        return self._problem

    def facts(self) -> dict[str, str]:
        """For /diagnostics; without the token."""
        server = self._server
        address = server.url.partition("#")[0] if server and server.is_running else "not served"
        return {"page": address, "browsers that look": str(self.view.watchers)}

    def placed(self, places: Sequence[Place]) -> None:
        """Take where the actors are, for their distances."""
        metres = {place.number: float(np.linalg.norm(place.extent.centre)) for place in places}
        self.view.distances(metres)

    def close(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.stop()

    def _say(self, line: str) -> None:
        self._node.get_logger().info(line)

    def _warn(self, line: str) -> None:
        self._node.get_logger().warning(line, throttle_duration_sec=LOG_EVERY_S)

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
