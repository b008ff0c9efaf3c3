"""What browsers cost the segmentation node, as real processes.

    python tools/measure_page.py [--size 640x480] [--rate 30] [--rounds 5] [--seconds 10]
        [--out FILE.json] [-- -p preset:=lite ...]

One node with its page, one camera and one planner run throughout; visitors come and go in turn,
so that other load on the computer meets all of them alike:
    nobody   the page is served, and no browser is there
    quick    one browser that says of each picture at once that it has drawn it
    slow     one that needs two seconds for each picture
    deaf     one that asks for pictures and never reads from its connection
    many     four quick ones
Masks per second and milliseconds from the camera's stamp to the planner are told for each, as
median, least and most of the rounds. What follows `--` goes to the node.
"""

import os

os.environ["FASTDDS_BUILTIN_TRANSPORTS"] = "LARGE_DATA"  # read when rclpy loads the middleware
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import asyncio
import json
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from measure_node import SENTENCES, START_TIMEOUT_S, Client, split, start_camera, start_node
from std_msgs.msg import String

VISITORS = {"nobody": (), "quick": ("quick",), "slow": ("slow",), "deaf": ("deaf",)}
VISITORS["many"] = ("quick",) * 4
SLOW_S = 2.0
COMING_S = 1.5


async def visit(address: str, kind: str) -> None:
    """Look at the page for ever."""
    async with aiohttp.ClientSession() as session:
        live = await session.ws_connect(f"{address}live", origin=address.rstrip("/"))
        if kind == "deaf":
            transport = live.get_extra_info("socket")
            transport.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            live._response.connection.transport.pause_reading()  # aiohttp has no other way
            await asyncio.sleep(1e9)
        async for message in live:
            if message.type is aiohttp.WSMsgType.BINARY:
                length = int.from_bytes(message.data[:4], "big")
                number = json.loads(message.data[4 : 4 + length])["number"]
                if kind == "slow":
                    await asyncio.sleep(SLOW_S)
                await live.send_json({"do": "got", "number": number})


def one_round(client: Client, address: str, kinds: tuple[str, ...], seconds: float) -> list[float]:
    """Masks per second, and median and 95th percentile of their latencies [ms]."""
    command = [sys.executable, __file__, "--visit", address]
    visitors = [subprocess.Popen([*command, "--kind", kind]) for kind in kinds]
    try:
        client.spin(lambda: False, COMING_S)
        client.masks.clear()
        client.spin(lambda: False, seconds)
        if any(visitor.poll() is not None for visitor in visitors):
            raise SystemExit("a visitor has gone: the node closed its connection or has ended")
        late_ms = [value for _, value in client.masks] or [np.nan]
        points = np.percentile(late_ms, [50, 95])
        return [len(client.masks) / seconds, float(points[0]), float(points[1])]
    finally:
        for visitor in visitors:
            visitor.kill()
            visitor.wait()


def summary(rows: list[list[float]]) -> dict[str, Any]:
    """Median, least and most of each figure over the rounds."""
    names = ("masks_hz", "latency_p50_ms", "latency_p95_ms")
    return {
        name: [round(float(pick(values)), 1) for pick in (np.median, np.min, np.max)]
        for name, values in zip(names, np.array(rows).T, strict=True)
    }


def main() -> int:
    """Start the processes, measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--rate", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--visit", default="", help=argparse.SUPPRESS)
    parser.add_argument("--kind", default="quick", help=argparse.SUPPRESS)
    own, rest = split(sys.argv[1:])
    args = parser.parse_args(own)
    if args.visit:
        asyncio.run(visit(args.visit, args.kind))
        return 0
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    page = ("-p", "web.enabled:=true", "-p", f"web.port:={port}")
    node = start_node(*page, *rest)
    camera = start_camera("--size", args.size, "--rate", str(args.rate))
    found: dict[str, list[list[float]]] = {name: [] for name in VISITORS}
    try:
        client = Client()
        client.spin(lambda: client.command.get_subscription_count() > 0, START_TIMEOUT_S)
        client.command.publish(String(data=SENTENCES[0]))
        client.wait_for_mask()
        for number in range(args.rounds):
            for name, kinds in VISITORS.items():
                row = one_round(client, f"http://127.0.0.1:{port}/", kinds, args.seconds)
                found[name].append(row)
                print(f"round {number + 1} {name}: {row[0]:.1f} masks/s", file=sys.stderr)
    finally:
        node.terminate()
        camera.kill()
        node.wait(30)
        camera.wait(30)
    report: dict[str, Any] = {"size": args.size, "rate_hz": args.rate, "load": os.getloadavg()[0]}
    report |= {name: summary(rows) for name, rows in found.items()}
    text = json.dumps(report, indent=2)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
