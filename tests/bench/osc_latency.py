"""How long an OSC client waits for its reply: questions and sets in turn, idle and with both cores loaded."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from hitloopd.control.osc_codec import encode
from tests.bench import load
from tests.bench.context import Context
from tests.bench.daemon import QUIET, Daemon
from tests.bench.rows import Row
from tests.bench.stats import spread

BARS_MS = {"idle": 5.0, "both cores loaded": 15.0}
REQUESTS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("/hitloop/sys/ping", (1,)),
    ("/hitloop/transport/bpm", ()),
    ("/hitloop/gen/energy", (0.4,)),
    ("/hitloop/lane/kick/mute", (0,)),
    ("/hitloop/gen/energy", (0.6,)),
)
EVERY_S = 0.013  # not a divisor of the bar or of the tick


def run(ctx: Context) -> Iterator[Row]:
    return (_row(ctx, condition, bar_ms) for condition, bar_ms in BARS_MS.items())


def _row(ctx: Context, condition: str, bar_ms: float) -> Row:
    count = int(ctx.seconds(1500, 400))
    waits: dict[str, list[float]] = {}
    lost = 0
    with contextlib.ExitStack() as stack:
        if condition != "idle":
            stack.enter_context(load.both_cores(ctx, 60 + count * EVERY_S * 2))
        daemon = stack.enter_context(Daemon(ctx, QUIET)).wait_ready()
        time.sleep(1.0)
        for index in range(count):
            address, args = REQUESTS[index % len(REQUESTS)]
            sent = time.perf_counter()
            reply = daemon.ask(address, *args, timeout_s=1.0)
            wait = time.perf_counter() - sent
            if reply is None:
                lost += 1
            waits.setdefault(f"{address} {'set' if args else 'get'}", []).append(wait * 1000)
            time.sleep(EVERY_S)
    all_waits = spread([wait for group in waits.values() for wait in group])
    return Row(
        f"OSC request to reply, {condition} (ms, p50 / p99 / p99.9 / max)",
        f"p99 <= {bar_ms:g}",
        f"{all_waits.short()}; {lost} of {count} without reply",
        "",
        all_waits.p99 <= bar_ms and lost == 0,
        {"all": all_waits.as_json(), "by_address": {a: spread(w).as_json() for a, w in waits.items()}, "lost": lost},
    )


@dataclass(frozen=True)
class Latency:
    """Milliseconds from sending a request to having its answer."""

    requests: int
    lost: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def measure(
    host: str = "127.0.0.1",
    port: int = 9000,
    requests: int = 1_000,
    address: str = "/hitloop/gen/energy",
    gap_s: float = 0.002,
) -> Latency:
    """Ask ``requests`` times, one after the other, ``gap_s`` apart; an answer after 1 s is lost.

    The default asks for a value, which goes through socket, decoder, table, desk and back.
    """
    data, times, lost = encode(address), [], 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((host, port))
        sock.settimeout(1.0)
        for _ in range(requests):
            start = time.perf_counter_ns()
            sock.send(data)
            try:
                sock.recv(65_535)
            except TimeoutError:
                lost += 1
                continue
            times.append((time.perf_counter_ns() - start) / 1e6)
            time.sleep(gap_s)
    times.sort()
    if not times:
        return Latency(requests, lost, float("inf"), float("inf"), float("inf"))
    return Latency(
        requests, lost, times[len(times) // 2], times[min(len(times) * 99 // 100, len(times) - 1)], times[-1]
    )
