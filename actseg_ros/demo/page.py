"""After the demo: the same clip over and over, its sentences, and the page in a browser."""

import math
import re
import subprocess
from pathlib import Path
from typing import Any

import typer
from actseg.srv import AddQuery

from actseg_core.errors import WebError
from actseg_ros.demo.clips import LONGEST_SIDE_PX, Show
from actseg_ros.demo.processes import NODE_TOPICS, Children, Client

ADDRESS = re.compile(r"the page: (http://\S+)")
ADDRESS_TIMEOUT_S = 20.0
ANSWER_TIMEOUT_S = 20.0


def keep_up(
    show: Show,
    children: Children,
    client: Client,
    node: "subprocess.Popen[bytes]",
    log: Path,
) -> None:
    """Play a clip and serve the page about it until Ctrl-C.

    Args:
        show: The clip and its sentences.
        children: Starts the camera.
        client: Asks.
        node: The segmentation node's process; it serves the page.
        log: Where the node writes.

    Raises:
        WebError: If the node cannot serve it, or ends.
    """
    client.until_s = math.inf
    if not client.wait(lambda: bool(_address(log)), ADDRESS_TIMEOUT_S):
        raise WebError(f"the node did not say where its page is; see {log}")
    children.start("players.video_camera", {}, source=show.source, max_side_px=LONGEST_SIDE_PX)
    try:
        _ask_all(show.sentences, client)
        typer.echo(f"The page: {_address(log)}   (Ctrl-C ends)")
        client.wait(lambda: node.poll() is not None, math.inf)
    except KeyboardInterrupt:
        return
    raise WebError(f"the node ended with code {node.returncode}; see {log}")


def _ask_all(sentences: tuple[str, ...], client: Client) -> None:
    """Several sentences at once, which the command topic cannot."""
    service: Any = client.node.create_client(AddQuery, f"{NODE_TOPICS}/add_query")
    client.wait(service.service_is_ready, ANSWER_TIMEOUT_S)
    for sentence in sentences:
        future = service.call_async(AddQuery.Request(sentence=sentence))
        client.wait(future.done, ANSWER_TIMEOUT_S)


def _address(log: Path) -> str:
    found = ADDRESS.findall(log.read_text(encoding="utf-8", errors="replace"))
    return found[-1] if found else ""
