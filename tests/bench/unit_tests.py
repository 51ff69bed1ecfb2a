"""How long the tests take that start no server, on two cores: what somebody waits for after every change."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from tests.bench.context import Context
from tests.bench.rows import Row

BAR_S = 60.0
WITHOUT_SERVERS = ("-m", "not jack and not live", "--ignore=tests/jack", "--ignore=tests/live")
CHOICES = {
    "pytest of the daemon, no server, on two cores (s)": ("--ignore=tests/offline",),
    "the same with the tests of offline (s)": (),
}


def run(ctx: Context) -> Iterator[Row]:
    for name, more in CHOICES.items():
        yield _timed(ctx, name, more)


def _timed(ctx: Context, name: str, more: tuple[str, ...]) -> Row:
    pytest = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider"]
    started = time.monotonic()
    job = ctx.start([*pytest, *WITHOUT_SERVERS, *more], "pytest")
    code = job.wait(600)
    took = time.monotonic() - started
    lines = job.tail(2000).splitlines() or [""]
    return Row(
        name,
        f"<= {BAR_S:g} s",
        f"{took:.0f}; {lines[-1][:100]}" if code is not None else "not done in ten minutes",
        "",
        took <= BAR_S and code == 0,
        {"seconds": took, "exit": code, "tail": lines[-20:]},
    )
