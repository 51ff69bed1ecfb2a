"""How long the tests take that start no server, on two cores: what somebody waits for after every change."""

from __future__ import annotations

import sys
import time

from tests.bench.context import Context
from tests.bench.rows import Row

BAR_S = 60.0


def run(ctx: Context) -> list[Row]:
    pytest = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider"]
    argv = [*pytest, "-m", "not jack and not live", "--ignore=tests/jack", "--ignore=tests/live"]
    started = time.monotonic()
    job = ctx.start(argv, "pytest")
    code = job.wait(600)
    took = time.monotonic() - started
    lines = job.tail(2000).splitlines() or [""]
    return [
        Row(
            "pytest without JACK servers and live daemons, on two cores (s)",
            f"<= {BAR_S:g} s",
            f"{took:.0f}; {lines[-1][:100]}" if code is not None else "not done in ten minutes",
            "",
            took <= BAR_S and code == 0,
            {"seconds": took, "exit": code, "tail": lines[-20:]},
        )
    ]
