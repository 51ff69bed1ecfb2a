"""Programs that are always ended: started in a session of their own, bounded in time, measured with their children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Job:
    """One program with everything that it starts.

    Args:
        argv: the command.
        log: stdout and stderr go here.
        env: the whole environment.
        cwd: where it runs.
    """

    def __init__(
        self, argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ):
        self.argv = tuple(argv)
        self.log = log
        self.started_ns = time.monotonic_ns()
        with log.open("wb") as out:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._popen.pid

    def running(self) -> bool:
        return self._popen.poll() is None

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or ``None`` when it still runs after ``timeout_s``."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # None says so
            return self._popen.wait(timeout_s)
        return None

    def tail(self, chars: int = 600) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-chars:].strip()

    def tree(self) -> list[int]:
        """It, its descendants, and whoever else is left in its session."""
        return tree(self.pid)

    def cpu_s(self) -> float:
        """Processor time of the whole tree so far, children that have ended included."""
        return sum(_cpu_s(pid) for pid in self.tree())

    def cpu_by_process(self) -> dict[int, float]:
        """Processor time of each process of the tree so far, in seconds."""
        return {pid: _cpu_s(pid) for pid in self.tree()}

    def pss_mb(self) -> dict[int, float]:
        """Proportional memory of each process, MB of 2**20 bytes."""
        return {pid: pss for pid in self.tree() if (pss := _pss_mb(pid)) > 0}

    def stop(self, grace_s: float = 5.0) -> int:
        """Ask it to end (SIGINT, SIGTERM), then make it (SIGKILL to the session); the exit code."""
        pids = self.tree()
        for number in (signal.SIGINT, signal.SIGTERM):
            if not self.running():
                break
            with contextlib.suppress(ProcessLookupError):  # it was quicker
                self._popen.send_signal(number)
            self.wait(grace_s)
        for pid in {*pids, *self.tree()}:
            with contextlib.suppress(ProcessLookupError):  # gone, as it should be
                os.kill(pid, signal.SIGKILL)
        return self._popen.wait(10)


def tree(root: int) -> list[int]:
    """``root``, its descendants and the members of its session, as far as they are alive."""
    found = {root}
    rows = list(_processes())
    grew = True
    while grew:
        more = {pid for pid, parent, session in rows if (parent in found or session == root) and pid not in found}
        found |= more
        grew = bool(more)
    alive = {pid for pid, _, _ in rows}
    return sorted(found & alive)


def command_line(pid: int) -> str:
    """How a process was started, for people."""
    return _read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()


def scheduling(pid: int) -> list[tuple[int, int]]:
    """Policy and priority of every thread: (1, 60) is SCHED_FIFO 60."""
    out = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(ProcessLookupError, OSError):  # a thread that just ended
            tid = int(task.name)
            out.append((os.sched_getscheduler(tid), os.sched_getparam(tid).sched_priority))
    return sorted(out)


def _processes() -> Iterator[tuple[int, int, int]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            stat = _read(f"/proc/{entry.name}/stat")
            rest = stat.rpartition(")")[2].split()
            if len(rest) > 3 and rest[0] != "Z":
                yield int(entry.name), int(rest[1]), int(rest[3])


def _cpu_s(pid: int) -> float:
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_PER_S if len(fields) > 15 else 0.0


def _pss_mb(pid: int) -> float:
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
