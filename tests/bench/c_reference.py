"""The reference: a loop in C that only wakes at MIDI clock rate, beside what is measured, for the same time."""

from __future__ import annotations

import array
import hashlib
import itertools
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tests.bench.context import Context
from tests.bench.rows import Row, unmeasured
from tests.bench.stats import Spread, spread

SOURCE = Path(__file__).with_name("clock_loop.c")
PRIORITY = 80  # above whatever is measured: the reference is the best that this machine gives
WITNESS_PRIORITY = 95
WITNESS_US = 1000.0  # a sleeper above all others that wakes this late: nothing of this machine's own kept it
SETTLE_TICKS = 16
STALL_US = 2000.0  # a maximum above this is the virtual machine standing still, not the scheduler
TRIES = 3
_serial = itertools.count()

Measured = TypeVar("Measured")


class Reference:
    """The loop, running. ``lateness`` waits for its end."""

    def __init__(
        self,
        ctx: Context,
        seconds: float,
        *,
        bpm: float = 174.0,
        priority: int = PRIORITY,
        wrapper: Sequence[str] = (),
    ) -> None:
        self._out = ctx.work_dir / f"clock_loop.{next(_serial)}.i64"
        self._seconds = seconds
        argv = [*wrapper, str(program(ctx)), str(bpm), str(seconds), str(priority), str(self._out)]
        self._job = ctx.start(argv, "clock_loop")

    def lateness(self) -> Spread:
        """µs by which it woke late.

        Raises:
            RuntimeError: it did not run, or had no real-time priority.
        """
        code = self._job.wait(self._seconds + 10)
        if code not in {0, 3}:
            self._job.stop(0.5)
            raise RuntimeError(f"the C reference ended with {code}: {self._job.tail()}")
        _, values = self._records()
        return spread([value / 1000 for value in values[SETTLE_TICKS:]])

    def _records(self) -> tuple[int, Sequence[int]]:
        values = array.array("q", self._out.read_bytes())
        return values[0], values[1:]


class Witness(Reference):
    """The loop at 1 kHz on one core above everything else: what makes it late is the machine standing still."""

    def __init__(self, ctx: Context, seconds: float, cpu: int) -> None:
        super().__init__(ctx, seconds, bpm=60_000 / 24, priority=WITNESS_PRIORITY, wrapper=("taskset", "-c", str(cpu)))

    def stalls(self, longer_us: float = WITNESS_US) -> list[tuple[int, int]]:
        """From when to when this core stood still, monotonic ns."""
        self.lateness()
        origin, values = self._records()
        dues = (origin + index * 1_000_000 for index in range(len(values)))
        return [(due, due + late) for due, late in zip(dues, values, strict=True) if late > longer_us * 1000]


def program(ctx: Context) -> Path:
    """The compiled loop, made once per source text.

    Raises:
        RuntimeError: there is no C compiler.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise RuntimeError("no C compiler for the reference: apt-get install gcc")
    path = ctx.cache_dir / f"clock_loop.{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    if not path.exists():
        subprocess.run([compiler, "-O2", "-o", str(path), str(SOURCE)], check=True, timeout=60)
    return path


def without_stall(
    measure: Callable[[], tuple[Measured, Spread]],
) -> tuple[Measured, Spread, list[tuple[Measured, Spread]]]:
    """Measure, again where the machine stood still in between, up to three times.

    Returns:
        The run with a quiet reference (else the one with the quietest), its reference, and all runs.
    """
    runs: list[tuple[Measured, Spread]] = []
    for _ in range(TRIES):
        runs.append(measure())
        if runs[-1][1].max <= STALL_US:
            break
    best = min(runs, key=lambda run: run[1].max)
    return best[0], best[1], runs


def run(ctx: Context) -> list[Row]:
    """The reference by itself, idle: what this machine can do at all."""
    figure = "C SCHED_FIFO loop alone, idle (µs, p50 / p99 / p99.9 / max)"
    try:
        lateness = Reference(ctx, ctx.seconds(20, 5)).lateness()
    except RuntimeError as error:
        return [unmeasured(figure, "", str(error))]
    return [Row(figure, "", lateness.short(), data={"c": lateness.as_json()})]
