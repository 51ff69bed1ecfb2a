"""The disturbance: pure Python that holds the interpreter for 20 ms, once in every bar, in the process under test."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from hitloop_bench_stamps import Stamps

STALL_NS = 20_000_000
_stamps: dict[str, Stamps] = {}


def bar_s() -> float:
    """Length of a bar at the tempo under test."""
    return 240.0 / float(os.environ.get("HITLOOP_BENCH_BPM", "174"))


def stall(where: str) -> None:
    """Compute for 20 ms without a call that lets go of the interpreter, and note that it happened."""
    if where not in _stamps:
        _stamps[where] = Stamps(f"stall-{where}")
    started = time.monotonic_ns()
    total = 0
    while time.monotonic_ns() - started < STALL_NS:
        total += sum(i * i for i in range(200))
    _stamps[where].add(time.monotonic_ns() - started, started)


def every_bar(act: Callable[[], object]) -> None:
    """Call ``act`` once per bar, on a thread of its own."""

    def loop() -> None:
        due = time.monotonic()
        while True:
            due += bar_s()
            time.sleep(max(0.0, due - time.monotonic()))
            act()

    threading.Thread(target=loop, name="every-bar", daemon=True).start()


def in_a_thread() -> None:
    """Stall once per bar on a thread, where the callback of a MIDI input or of a threaded OSC server would run."""
    every_bar(lambda: stall("control"))
