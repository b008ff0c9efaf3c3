"""A frame as bytes: contours, facts, JPEG."""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from actseg_core.live.queries import Query
from actseg_core.live.reports import Report
from actseg_core.live.states import State
from actseg_core.types import Actor, Evidence, MaskResult, Sentence
from actseg_core.web.pictures import (
    LENGTH,
    MAX_CONTOURS,
    Shown,
    colour_of,
    contours,
    facts,
    jpeg,
    message,
)
from actseg_core.web.quality import Quality


def points(rim: list[int]) -> set[tuple[int, int]]:
    return set(zip(rim[::2], rim[1::2], strict=True))


def test_a_ring_has_an_outer_and_an_inner_rim_the_larger_first() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[2:18, 4:24] = 255
    mask[8:12, 10:16] = 0
    outer, inner = contours(mask)
    assert points(outer) == {(4, 2), (4, 17), (23, 17), (23, 2)}
    assert points(inner) >= {(9, 8), (16, 8)}  # the mask's pixels next to the hole


def test_a_mask_of_many_specks_keeps_the_largest_parts() -> None:
    mask = np.zeros((200, 200), np.uint8)
    mask[::4, ::4] = 255
    mask[100:150, 100:150] = 255
    found = contours(mask)
    assert len(found) == MAX_CONTOURS
    assert points(found[0]) >= {(100, 149), (149, 149)}


def test_an_empty_mask_has_no_rim() -> None:
    assert contours(np.zeros((5, 5), np.uint8)) == []


@pytest.mark.parametrize(
    ("size", "side_px", "limit_px", "wanted"),
    [
        ((400, 800), 4096, 1280, (400, 800)),
        ((400, 800), 640, 1280, (320, 640)),
        ((400, 800), 640, 200, (100, 200)),
        ((2, 3000), 640, 1280, (1, 640)),
    ],
)
def test_a_jpeg_is_scaled_down_to_the_smaller_limit(size, side_px, limit_px, wanted) -> None:
    image = np.full((*size, 3), (200, 30, 60), np.uint8)
    content = np.frombuffer(jpeg(image, Quality(side_px, 90), limit_px), np.uint8)
    read = cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert read.shape[:2] == wanted
    assert np.abs(read.astype(int) - (200, 30, 60)).max() <= 6  # red is red


def test_the_facts_hold_each_sentences_actors_and_evidence() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[2:5, 3:9] = 255
    evidence = (Evidence("who", ("dog",), 4.126), Evidence("looks", ("big", "white"), -0.3))
    actor = Actor(7, 0.91234, (3.04, 2.0, 6.0, 3.0), evidence, lambda: mask)
    result = MaskResult(mask, True, 0.9, 2**60 + 1, computed_stamp_ns=2**60 + 1, actors=(actor,))
    sentence = Sentence("big white dog", ("big", "white", "dog"), (), np.zeros((1, 1), np.float32))
    report = Report(State.FOUND, 5, (Query("q3", sentence, 0),), {"q3": result})
    told = json.loads(facts(Shown(9, np.zeros((10, 10, 3), np.uint8), 2**60 + 1, 0.0, report)))
    assert (told["number"], told["width"], told["height"], told["revision"]) == (9, 10, 10, 5)
    assert told["stamp_ns"] == "1152921504606846977"  # more than a browser's numbers hold
    (answer,) = told["answers"]
    assert points(answer["contours"][0]) == {(3, 2), (3, 4), (8, 4), (8, 2)}
    assert answer["actors"] == [
        {
            "track": 7,
            "confidence": 0.9123,
            "box": [3.0, 2.0, 6.0, 3.0],
            "evidence": [
                {"part": "who", "words": "dog", "log_odds": 4.13},
                {"part": "looks", "words": "big white", "log_odds": -0.3},
            ],
        }
    ]


def test_head_and_picture_can_be_told_apart() -> None:
    assert message(b"{}", b"JPEG") == b"\x00\x00\x00\x02{}JPEG"
    assert LENGTH.size == 4


def test_a_sentence_has_the_overlays_colour() -> None:
    assert [colour_of(number) for number in (0, 1, 7)] == ["#e69f00", "#56b4e9", "#e69f00"]


THREADS = """
import os, threading
import numpy as np
from actseg_core.web.pictures import jpeg, start_threads
from actseg_core.web.quality import STEPS
from actseg_core.web import server

def work():
    server.be_nice()
    jpeg(np.zeros((1080, 1920, 3), np.uint8), STEPS[2], 640)
    own.append(threading.get_native_id())
    priorities.update({task: os.getpriority(os.PRIO_PROCESS, task) for task in map(int, tasks())})

tasks, own, priorities = lambda: os.listdir("/proc/self/task"), [], {}
usual = os.getpriority(os.PRIO_PROCESS, 0)
server.NICENESS = min(19, usual + 5)
start_threads()
thread = threading.Thread(target=work)
thread.start()
thread.join()
print([task for task, nice in priorities.items() if nice != usual] == own)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell threads apart")
def test_opencvs_threads_do_not_inherit_the_low_priority_of_the_page() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OPENCV_FOR_THREADS_NUM"}
    done = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "True", done.stderr
