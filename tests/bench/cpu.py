"""What playing costs: internal clock, MIDI only, all processes together, in per cent of one core.

Judged at the tempo that the daemon comes with; faster costs more, for every tick has its spin.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.context import Context
from tests.bench.daemon import QUIET, Daemon
from tests.bench.procs import command_line
from tests.bench.rows import Row

BAR_PERCENT = 5.0


def run(ctx: Context) -> Iterator[Row]:
    yield _row(ctx, 124.0, judged=True)
    yield _row(ctx, 174.0, judged=False)


def _row(ctx: Context, bpm: float, *, judged: bool) -> Row:
    seconds = ctx.seconds(30, 10)
    with Daemon(ctx, QUIET, bpm=bpm) as daemon:
        daemon.wait_ready()
        time.sleep(3.0)  # the pool fills
        before, started = daemon.job.cpu_by_process(), time.monotonic()
        time.sleep(seconds)
        after, took = daemon.job.cpu_by_process(), time.monotonic() - started
        shares = {
            f"{pid} {command_line(pid)[-60:]}": round((after[pid] - before.get(pid, 0.0)) / took * 100, 2)
            for pid in after
        }
    total = sum(shares.values())
    return Row(
        f"CPU while playing, internal clock at {bpm:g} BPM, MIDI only (% of one core)",
        f"<= {BAR_PERCENT:g} %" if judged else "",
        f"{total:.1f}",
        "",
        total <= BAR_PERCENT if judged else None,
        {"processes": shares, "seconds": took},
    )
