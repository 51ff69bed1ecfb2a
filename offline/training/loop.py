"""The loop: rows to the recipe in a given order, figures to a log, everything to a checkpoint in time.

Conventions: a run folder holds ``run.yaml`` (what is trained on what, how far, how fast, whose bars), ``log.jsonl``
(one line per epoch), ``last.pt`` and perhaps ``best.pt``, and ``samples/``. An interrupt ends the loop after the step
in hand, with a checkpoint; a kill loses at most the minutes since the last one, and the log's lines that came after.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from offline.jobs import write_atomically
from offline.training import checkpoint
from offline.training.checkpoint import Checkpoint, Progress
from offline.training.config import TrainingConfig, plain
from offline.training.pictures import draw_bars
from offline.training.recipe import Recipe

LOG: Final = "log.jsonl"
SAMPLES: Final = "samples"
_PICTURE_SEED: Final = 20


@dataclass(frozen=True)
class Run:
    """A run in hand: what is trained, with which settings, where its files go."""

    name: str
    config: TrainingConfig
    recipe: Recipe
    folder: Path
    device: torch.device
    data_key: str
    quiet: bool = False


def go(run: Run, progress: Progress, stop: Callable[[], bool]) -> bool:
    """Train until the last epoch; False when ``stop`` ended it before. The log and checkpoints are up to date then."""
    write_atomically(run.folder / LOG, "".join(_lines_until(run.folder / LOG, progress.epoch)).encode())
    if progress.epoch == 0 and progress.step == 0:
        _tell_beginning(run, progress)
    watch = _Watch(progress)
    while progress.epoch < run.config.epochs:
        for rows in _batches(run, progress):
            _add(progress, run.recipe.step(rows, _moment(run, progress)), len(rows))
            progress.step += 1
            watch.tick()
            if stop():
                _store(run, progress, watch)
                return False
            if watch.since_store() > run.config.checkpoint_minutes * 60:
                _store(run, progress, watch)
        _close_epoch(run, progress, watch)
    _store(run, progress, watch)
    return True


def log_of(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's log, one mapping per epoch."""
    path = folder / LOG
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def take_log(source: Path, folder: Path) -> None:
    """Begin a run's log with another one's: it goes on where that one is."""
    if (source / LOG).is_file():
        write_atomically(folder / LOG, (source / LOG).read_bytes())


class _Watch:
    """Seconds of the run, wall clock and processor, and since the last checkpoint."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._wall, self._cpu = time.monotonic(), time.process_time()
        self._stored = self._wall
        self.epoch_began = progress.seconds, progress.cpu_seconds

    def tick(self) -> None:
        wall, cpu = time.monotonic(), time.process_time()
        self._progress.seconds += wall - self._wall
        self._progress.cpu_seconds += cpu - self._cpu
        self._wall, self._cpu = wall, cpu

    def leave_out(self) -> None:
        """What happened since the last tick was no training: pictures, figures, files."""
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def since_store(self) -> float:
        return time.monotonic() - self._stored

    def stored(self) -> None:
        self._stored = time.monotonic()
        self.leave_out()


def _batches(run: Run, progress: Progress) -> Iterator[Tensor]:
    batches = list(checkpoint.order(run.recipe.items, run.config.seed, progress.epoch).split(run.config.batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:  # one bar alone has no variance to normalise by
        batches[-2:] = [torch.cat(batches[-2:])]
    yield from batches[progress.step :]


def _moment(run: Run, progress: Progress) -> float:
    return progress.epoch + progress.step * run.config.batch_size / max(run.recipe.items, 1)


def _add(progress: Progress, losses: Mapping[str, float], bars: int) -> None:
    progress.seen += bars
    for name, loss in losses.items():
        progress.sums[name] = progress.sums.get(name, 0.0) + loss * bars


def _close_epoch(run: Run, progress: Progress, watch: _Watch) -> None:
    seconds, cpu_seconds = progress.seconds - watch.epoch_began[0], progress.cpu_seconds - watch.epoch_began[1]
    losses = {name: total / max(progress.seen, 1) for name, total in progress.sums.items()}
    progress.epoch, progress.step, progress.sums, progress.seen = progress.epoch + 1, 0, {}, 0
    figures = _look(run, progress)
    _note(run, progress, losses=losses, figures=figures, seconds=(seconds, cpu_seconds))
    _say(run, progress, losses | figures, seconds)
    _draw(run, progress)
    if watch.since_store() > run.config.checkpoint_minutes * 60 / 4:
        _store(run, progress, watch)
    watch.leave_out()
    watch.epoch_began = progress.seconds, progress.cpu_seconds


def _tell_beginning(run: Run, progress: Progress) -> None:
    """The figures before the first step, as epoch 0: a run may begin with trained weights."""
    figures = _look(run, progress)
    if figures:
        _note(run, progress, losses={}, figures=figures, seconds=(0.0, 0.0))


def _note(
    run: Run,
    progress: Progress,
    *,
    losses: Mapping[str, float],
    figures: Mapping[str, float],
    seconds: tuple[float, float],
) -> None:
    """One line of the log."""
    line = {
        "epoch": progress.epoch,
        "losses": losses,
        "valid": figures,
        "seconds": round(seconds[0], 3),
        "cpu_seconds": round(seconds[1], 3),
        "total_cpu_seconds": round(progress.cpu_seconds, 3),
    }
    with (run.folder / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _look(run: Run, progress: Progress) -> dict[str, float]:
    """The validation figures where it is time for them; the best state is kept."""
    every = run.config.validate_every
    if not every or (progress.epoch % every and progress.epoch < run.config.epochs):
        return {}
    figures = dict(run.recipe.validate())
    figure = figures.get(run.config.best_by)
    if figure is not None and figure < progress.best:
        progress.best, progress.best_epoch = figure, progress.epoch
        _moment_of(run, progress).write(run.folder / checkpoint.BEST)
    return figures


def _draw(run: Run, progress: Progress) -> None:
    every = run.config.sample_every
    if run.config.samples and every and (progress.epoch % every == 0 or progress.epoch == run.config.epochs):
        rolls = run.recipe.sample(run.config.samples, _PICTURE_SEED)
        draw_bars(rolls, run.folder / SAMPLES / f"epoch-{progress.epoch:05d}.png")


def _store(run: Run, progress: Progress, watch: _Watch) -> None:
    watch.tick()
    _moment_of(run, progress).write(run.folder / checkpoint.LAST)
    watch.stored()


def _moment_of(run: Run, progress: Progress) -> Checkpoint:
    held = checkpoint.generators(run.device)
    state = run.recipe.state_dict()
    copied = dataclasses.replace(progress, sums=dict(progress.sums))
    return Checkpoint(run.name, plain(run.config), run.data_key, copied, state, held)


def _say(run: Run, progress: Progress, figures: Mapping[str, float], seconds: float) -> None:
    if run.quiet:
        return
    left = (run.config.epochs - progress.epoch) * seconds / 60
    told = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    print(
        f"{run.name}: epoch {progress.epoch} of {run.config.epochs}  {told}  {seconds:.1f} s, {left:.0f} min left",
        file=sys.stderr,
        flush=True,
    )


def _lines_until(path: Path, epoch: int) -> list[str]:
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n") and json.loads(line)["epoch"] <= epoch]
