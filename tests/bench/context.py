"""What every benchmark gets: how long to take, where to put things, how to start programs, how to tell of progress."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.procs import Job

REPOSITORY = Path(__file__).parents[2]


@dataclass
class Context:
    """One run of the benchmarks.

    Args:
        work_dir: emptied at the end.
        memory_dir: the same, but never written to a disk, whose pages can make a writer wait.
        cache_dir: kept between runs: the compiled reference, the peers' environment.
        quick: shorter runs; the figures get rougher, the bars stay.
        rounds: how often the peers are measured.
    """

    work_dir: Path
    memory_dir: Path
    cache_dir: Path
    quick: bool = False
    rounds: int = 1
    jobs: list[Job] = field(default_factory=list)
    _serial: itertools.count[int] = field(default_factory=itertools.count)

    def seconds(self, full: float, quick: float) -> float:
        """How long to measure."""
        return quick if self.quick else full

    def start(
        self, argv: Sequence[str], name: str, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Job:
        """Start a program that is ended at the latest with the run."""
        log = self.work_dir / f"{name}.{next(self._serial)}.log"
        job = Job(argv, log, env=self.environment() if env is None else env, cwd=cwd or REPOSITORY)
        self.jobs.append(job)
        return job

    def environment(self, **more: str) -> dict[str, str]:
        """The environment programs get: ours, plus what keeps JACK from starting servers by itself."""
        return {**os.environ, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1", **more}

    def fresh_dir(self, name: str, *, in_memory: bool = False) -> Path:
        """A new empty folder."""
        path = (self.memory_dir if in_memory else self.work_dir) / f"{name}.{next(self._serial)}"
        path.mkdir()
        return path

    def say(self, text: str) -> None:
        """Progress, to stderr: stdout is the table's."""
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End everything that was started."""
        for job in self.jobs:
            job.stop(2.0)
        self.jobs.clear()
