"""One answered frame as bytes for the browser: facts, contours, JPEG."""

import json
import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import WebError
from actseg_core.live.reports import Report
from actseg_core.types import Actor, MaskResult
from actseg_core.visualize import PALETTE
from actseg_core.web.advice import about_answer
from actseg_core.web.quality import Quality

MAX_CONTOURS = 100
TOLERANCE = 1 / 1200  # of the longest side: how far a contour may be from the mask's rim
LENGTH = struct.Struct(">I")


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame to be shown, with what was answered about it.

    Attributes:
        number: Counts them, from 1.
        image: (H, W, 3) uint8 RGB.
        stamp_ns: Of its capture [ns].
        since_s: Steady clock when it was handed over [s].
        report: What was answered; None: nothing was asked.
    """

    number: int
    image: NDArray[np.uint8]
    stamp_ns: int
    since_s: float
    report: Report | None = None


def colour_of(number: int) -> str:
    """The colour of a sentence, as in the overlay and in RViz: "#rrggbb"."""
    return "#{:02x}{:02x}{:02x}".format(*PALETTE[number % len(PALETTE)])


def contours(mask: NDArray[np.uint8]) -> list[list[int]]:
    """The rims of a mask's parts and holes.

    Args:
        mask: (H, W) uint8, not 0 inside.

    Returns:
        One list per rim, the largest first: x0, y0, x1, y1 and so on [px].
    """
    found, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    largest = sorted(found, key=cv2.contourArea, reverse=True)[:MAX_CONTOURS]
    tolerance_px = max(mask.shape) * TOLERANCE
    rims = (cv2.approxPolyDP(rim, tolerance_px, True) for rim in largest)
    return [[int(place) for place in rim.ravel()] for rim in rims]


def facts(shown: Shown) -> bytes:
    """What belongs to the picture, as JSON: its size and the answers about it."""
    height, width = shown.image.shape[:2]
    content: dict[str, Any] = {
        "number": shown.number,
        "width": width,
        "height": height,
        "stamp_ns": str(shown.stamp_ns),  # a browser's numbers have 53 bits
        "answers": [],
    }
    if shown.report is not None:
        content["revision"] = shown.report.revision
        content["answers"] = [
            {"id": query.id, **_answer(shown.report.answers[query.id])}
            for query in shown.report.queries
            if query.id in shown.report.answers
        ]
    return json.dumps(content, separators=(",", ":")).encode()


def start_threads() -> None:
    """Let OpenCV start its threads now, at the priority of the caller.

    It starts them once, and they inherit the priority of the thread that first needs them. Were
    that the page's, which is low, the network's pictures would wait for them on a busy computer.
    """
    cv2.resize(np.zeros((720, 1280, 3), np.uint8), (640, 360))


def jpeg(image: NDArray[np.uint8], quality: Quality, max_side_px: int) -> bytes:
    """An (H, W, 3) uint8 RGB picture as JPEG, made smaller where it is too large.

    Raises:
        WebError: If it cannot be encoded.
    """
    height, width = image.shape[:2]
    scale = min(quality.side_px, max_side_px) / max(height, width)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality.jpeg])
    if not done:
        raise WebError(f"a picture of {width}x{height} cannot be encoded as JPEG")
    return content.tobytes()


def message(head: bytes, picture: bytes) -> bytes:
    """Length of the head (4 bytes, the highest first), head, JPEG."""
    return LENGTH.pack(len(head)) + head + picture


def _answer(result: MaskResult) -> dict[str, Any]:
    return {
        "found": result.found,
        "confidence": round(result.confidence, 4),
        "moved_ms": round(result.moved_ns / 1e6) if result.warped else 0,
        "contours": contours(result.mask) if result.found else [],
        "actors": [_actor(actor) for actor in result.actors],
        "advice": about_answer(result),
    }


def _actor(actor: Actor) -> dict[str, Any]:
    return {
        "track": actor.track_id,
        "confidence": round(actor.confidence, 4),
        "box": [round(side, 1) for side in actor.box],
        "evidence": [item.as_json() for item in actor.evidence],
    }
