"""Long work in pieces: in parallel, here or on a Dask cluster, with progress; started again it goes on.

Conventions: a piece is one call of a top-level function. Its result is stored under its key before it counts as done,
so a kill loses only the pieces in flight. Results come back in the order of the jobs, whoever finished first: the same
bytes from one core, many, or a cluster.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hitloopd.core.errors import HitloopError, UnavailableError

CONNECT_S: Final = 10.0
_REPORT_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """One piece: the key under which its result is stored, and the arguments of its call."""

    key: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A piece that could not be done, and why: one line for a person."""

    reason: str


def job_key(*parts: object) -> str:
    """A stable key from everything that decides a result: file hash, options, version of the code's output."""
    return hashlib.blake2b("\0".join(map(repr, parts)).encode(), digest_size=16).hexdigest()


def file_hash(path: Path) -> str:
    """BLAKE2b of a file's bytes, read in pieces."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """The whole file or none of it, also when the power fails half-way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def run_jobs(
    function: Callable[..., Any],
    jobs: Sequence[Job],
    store: Path,
    *,
    workers: int = 1,
    cluster: str | None = None,
    label: str = "work",
    quiet: bool = False,
) -> Iterator[tuple[Job, Any]]:
    """Each job with its result, in order; a job that raised comes back as ``Refused``.

    Args:
        function: importable by name, picklable arguments and result.
        jobs: the pieces.
        store: folder of finished pieces; those found there are not done again. Refusals are not stored.
        workers: processes on this machine; 0 is one per core.
        cluster: address of a Dask scheduler (``tcp://host:8786``) instead of processes here.
        label: what the progress line says.
        quiet: no progress line.

    Raises:
        UnavailableError: the cluster does not answer, or dask is not installed.
    """
    store.mkdir(parents=True, exist_ok=True)
    waiting = [job for job in jobs if not (store / job.key).is_file()]
    progress = Progress(label, len(jobs), len(jobs) - len(waiting), quiet=quiet)
    refused: dict[str, Refused] = {}
    for key, result in _executor(workers, cluster)(function, waiting):
        if isinstance(result, Refused):
            refused[key] = result
        else:
            write_atomically(store / key, pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL))
        progress.step()
    progress.close()
    for job in jobs:
        yield job, refused[job.key] if job.key in refused else pickle.loads((store / job.key).read_bytes())


def attempt(function: Callable[..., Any], job: Job) -> tuple[str, Any]:
    """The job's key and result; what it raised as a ``Refused`` with one line."""
    try:
        return job.key, function(*job.arguments)
    except HitloopError as error:
        return job.key, Refused(str(error))
    except Exception as error:  # noqa: BLE001 - one bad file among thousands must not end the others
        text = " ".join(str(error).split())
        return job.key, Refused(f"{type(error).__name__}: {text[:200]}")


def _executor(workers: int, cluster: str | None) -> Callable[..., Iterable[tuple[str, Any]]]:
    if cluster is not None:
        return lambda function, jobs: _on_cluster(cluster, function, jobs)
    count = workers or os.cpu_count() or 1
    if count == 1:
        return lambda function, jobs: (attempt(function, job) for job in jobs)
    return lambda function, jobs: _in_processes(count, function, jobs)


def _in_processes(count: int, function: Callable[..., Any], jobs: Sequence[Job]) -> Iterable[tuple[str, Any]]:
    import joblib  # noqa: PLC0415 - one process needs none of it

    one_by_one: dict[str, Any] = {"return_as": "generator_unordered", "batch_size": 1}
    parallel: Any = joblib.Parallel(n_jobs=count, **one_by_one)
    try:
        yield from parallel(joblib.delayed(attempt)(function, job) for job in jobs)
    except BrokenExecutor as error:
        raise UnavailableError(
            "A worker process died (killed, or out of memory). What is done is kept: "
            "the same command goes on from here, with fewer --jobs if memory was short."
        ) from error


def _on_cluster(address: str, function: Callable[..., Any], jobs: Sequence[Job]) -> Iterable[tuple[str, Any]]:
    try:
        from dask.distributed import Client, KilledWorker, as_completed  # noqa: PLC0415 - only clusters need it
    except ImportError as error:
        raise UnavailableError('--cluster needs dask: pip install "dask[distributed]".') from error
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"No Dask scheduler answers at {address}: {error}. Start one with 'dask scheduler'."
        ) from error
    with client:
        futures = {client.submit(attempt, function, job, pure=False): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield future.result()
            except KilledWorker:
                yield futures[future].key, Refused("every worker of the cluster that took it died")
            except CancelledError as error:
                raise UnavailableError(
                    f"The Dask scheduler at {address} went away. What is done is kept: the same command goes on."
                ) from error
            future.release()


class Progress:
    """One line on a terminal, one line in a while elsewhere; always on stderr, so that ``--json`` stays clean."""

    def __init__(self, label: str, total: int, done: int = 0, *, quiet: bool = False) -> None:
        self._label, self._total, self._done, self._before = label, total, done, done
        self._quiet = quiet or total == 0
        self._said = -1
        self._live = sys.stderr.isatty()
        self._started = self._told = time.monotonic()

    def step(self) -> None:
        """One piece more is done."""
        self.at(self._done + 1)

    def at(self, done: float) -> None:
        """So much is done."""
        self._done = round(done)
        now = time.monotonic()
        if now - self._told >= (_REPORT_EVERY_S if self._live else 15 * _REPORT_EVERY_S):
            self._told = now
            self._say(now)

    def close(self) -> None:
        """The last line, unless it was said."""
        if self._said != self._done:
            self._say(time.monotonic())
        if self._live and not self._quiet:
            print(file=sys.stderr)

    def _say(self, now: float) -> None:
        self._said = self._done
        if self._quiet:
            return
        rate = (self._done - self._before) / max(now - self._started, 1e-9)
        left = (self._total - self._done) / rate if rate else 0.0
        kept = f", {self._before} kept from before" if self._before else ""
        line = f"{self._label}: {self._done} of {self._total}{kept}, {left:.0f} s left"
        print(f"\r\033[K{line}" if self._live else line, end="" if self._live else "\n", file=sys.stderr, flush=True)
