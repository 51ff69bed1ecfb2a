"""One tempo hides rounding: 60 to 300 BPM in steps of ten, 64 bars each on the fake clock, five of them live.

On the fake clock every tick that the player sends is compared with the instant that fractions give, to the ns. In
real time drift is the lateness of the last bar less that of the first, each by the tenth of its ticks that is least
late: what else runs on the machine can't make or hide any.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from fractions import Fraction

from hitloopd.core.commands import Play
from hitloopd.core.routes import OutputSpec
from hitloopd.core.time import CLOCKS_PER_BEAT
from hitloopd.engine.player import PlayerSpec
from hitloopd.testing.rig import Rig
from tests.bench.context import Context
from tests.bench.daemon import QUIET, Daemon
from tests.bench.rows import Row
from tests.bench.stats import quantile

TEMPI = range(60, 301, 10)
LIVE_TEMPI = (60, 120, 174, 240, 300)
BARS = 64
CLOCKS_PER_BAR = 4 * CLOCKS_PER_BEAT
ROUNDING_NS = 1  # an instant is a whole number of ns
EARLIEST = 0.1
SHARE_OF_PERIOD = 1000  # rule 1: drift over 64 bars below a thousandth of a clock period


def run(ctx: Context) -> Iterator[Row]:
    yield _fake()
    yield _live(ctx)


def _fake() -> Row:
    worst = {bpm: worst_error_ns(bpm) for bpm in TEMPI}
    return Row(
        "tempo sweep 60-300 BPM, 64 bars on the fake clock (ns off the exact instant, worst tick)",
        "0, to the ns",
        f"{float(max(worst.values())):.3f} at worst over {len(worst)} tempi x {BARS * CLOCKS_PER_BAR} ticks",
        "",
        max(worst.values()) <= ROUNDING_NS,
        {"worst_ns": {str(bpm): float(error) for bpm, error in worst.items()}},
    )


def worst_error_ns(bpm: int) -> Fraction:
    """The greatest distance of a sent clock from where fractions put it."""
    rig = Rig(OutputSpec("out", clock=True), spec=PlayerSpec(bpm=float(bpm)))
    rig.do(Play())
    rig.run_for((BARS + 1) * 240 / bpm)
    clocks = rig.out("out").clocks_ns[: BARS * CLOCKS_PER_BAR + 1]
    assert len(clocks) == BARS * CLOCKS_PER_BAR + 1, f"{bpm} BPM: {len(clocks)} ticks"
    period = Fraction(60_000_000_000, bpm * CLOCKS_PER_BEAT)
    return max(abs(at - clocks[0] - index * period) for index, at in enumerate(clocks))


def _live(ctx: Context) -> Row:
    bars = int(ctx.seconds(BARS, 8))
    with contextlib.ExitStack() as stack:
        # All at once: a daemon is idle nearly always, and the median does not see that they meet now and then.
        daemons = {bpm: stack.enter_context(Daemon(ctx, QUIET, bpm=float(bpm))) for bpm in LIVE_TEMPI}
        for daemon in daemons.values():
            daemon.wait_ready(30.0)
        time.sleep(2.0)
        skipped = {bpm: len(daemon.clocks()) for bpm, daemon in daemons.items()}
        drifts: dict[int, float] = {}
        lost: dict[int, int] = {}
        for bpm in sorted(daemons, reverse=True):  # the fastest are done first
            wanted = skipped[bpm] + (bars + 1) * CLOCKS_PER_BAR
            deadline = time.monotonic() + bars * 240 / bpm + 30
            while len(daemons[bpm].clocks()) < wanted and time.monotonic() < deadline:
                time.sleep(0.2)
            clocks = daemons[bpm].clocks()[skipped[bpm] : wanted]
            drifts[bpm], lost[bpm] = drift_us(clocks, bpm), wanted - skipped[bpm] - len(clocks)
            daemons[bpm].stop()
    bars_us = {bpm: 60e6 / (bpm * CLOCKS_PER_BEAT) / SHARE_OF_PERIOD for bpm in LIVE_TEMPI}
    return Row(
        f"five tempi at once in real time, {bars} bars: drift (µs, last bar against the first)",
        "< 1/1000 of a tick period",
        ", ".join(f"{bpm}: {drift:+.1f}" for bpm, drift in sorted(drifts.items())),
        ", ".join(f"{bpm}: {limit:.1f}" for bpm, limit in bars_us.items()),
        all(abs(drifts[bpm]) < bars_us[bpm] for bpm in LIVE_TEMPI) and not any(lost.values()),
        {"drift_us": drifts, "lost": lost, "bars": bars},
    )


def drift_us(clocks: list[int], bpm: float) -> float:
    """How much later the last bar's ticks are on the tempo's grid than the first bar's."""
    period = 60e9 / (bpm * CLOCKS_PER_BEAT)
    late = [at - clocks[0] - index * period for index, at in enumerate(clocks)]
    first, last = (quantile(sorted(bar), EARLIEST) for bar in (late[:CLOCKS_PER_BAR], late[-CLOCKS_PER_BAR:]))
    return (last - first) / 1000
