"""hitloopd among its peers: who sends a clock at 174 BPM how late, and what it costs, under the same disturbances.

The peers live in an environment of their own, outside this project and kept between runs. Every program, hitloopd
included, runs its own code down to python-rtmidi's ``send_message``, where the instant is noted instead of a message
sent. Lateness is counted against the grid that each one's own ticks make (``stats.against_grid``). The stall is 20 ms
of pure Python in every bar: for a peer inside its own user callback, or in the OSC handler of subsequence and, where
there is no such door, on a thread as a MIDI input's callback would run; for hitloopd in a generator that came in by the
plug-in door, or in a handler on the control process's loop.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench import load
from tests.bench.c_reference import Reference, without_stall
from tests.bench.context import Context
from tests.bench.daemon import BPM, CLOCK, INJECT, QUIET, Daemon
from tests.bench.facts import realtime_permitted
from tests.bench.inject.hitloop_bench_stamps import read
from tests.bench.procs import Job
from tests.bench.rows import Row, unmeasured
from tests.bench.stats import GridFit, Spread, against_grid, number

PACKAGES = ("subsequence>=0.7,<0.8", "isobar", "sardine-system", "mido")
NAMES = ("subsequence", "isobar", "sardine-system", "mido")
PROGRAMS = Path(__file__).with_name("peer_programs")
SETTLE_S = 4.0  # sardine takes that long to its first tick
HITLOOPD = "hitloopd"
RIVAL = "subsequence"
BAR = "hitloopd first at p99 and p99.9"
CPU_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Peer:
    """A program of ``peer_programs`` and what it is started under."""

    name: str
    script: str
    wrapper: tuple[str, ...] = ()


PEERS = (
    Peer(RIVAL, "subsequence_clock.py"),
    Peer("subsequence, chrt -f 60", "subsequence_clock.py", ("chrt", "-f", "60")),
    Peer("isobar", "isobar_clock.py"),
    Peer("sardine", "sardine_clock.py"),
    Peer("mido sleep loop", "mido_sleep.py"),
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A disturbance, in the words of a peer's program and in hitloopd's."""

    name: str
    loaded: bool = False
    peer_stall: str = "none"
    own_stall: str = ""


CONDITIONS = (
    Condition("idle"),
    Condition("both cores loaded", loaded=True),
    Condition("20 ms stall per bar in the generator", peer_stall="callback", own_stall="generator"),
    Condition("20 ms stall per bar in a control handler", peer_stall="control", own_stall="control"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """One program under one condition."""

    fit: GridFit
    cpu_percent: float
    stalls: int

    def as_json(self) -> dict[str, object]:
        return {"fit": self.fit.as_json(), "cpu_percent": self.cpu_percent, "stalls": self.stalls}


def run(ctx: Context) -> Iterator[Row]:
    try:
        python, versions = environment(ctx)
    except (subprocess.SubprocessError, OSError) as error:
        yield unmeasured("peers beside hitloopd", BAR, f"their environment can't be made: {error}")
        return
    for condition in CONDITIONS:
        results: dict[str, list[tuple[Result, Spread]]] = {}
        for name, measure in _programs(ctx, python, condition):
            try:
                results[name] = _rounds(ctx, condition, measure)
            except RuntimeError as error:
                yield Row(f"{condition.name}: {name}", "runs at all", str(error)[:200], ok=False)
        yield from _rows(condition, results, versions)
        if condition.name == "idle" and {HITLOOPD, RIVAL} <= set(results):
            yield _cpu_row({name: statistics.median(r.cpu_percent for r, _ in runs) for name, runs in results.items()})


def environment(ctx: Context) -> tuple[Path, dict[str, str]]:
    """The peers' own Python, made at the first run, and what is installed there."""
    folder = ctx.cache_dir / f"peers-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin/python"
    done = folder / "installed"
    if not done.exists():
        ctx.say("making the peers' environment (once) …")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True, timeout=600)
        done.write_text("\n".join(PACKAGES))
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True, timeout=60
    )
    return python, {entry["name"]: entry["version"] for entry in json.loads(listed.stdout)}


Measure = Callable[[], tuple[Result, Spread]]


def _programs(ctx: Context, python: Path, condition: Condition) -> Iterator[tuple[str, Measure]]:
    yield HITLOOPD, lambda: _hitloopd(ctx, condition)
    for peer in PEERS:
        if not peer.wrapper or (shutil.which(peer.wrapper[0]) and realtime_permitted()):
            yield peer.name, lambda peer=peer: _peer(ctx, python, peer, condition)


