"""Runs on disk: begin one, go on with one, open one to draw from it or export it.

``run.yaml`` is for people and for model cards: settings, share of the bars, epochs, seconds, credits, what it ran on.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import torch
import yaml

from hitloopd.core.errors import ArgumentError, ConfigError
from offline.dataset.store import Bars
from offline.jobs import write_atomically
from offline.training import checkpoint
from offline.training.checkpoint import Checkpoint
from offline.training.config import TrainingConfig, parse, plain
from offline.training.data import choose, credit
from offline.training.loop import log_of
from offline.training.recipe import Recipe, recipe_module

RUN_FILE: Final = "run.yaml"
FREE: Final = (
    "epochs", "sample_every", "samples", "validate_every", "best_by", "checkpoint_minutes",
)  # fmt: skip
"""Settings that may change when a run goes on: none of them changes a weight of an epoch."""


def device_of(name: str) -> torch.device:
    """``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        ArgumentError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        text = str(error).split("\n", maxsplit=1)[0]
        raise ArgumentError(f"--device {name}: {text} Use auto or cpu.") from error
    return device


def continued(held: Checkpoint, name: str, epochs: int | None, changes: Sequence[str]) -> TrainingConfig:
    """The settings with which a stored run goes on: its own, but for those of no consequence.

    Raises:
        ConfigError: another recipe, or a change that would make it another run.
    """
    sizes = (name, held.name)
    if name != held.name and set(sizes) != {"gan1", "gan2"}:
        raise ConfigError([f"The run is one of '{held.name}', not of '{name}'."])
    said: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    bad: list[str] = []
    for word in changes:
        key, _, text = word.partition("=")
        value = yaml.safe_load(text)
        if key not in FREE and held.config.get(key) != value:
            bad.append(f"--set {word}: a run that goes on keeps its settings but for {', '.join(FREE)}.")
        said[key] = value
    return parse(recipe_module(name).Config, {**held.config, **said}, "the run's settings", bad)


def open_run(folder: Path, which: str = "") -> tuple[Recipe, Checkpoint]:
    """A trained recipe without its data: to sample or export.

    Args:
        folder: the run.
        which: file name of the checkpoint; empty is best.pt where the recipe keeps one, else last.pt.

    Raises:
        UnavailableError: no checkpoint there.
        ConfigError: it is damaged, or from a program with other settings.
    """
    best = (folder / checkpoint.BEST).is_file()
    held = checkpoint.read(folder / (which or (checkpoint.BEST if best else checkpoint.LAST)))
    module = recipe_module(held.name)
    config = parse(module.Config, held.config, f"{folder}")
    recipe: Recipe = module.build(config, None, torch.device("cpu"))
    recipe.load_state_dict(held.recipe)
    return recipe, held


def write_run(
    folder: Path, recipe: Recipe, bars: Bars, *, device: torch.device, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Write run.yaml for a run as far as it is; returns what stands in it."""
    held = checkpoint.read(folder / checkpoint.LAST)
    config = parse(recipe_module(held.name).Config, held.config, "the run's settings")
    chosen = choose(bars, config)
    log = log_of(folder)
    told: dict[str, Any] = {
        "recipe": held.name,
        "epochs_done": held.progress.epoch,
        "steps_into_the_next": held.progress.step,
        "seconds": _seconds(held, log, len(chosen.train), chosen.available),
        "device": _device_words(device),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "seed": config.seed,
        "settings": plain(config),
        "facts": dict(recipe.facts()),
        "last_epoch": log[-1] if log else {},
        "best": {"by": config.best_by, "value": held.progress.best, "epoch": held.progress.best_epoch}
        if held.progress.best < float("inf")
        else {},
        **more,
        "licences_allowed": list(config.licences),
        "credits": credit(bars, chosen.train),
    }
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(folder / RUN_FILE, text.encode())
    return told


def _seconds(held: Checkpoint, log: Sequence[Mapping[str, Any]], bars: int, available: int) -> dict[str, Any]:
    """What it took, and what the recipe's full run would take at this pace."""
    trained = [line for line in log if line["epoch"]]
    if not trained:
        return {"total": round(held.progress.seconds, 1), "total_cpu": round(held.progress.cpu_seconds, 1)}
    pace = median(float(line["cpu_seconds"]) for line in trained)
    return {
        "total": round(held.progress.seconds, 1),
        "total_cpu": round(held.progress.cpu_seconds, 1),
        "epoch": round(median(float(line["seconds"]) for line in trained), 2),
        "epoch_cpu": round(pace, 2),
        "bar_cpu": round(pace / max(bars, 1), 5),
        "epoch_cpu_with_all_bars": round(pace / max(bars, 1) * available, 1),
    }


def _device_words(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()})"
