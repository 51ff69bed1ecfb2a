"""Which bars of a data set a run learns from, and whose they are.

Conventions: rolls are ``uint8 [n, 128, 20]`` at rest, ``float32`` 0..1 in a network. The order of the chosen bars is
the data set's; a limited number of them is a random share that the seed decides, so more bars include fewer ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hitloopd.core.errors import ArgumentError
from offline.dataset.store import Bars
from offline.jobs import job_key
from offline.training.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Chosen:
    """Bars for training and for validation, by their index in the data set.

    Args:
        train: int64 [n], ascending.
        valid: int64 [m], ascending; bars of songs that training never sees.
        available: training bars that the filters let through, before ``bars`` took a share of them.
        whole: training bars of the whole data set.
        key: changes when other bars are chosen: a run goes on with its own bars only.
    """

    train: npt.NDArray[np.int64]
    valid: npt.NDArray[np.int64]
    available: int
    whole: int
    key: str

    def facts(self) -> dict[str, Any]:
        """For run.yaml: how many bars, and which share that is."""
        return {
            "train_bars": len(self.train),
            "train_bars_after_filters": self.available,
            "train_bars_in_data_set": self.whole,
            "share": round(len(self.train) / max(self.available, 1), 4),
            "valid_bars": len(self.valid),
            "key": self.key,
        }


def choose(bars: Bars, config: TrainingConfig) -> Chosen:
    """The bars that the settings let through.

    Raises:
        ArgumentError: none is left.
    """
    fit = np.isin(bars.family, config.licences)
    if config.distinct:
        fit &= ~bars.duplicate
    if config.bass:
        fit &= bars.has_bass
    split = np.asarray(bars.split)
    train, valid = (np.flatnonzero(fit & (split == name)) for name in ("train", "valid"))
    available = len(train)
    if not available:
        raise ArgumentError(
            f"No training bar is left: the data set has {int((split == 'train').sum())}, "
            f"the settings want licences {', '.join(config.licences)}, distinct {config.distinct}, bass {config.bass}."
        )
    if 0 < config.bars < available:
        train = np.sort(np.random.default_rng(config.seed).permutation(train)[: config.bars])
    rolls = np.ascontiguousarray(bars.rolls[train])
    key = job_key(train.tobytes(), np.packbits(rolls > 0).tobytes(), int(rolls.sum(dtype=np.int64)))
    return Chosen(train, valid, available, int((split == "train").sum()), key)


def rolls_of(bars: Bars, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """float32 [n, 128, 20], velocity 0..1."""
    return bars.rolls[rows].astype(np.float32) / np.float32(127)


def credit(bars: Bars, rows: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Whose bars these are: author, licence, and the songs with how many bars of each were learnt from."""
    works: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in rows:
        owner = (str(bars.author[row]), str(bars.licence[row]), str(bars.family[row]))
        songs = works.setdefault(owner, {})
        title = str(bars.title[row])
        songs[title] = songs.get(title, 0) + 1
    return [_work(owner, songs) for owner, songs in sorted(works.items())]


def _work(owner: tuple[str, str, str], songs: Mapping[str, int]) -> dict[str, Any]:
    author, licence, family = owner
    return {
        "author": author,
        "licence": licence,
        "family": family,
        "bars": sum(songs.values()),
        "songs": sorted(songs),
    }
