"""From the command to the beat: ``hitloopd run`` to the first tick, a bare environment to the demo's first note."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.context import REPOSITORY, Context
from tests.bench.daemon import INJECT, Daemon, command
from tests.bench.inject.hitloop_bench_stamps import read
from tests.bench.procs import Job
from tests.bench.rows import Row, unmeasured

TICK_BAR_S = 1.0
NOTE_BAR_S = 30.0
COMMANDS: tuple[tuple[str, ...], ...] = (("--help",), ("ports",), ("check", str(REPOSITORY / "configs/default.yaml")))
COMMAND_BAR_S = 0.5


def run(ctx: Context) -> Iterator[Row]:
    yield _first_tick(ctx)
    yield _other_commands(ctx)
    yield _first_note(ctx)


def _first_tick(ctx: Context) -> Row:
    figure = "hitloopd run -> first clock tick (s, median and worst)"
    took = []
    for _ in range(int(ctx.seconds(9, 4))):
        with Daemon(ctx) as daemon:
            took.append(_until_first(daemon.job, daemon.clocks))
    took = took[1:]  # the first one also fills the file cache and renders the kit
    median = statistics.median(took)
    return Row(
        figure,
        f"<= {TICK_BAR_S} s",
        f"{median:.3f} (worst {max(took):.3f} of {len(took)})",
        f"python -c pass: {_bare_python():.3f} s",
        median <= TICK_BAR_S,
        {"seconds": took},
    )


def _until_first(job: Job, clocks: Callable[[], list[int]]) -> float:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and job.running():
        if found := clocks():
            return (found[0] - job.started_ns) / 1e9
        time.sleep(0.01)
    raise RuntimeError(f"no clock tick: {job.tail()}")


def _other_commands(ctx: Context) -> Row:
    medians: dict[str, float] = {}
    for args in COMMANDS:
        runs = []
        for _ in range(5):
            started = time.monotonic()
            subprocess.run([*command(), *args], capture_output=True, check=False, timeout=20, env=ctx.environment())
            runs.append(time.monotonic() - started)
        medians[args[0]] = round(statistics.median(runs), 3)
    return Row(
        "every other command, start to end (s, median of 5)",
        f"<= {COMMAND_BAR_S} s",
        ", ".join(f"{name} {took:.2f}" for name, took in medians.items()),
        "",
        max(medians.values()) <= COMMAND_BAR_S,
        {"seconds": medians},
    )


def _bare_python() -> float:
    runs = []
    for _ in range(5):
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", "pass"], check=True, timeout=20)
        runs.append(time.monotonic() - started)
    return statistics.median(runs)


def _first_note(ctx: Context) -> Row:
    figure = "clean environment -> first note of demo, package cache warm (s)"
    bar = f"<= {NOTE_BAR_S:g} s"
    _install(ctx, ctx.fresh_dir("warm"))  # fills pip's cache; not counted
    started = time.monotonic_ns()
    venv, problem = _install(ctx, ctx.fresh_dir("clean"))
    if problem:
        return unmeasured(figure, bar, problem)
    installed = time.monotonic_ns()
    stamps = ctx.fresh_dir("stamps", in_memory=True)
    env = ctx.environment(PYTHONPATH=str(INJECT), HITLOOP_BENCH_STAMPS=str(stamps))
    out = ctx.fresh_dir("demo")
    job = ctx.start([str(venv / "bin/hitloopd"), "demo", f"--out={out}", "--bars=2"], "demo", env=env, cwd=out)
    first = _first_note_at(job, stamps)
    code = job.wait(60)
    if first is None:
        return Row(figure, bar, f"no note: {job.tail(200)}", ok=False)
    total, setting_up = (first - started) / 1e9, (installed - started) / 1e9
    return Row(
        figure,
        bar,
        f"{total:.1f} ({setting_up:.1f} of it venv and pip)",
        "",
        total <= NOTE_BAR_S and code == 0,
        {"seconds": total, "install_seconds": setting_up, "demo_exit": code},
    )


def _install(ctx: Context, folder: Path) -> tuple[Path, str]:
    venv = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=120)
    job = ctx.start([str(venv / "bin/pip"), "install", "-q", "-e", str(REPOSITORY)], "pip", cwd=folder)
    code = job.wait(300)
    return venv, "" if code == 0 else f"pip ended with {code}: {job.tail(300)}"


def _first_note_at(job: Job, stamps: Path) -> int | None:
    """Of the messages noted on any port; the capture's notes are those of the ports."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and job.running():
        for path in stamps.glob("midi-*.stamps"):
            for at, message in read(path):
                if message & 0xF0 == 0x90:
                    return at
        time.sleep(0.01)
    return None
