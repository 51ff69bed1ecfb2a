"""What generators are held against: the training bars of a data set, and bars of songs that nobody learnt from.

Two references, for they ask different things. ``all``: every bar, most of them drums alone; a generator is asked for
bars without a bass in the same share, by leaving the lane out of the request. ``whole``: bars in which drums and bass
play. Bars are drawn alike, so songs that repeat themselves weigh as they do in the data set; the copies of a generator
are counted against all training bars.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from hitloopd.core.energy import measure
from hitloopd.core.errors import UnavailableError
from hitloopd.generate.roll import pattern_from_roll
from offline.dataset.store import Bars, load_bars
from offline.evaluation.baselines import Material, material
from offline.evaluation.views import MAX_VELOCITY, Bytes

Which = Literal["all", "whole"]
WHICH: Final[tuple[Which, ...]] = ("all", "whole")
TITLES: Final = {
    "all": "All bars (bass where the data have one)",
    "whole": "Whole bars (drums and bass)",
}
_LEAST: Final = 50


@dataclass(frozen=True)
class Reference:
    """One data set seen one way.

    Args:
        which: ``all`` or ``whole``.
        material: training and unseen (test) rolls.
        songs: the song of each training bar.
        unseen_songs: the song of each unseen bar.
        other: rolls of the validation songs: a second opinion on what real bars get.
        bass: whether each training bar has a bass.
        styles: the style of each training bar, as the manifest names it.
    """

    which: Which
    material: Material
    songs: npt.NDArray[Any]
    unseen_songs: npt.NDArray[Any]
    other: Bytes
    bass: npt.NDArray[np.bool_]
    styles: npt.NDArray[Any]

    def sample(self, count: int, seed: int) -> npt.NDArray[np.int64]:
        """Indices of training bars to compare with: another set for every seed."""
        return np.random.default_rng([seed, 31]).permutation(len(self.songs))[:count]

    def asked(self, count: int, seed: int) -> npt.NDArray[np.int64]:
        """Indices of training bars whose style, energy and lanes a generator is asked for."""
        return np.random.default_rng([seed, 32]).integers(len(self.songs), size=count)

    def energy(self, index: int) -> float:
        """The measured energy of a training bar."""
        return energy_of(self.material.training[index])


def energy_of(roll: npt.NDArray[Any]) -> float:
    """The energy 0..1 of one bar of bytes."""
    return measure(pattern_from_roll(roll.astype(np.float32) / np.float32(MAX_VELOCITY), 36).notes).value


@functools.lru_cache(maxsize=2)
def reference(folder: Path, which: Which) -> Reference:
    """The reference in a data set folder.

    Raises:
        UnavailableError: there is no data set, or too few bars of unseen songs to say anything.
    """
    return build(load_bars(folder), which)


def build(bars: Bars, which: Which) -> Reference:
    """The reference in a loaded data set; raises as ``reference`` does."""
    fit = bars.has_bass if which == "whole" else np.ones(len(bars), dtype=bool)
    parts = {name: np.flatnonzero(fit & (bars.split == name)) for name in ("train", "valid", "test")}
    for name in ("train", "test"):
        if len(parts[name]) < _LEAST:
            raise UnavailableError(
                f"The data set has {len(parts[name])} bars in its {name} songs ({TITLES[which]}); judging needs "
                f"{_LEAST}. Build a larger one: python -m offline dataset build."
            )
    train, test = parts["train"], parts["test"]
    return Reference(
        which,
        material(bars.rolls[train], bars.rolls[test]),
        np.asarray(bars.song)[train],
        np.asarray(bars.song)[test],
        bars.rolls[parts["valid"]],
        np.asarray(bars.has_bass)[train],
        np.asarray(bars.style)[train],
    )