def _rounds(ctx: Context, condition: Condition, measure: Measure) -> list[tuple[Result, Spread]]:
    out = []
    for _ in range(ctx.rounds):
        with contextlib.ExitStack() as stack:
            if condition.loaded:
                stack.enter_context(load.both_cores(ctx, 4 * ctx.seconds(40, 20)))
            result, c, _ = without_stall(measure)
        out.append((result, c))
    return out


def _hitloopd(ctx: Context, condition: Condition) -> tuple[Result, Spread]:
    settings: dict[str, str | float | bool] = {**QUIET, "gen.auto": 1}
    if condition.own_stall == "generator":
        settings["gen.model"] = "stall"
    with Daemon(ctx, settings, stall=condition.own_stall) as daemon:
        daemon.wait_ready()
        fit, cpu, c = _watch(ctx, daemon.job, daemon.clocks)
        return Result(fit, cpu, daemon.stalls()), c


def _peer(ctx: Context, python: Path, peer: Peer, condition: Condition) -> tuple[Result, Spread]:
    stamps = ctx.fresh_dir("stamps", in_memory=True)
    env = ctx.environment(PYTHONPATH=str(INJECT), HITLOOP_BENCH_STAMPS=str(stamps), HITLOOP_BENCH_BPM=str(BPM))
    argv = [*peer.wrapper, str(python), str(PROGRAMS / peer.script), str(BPM), condition.peer_stall]

    def clocks() -> list[int]:
        return [at for path in stamps.glob("midi-*.stamps") for at, message in read(path) if message & 0xFF == CLOCK]

    with ctx.start(argv, peer.script, env=env, cwd=ctx.fresh_dir("cwd")) as job:
        fit, cpu, c = _watch(ctx, job, clocks)
        return Result(fit, cpu, sum(len(read(path)) for path in stamps.glob("stall-*.stamps"))), c


def _watch(ctx: Context, job: Job, clocks: Callable[[], list[int]]) -> tuple[GridFit, float, Spread]:
    seconds = ctx.seconds(20, 8)
    deadline = time.monotonic() + 30
    while not clocks():
        if not job.running() or time.monotonic() > deadline:
            raise RuntimeError(f"{' '.join(job.argv[-3:])} sends no clock: {job.tail()}")
        time.sleep(0.05)
    time.sleep(SETTLE_S)
    first, cpu_before, started = len(clocks()), job.cpu_s(), time.monotonic()
    reference = Reference(ctx, seconds)
    time.sleep(seconds)
    sent, cpu, took = clocks()[first:], job.cpu_s() - cpu_before, time.monotonic() - started
    return against_grid(sent, BPM, skip=0), round(cpu / took * 100, 2), reference.lateness()


def _rows(
    condition: Condition, results: Mapping[str, list[tuple[Result, Spread]]], versions: Mapping[str, str]
) -> list[Row]:
    def middle(name: str, field: str) -> float:
        return statistics.median(getattr(result.fit.lateness, field) for result, _ in results[name])

    fastest = {field: min(middle(name, field) for name in results if name != HITLOOPD) for field in ("p99", "p999")}
    rows = []
    for name, runs in results.items():
        result, c = runs[0]
        numbers = " / ".join(number(middle(name, field)) for field in ("p50", "p99", "p999", "max"))
        own = name == HITLOOPD
        rows.append(
            Row(
                f"{condition.name}: {name} (µs, p50 / p99 / p99.9 / max)",
                BAR if own else "",
                f"{numbers}; {result.cpu_percent:g} % CPU; drift {result.fit.drift_ms_per_min:+.2f} ms/min"
                + (f"; {result.stalls} stalls" if condition.own_stall else "")
                + (f"; {result.fit.lost} ticks lost" if result.fit.lost else ""),
                f"C FIFO: {c.short()}",
                all(middle(name, field) < fastest[field] for field in fastest) if own else None,
                {
                    "rounds": [{**r.as_json(), "c": c_run.as_json()} for r, c_run in runs],
                    "versions": dict(versions),
                },
            )
        )
    return rows


def _cpu_row(cpu: Mapping[str, float]) -> Row:
    return Row(
        "CPU with all child processes, idle (% of one core)",
        f"<= {CPU_SHARE:g} x subsequence",
        f"{cpu[HITLOOPD]:.1f}",
        ", ".join(f"{name} {share:.1f}" for name, share in cpu.items() if name != HITLOOPD),
        cpu[HITLOOPD] <= CPU_SHARE * cpu[RIVAL],
        {"cpu_percent": dict(cpu)},
    )
