"""How late the clock goes out, idle and with both cores loaded, beside the C loop of the same run.

Twice measured, and both must hold: from outside, clock ticks alone, where the message would be handed to the system,
against the grid through the earliest of them; and by the daemon itself, which knows when each event is due, so that
what is always late by the same amount shows too (it counts notes as well, which follow the clock of their tick).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from tests.bench import load
from tests.bench.c_reference import Reference, without_stall
from tests.bench.context import Context
from tests.bench.daemon import BPM, QUIET, Daemon, counter
from tests.bench.facts import realtime_permitted
from tests.bench.rows import Row, unmeasured
from tests.bench.stats import GridFit, Spread, against_grid, number

LIMIT_US = 200.0
P50_US = 20.0
SETTLE_S = 2.0
BAR = "p99 <= 2 x C and <= 200; p50 <= 20"
OWN = ("lateness_p50_us", "lateness_p99_us", "lateness_p999_us", "lateness_max_us")


def run(ctx: Context) -> Iterator[Row]:
    yield _row(ctx, "both cores loaded")
    yield _row(ctx, "idle")


def _row(ctx: Context, condition: str) -> Row:
    figure = f"clock tick send lateness, own process, {condition} (µs, p50 / p99 / p99.9 / max)"
    if not realtime_permitted():
        return unmeasured(figure, BAR, "real-time priority is not permitted here: see doctor")
    (fit, own, details), c, runs = without_stall(lambda: _measure(ctx, condition))
    late = fit.lateness
    limit = min(2 * c.p99, LIMIT_US)
    ok = all(p99 <= limit for p99 in (late.p99, own[OWN[1]])) and all(p50 <= P50_US for p50 in (late.p50, own[OWN[0]]))
    return Row(
        figure,
        BAR,
        f"{late.short()}; it says itself: {' / '.join(number(own[name]) for name in OWN)}",
        f"C FIFO: {c.short()}; p99 ratio {late.p99 / c.p99:.2f}",
        ok,
        {
            "fit": fit.as_json(),
            "own": own,
            **details,
            "c": c.as_json(),
            "runs": [{"fit": r[0].as_json(), "own": r[1], "c": c_run.as_json()} for r, c_run in runs],
        },
    )


def _measure(ctx: Context, condition: str) -> tuple[tuple[GridFit, dict[str, float], dict[str, object]], Spread]:
    seconds = ctx.seconds(30, 10)
    with contextlib.ExitStack() as stack:
        if condition != "idle":
            stack.enter_context(load.both_cores(ctx, seconds + 30))
        daemon = stack.enter_context(Daemon(ctx, QUIET)).wait_ready()
        time.sleep(SETTLE_S)
        first = len(daemon.clocks())
        reference = Reference(ctx, seconds)
        time.sleep(seconds)
        clocks = daemon.clocks()[first:]
        c = reference.lateness()
        health = daemon.health()
    fit = against_grid(clocks, BPM, skip=0, absolute=True)
    own = {name: counter(health, name) for name in OWN}
    return (fit, own, {"health": health}), c
