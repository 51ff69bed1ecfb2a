"""Checkpoints: all that the next step depends on, so that a run that was ended goes on bit by bit.

Conventions: a checkpoint is data, never code (``torch.load(weights_only=True)`` reads it), written whole or not at all.
The order of the rows needs no storing: seed and epoch decide it. The same bits come only from the same machine, torch
version, device and number of threads: sums are rounded in the order in which they are made.
"""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from hitloopd.core.errors import ConfigError, UnavailableError
from offline.jobs import write_atomically

LAST: Final = "last.pt"
BEST: Final = "best.pt"
FORMAT: Final = 1


@dataclass(slots=True)
class Progress:
    """How far a run is.

    Args:
        epoch: epochs done.
        step: batches done of the epoch after them.
        sums: losses of this unfinished epoch, summed over its bars.
        seen: bars of this unfinished epoch.
        seconds: wall clock of all epochs, with this one.
        cpu_seconds: likewise, processor time of this process.
        best: lowest validation figure so far.
        best_epoch: after which epoch that was.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    seen: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    best: float = float("inf")
    best_epoch: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One moment of a run."""

    name: str
    config: Mapping[str, Any]
    data_key: str
    progress: Progress
    recipe: Mapping[str, Any]
    generators: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """Store it, whole or not at all."""
        held = {
            "format": FORMAT,
            "name": self.name,
            "config": dict(self.config),
            "data_key": self.data_key,
            "progress": asdict(self.progress),
            "recipe": dict(self.recipe),
            "generators": dict(self.generators),
        }
        file = io.BytesIO()
        torch.save(held, file)
        write_atomically(path, file.getvalue())


def read(path: Path) -> Checkpoint:
    """The checkpoint in a file.

    Raises:
        UnavailableError: there is none.
        ConfigError: the file is damaged or of another format.
    """
    if not path.is_file():
        raise UnavailableError(
            f"There is no checkpoint {path}. Train first: python -m offline train NAME --data DIR --out RUN"
        )
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the unpickler meets in a damaged file
        raise ConfigError([f"{path}: no checkpoint: {' '.join(str(error).split())[:200]}"]) from error
    if not isinstance(held, dict) or held.get("format") != FORMAT:
        raise ConfigError([f"{path}: not a checkpoint of format {FORMAT}: train again."])
    return Checkpoint(
        held["name"],
        held["config"],
        held["data_key"],
        Progress(**held["progress"]),
        held["recipe"],
        held["generators"],
    )


def generators(device: torch.device) -> dict[str, Any]:
    """The state of every source of chance: torch, numpy, Python, and the device's own."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002 - the global one is what is stored
    version, words, spare = random.getstate()
    held: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "numpy": (kind, np.asarray(keys).tolist(), int(position), int(has_gauss), float(gauss)),
        "python": (version, list(words), spare),
    }
    if device.type == "cuda":
        held["cuda"] = torch.cuda.get_rng_state(device)
    return held


def restore(held: Mapping[str, Any], device: torch.device) -> None:
    """Put every source of chance back."""
    torch.set_rng_state(_bytes(held["torch"]))
    kind, keys, position, has_gauss, gauss = held["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, gauss))  # noqa: NPY002 - as above
    version, words, spare = held["python"]
    random.setstate((version, tuple(words), spare))
    if device.type == "cuda" and "cuda" in held:
        torch.cuda.set_rng_state(_bytes(held["cuda"]), device)


def sow(seed: int) -> None:
    """Begin every source of chance from one seed."""
    torch.manual_seed(seed)
    np.random.seed(seed % (1 << 32))  # noqa: NPY002 - for whatever library uses the global one
    random.seed(seed)


def order(items: int, seed: int, epoch: int) -> Tensor:
    """The order of the rows in an epoch: int64 [items]."""
    dealer = torch.Generator().manual_seed((seed << 24) + epoch)
    return torch.randperm(items, generator=dealer)


def _bytes(state: Tensor) -> Tensor:
    return state.cpu().to(torch.uint8)
