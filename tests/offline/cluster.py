"""A real Dask scheduler with two workers, each a process of its own, for as long as a test runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.needs import require

DEADLINE_S = 90.0


@contextlib.contextmanager
def dask_cluster(folder: Path, workers: int = 2, **environment: str) -> Iterator[str]:
    """The scheduler's address; the processes are gone afterwards."""
    try:
        import distributed
    except ImportError:
        require(False, "dask[distributed] is not installed")
    note = folder / "scheduler.json"
    log = folder / "cluster.log"
    common = ["--scheduler-file", str(note), "--no-dashboard"]
    commands = [["dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common]]
    commands += [
        ["dask_worker", *common, "--nthreads", "1", "--no-nanny", "--local-directory", str(folder / f"worker{index}")]
        for index in range(workers)
    ]
    with log.open("wb") as out, contextlib.ExitStack() as stack:
        for name, *options in commands:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{name}", *options],
                stdout=out,
                stderr=out,
                env={**os.environ, **environment},
                cwd=Path(__file__).parents[2],
            )
            stack.callback(_end, process)
        address = _address(note, log)
        with distributed.Client(address, timeout=DEADLINE_S) as client:
            client.wait_for_workers(workers, timeout=DEADLINE_S)
        yield address


def _address(note: Path, log: Path) -> str:
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, KeyError):  # not written, or half of it
            return str(json.loads(note.read_text())["address"])
        time.sleep(0.05)
    raise AssertionError(f"the scheduler did not start: {log.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
