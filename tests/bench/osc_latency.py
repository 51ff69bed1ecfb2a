"""How long an OSC request takes to be answered: ``python -m tests.bench.osc_latency [host] [port] [requests]``."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import dataclass

from hitloopd.control.osc_codec import encode


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


if __name__ == "__main__":
    host, port, requests = [*sys.argv[1:], *("127.0.0.1", "9000", "1000")[len(sys.argv) - 1 :]]
    print(measure(host, int(port), int(requests)))
