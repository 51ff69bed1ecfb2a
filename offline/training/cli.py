"""``python -m offline train NAME --data DIR --out RUN``: train a generator, and go on where it was left."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import torch

from hitloopd.core.errors import ArgumentError, ConfigError
from offline.dataset.store import load_bars
from offline.training import checkpoint
from offline.training.checkpoint import Checkpoint, Progress
from offline.training.config import TrainingConfig, read, train_folder
from offline.training.data import choose
from offline.training.loop import Run, go, take_log
from offline.training.recipe import RECIPES, Recipe, recipe_module
from offline.training.run import continued, device_of, write_run

INTERRUPTED: Final = 130


def configure(parser: argparse.ArgumentParser) -> None:
    """The words of the command."""
    parser.add_argument("name", help="what to train: " + ", ".join(RECIPES))
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a data set of 'offline dataset build'")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    parser.add_argument("--epochs", type=int, help="train until so many epochs are done (default: the settings')")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes", help="one setting")
    parser.add_argument("--config", type=Path, help="settings file (default: configs/train/NAME.yaml)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in RUN, bit by bit")
    parser.add_argument("--resume-from", type=Path, metavar="OTHER", help="go on with OTHER's state, in RUN")
    parser.add_argument("--start-from", type=Path, metavar="VAE_RUN", help="vaegan: begin with a trained decoder")
    parser.add_argument("--json", action="store_true", help="what stands in run.yaml as JSON at the end")
    parser.add_argument("--quiet", action="store_true", help="no line per epoch")


def run(arguments: argparse.Namespace) -> int:
    """Train; 0 when all epochs are done, 130 when interrupted (with a checkpoint)."""
    module = recipe_module(arguments.name)
    held = _found(arguments)
    config = _settings(arguments, module, held)
    device = device_of(arguments.device)
    _make_repeatable(device)
    bars = load_bars(arguments.data)
    key = choose(bars, config).key
    if held is not None and held.data_key != key:
        raise ConfigError([f"{arguments.data}: these are not the bars that the run was trained on until now."])
    checkpoint.sow(config.seed)
    recipe: Recipe = module.build(config, bars, device)
    more = _begin(arguments, module, recipe, held, device)
    progress = Progress() if held is None else held.progress
    job = Run(arguments.name, config, recipe, arguments.out, device, key, arguments.quiet)
    with _interruptible() as interrupted:
        done = go(job, progress, lambda: bool(interrupted))
    told = write_run(arguments.out, recipe, bars, device=device, more=more)
    _report(arguments, told, done=done)
    return 0 if done else INTERRUPTED


def _found(arguments: argparse.Namespace) -> Checkpoint | None:
    """The checkpoint to go on with, if any.

    Raises:
        ArgumentError: the words contradict each other or what lies in the folder.
    """
    last = arguments.out / checkpoint.LAST
    if arguments.resume and arguments.resume_from:
        raise ArgumentError("--resume goes on in RUN, --resume-from takes another run's state: say one of them.")
    if (arguments.resume or arguments.resume_from) and arguments.start_from:
        raise ArgumentError("--start-from is for the beginning of a run; one that goes on has its weights.")
    if not arguments.resume and last.exists():
        raise ArgumentError(f"{arguments.out} holds a run. Go on with it by --resume, or name another folder by --out.")
    if arguments.resume_from:
        return checkpoint.read(arguments.resume_from / checkpoint.LAST)
    return checkpoint.read(last) if arguments.resume else None


def _settings(arguments: argparse.Namespace, module: ModuleType, held: Checkpoint | None) -> TrainingConfig:
    if held is not None:
        return continued(held, arguments.name, arguments.epochs, arguments.changes)
    changes = list(arguments.changes)
    if arguments.epochs is not None:
        changes.append(f"epochs={arguments.epochs}")
    config: TrainingConfig = read(module.Config, arguments.config or train_folder() / f"{arguments.name}.yaml", changes)
    return config


def _begin(
    arguments: argparse.Namespace,
    module: ModuleType,
    recipe: Recipe,
    held: Checkpoint | None,
    device: torch.device,
) -> dict[str, Any]:
    """Put the recipe where the run stands; what run.yaml shall say of its beginning."""
    if held is not None:
        if arguments.resume_from:
            take_log(arguments.resume_from, arguments.out)
        recipe.load_state_dict(held.recipe)
        checkpoint.restore(held.generators, device)
        return _beginning_told(arguments.resume_from or arguments.out)
    if arguments.start_from is None:
        return {}
    if not hasattr(module, "start"):
        raise ArgumentError(f"--start-from is for vaegan; '{arguments.name}' begins from nothing.")
    return {"started_from": module.start(recipe, arguments.start_from)}


def _beginning_told(folder: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - only a run that goes on needs it

    path = folder / "run.yaml"
    told = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {"started_from": told["started_from"]} if "started_from" in told else {}


def _make_repeatable(device: torch.device) -> None:
    """The same sums in the same order, where the device can."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS may sum in any order
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(mode=True, warn_only=True)


@contextlib.contextmanager
def _interruptible() -> Iterator[list[int]]:
    """A list that is filled by the first interrupt; the second one is not caught."""
    seen: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: object) -> None:
        seen.append(number)
        print("stopping after this step…", file=sys.stderr, flush=True)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(arguments: argparse.Namespace, told: dict[str, Any], *, done: bool) -> None:
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False))
        return
    seconds = told["seconds"]
    print(
        f"{arguments.out}: {told['epochs_done']} epochs, {seconds['total']} s ({seconds['total_cpu']} s of processor)."
        + ("" if done else " Interrupted; go on with --resume.")
    )
