"""How alike two sets of bars are in what a musician would name: density, syncopation, spacing, timing, loudness.

Overlapping area (Yang and Lerch, 2020): the distances between all pairs of real bars in one feature, and between all
pairs of a real and a drawn bar, each as a smooth density; the area under both at once, 1 for the same.

Syncopation (Longuet-Higgins and Lee, 1984) on 16 cells, going round: a note followed by a rest on a stronger place
counts by how much stronger; the weights are those of 4/4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.pattern import LANES
from hitloopd.core.time import CELLS_PER_BAR, STEPS_PER_BAR
from offline.evaluation.views import MAX_VELOCITY, STEPS_PER_CELL, Bytes, as_bytes, offsets
from offline.grid import grid, lanes, onsets

Features = Mapping[str, npt.NDArray[np.float64]]

STRENGTH: Final = np.array([0, -4, -3, -4, -2, -4, -3, -4, -1, -4, -3, -4, -2, -4, -3, -4])
_BINS: Final = STEPS_PER_BAR + 1
EARLIEST: Final = -STEPS_PER_CELL // 2
PLACES: Final = STEPS_PER_CELL + STEPS_PER_CELL // 2  # the last cell reaches to the bar's end


def syncopation(grids: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Longuet-Higgins and Lee's measure of each lane: ``[n, 16, 5] -> [n, 5]``."""
    total = np.zeros((len(grids), grids.shape[2]), dtype=np.int64)
    for cell in range(CELLS_PER_BAR):
        resting = grids[:, cell].copy()
        strongest = np.full(total.shape, -9)
        for later in range(1, CELLS_PER_BAR):
            place = (cell + later) % CELLS_PER_BAR
            resting &= ~grids[:, place]
            strongest = np.where(resting, np.maximum(strongest, STRENGTH[place]), strongest)
        total += np.where(grids[:, cell], np.maximum(strongest - STRENGTH[cell], 0), 0)
    return total


def features(rolls: npt.NDArray[Any]) -> Mapping[str, Features]:
    """Per lane and bar: onsets, syncopation, mean steps between onsets (not a number where there are no two)."""
    small = as_bytes(rolls)
    begins = lanes(onsets(small))
    counts = begins.sum(axis=1)
    first, last = begins.argmax(axis=1), STEPS_PER_BAR - 1 - begins[:, ::-1].argmax(axis=1)
    spacing = np.where(counts > 1, (last - first) / np.maximum(counts - 1, 1), np.nan)
    tables = {"density": counts, "syncopation": syncopation(grid(small)), "spacing": spacing}
    return {
        name: {lane.value: table[:, index].astype(np.float64) for index, lane in enumerate(LANES)}
        for name, table in tables.items()
    }


def overlap(real: npt.NDArray[np.float64], drawn: npt.NDArray[np.float64]) -> float:
    """The overlapping area of one feature; 0 where only one of the two has it at all, 1 where neither has."""
    a, b = real[~np.isnan(real)], drawn[~np.isnan(drawn)]
    if min(len(a), len(b)) == 0:
        return float(len(a) == len(b))
    p, q = (np.bincount(np.rint(np.clip(x, 0, _BINS - 1)).astype(int), minlength=_BINS) / len(x) for x in (a, b))
    within, across = _apart(p, p), _apart(p, q)
    places = np.arange(_BINS)
    mean = (within * places).sum()
    spread = np.sqrt((within * (places - mean) ** 2).sum())
    width = max(spread * len(a) ** -0.2, 0.5)
    kernel = np.exp(-0.5 * ((places[:, None] - places[None, :]) / width) ** 2)
    kernel += np.exp(-0.5 * ((places[:, None] + places[None, :]) / width) ** 2)  # distances fold back at 0
    kernel /= kernel.sum(axis=0)
    return float(np.minimum(kernel @ within, kernel @ across).sum())


def _apart(p: npt.NDArray[Any], q: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The distribution of |x - y| of independent x ~ p and y ~ q."""
    both = np.correlate(p, q, mode="full")
    middle = len(p) - 1
    out = both[middle:].copy()
    out[1:] += both[:middle][::-1]
    return out


def overlaps(real: Mapping[str, Features], drawn: Mapping[str, Features]) -> dict[str, dict[str, float]]:
    """The overlapping area of every feature and lane."""
    return {
        name: {lane: round(overlap(values, drawn[name][lane]), 4) for lane, values in table.items()}
        for name, table in real.items()
    }


@dataclass(frozen=True, slots=True)
class Feel:
    """Micro-timing and loudness of all hits.

    Args:
        timing: share of hits at each place from four steps before the cell's line to seven after, ``[5, 12]`` by lane.
        velocity: share of hits at each velocity, ``[5, 128]`` by lane.
        hits: how many, ``[5]``.
    """

    timing: npt.NDArray[np.float64]
    velocity: npt.NDArray[np.float64]
    hits: npt.NDArray[np.int64]

    @property
    def off_grid(self) -> float:
        """The share of hits that are not on their cell's line."""
        on_line = (self.timing[:, -EARLIEST] * self.hits).sum()
        return float(1 - on_line / max(self.hits.sum(), 1))

    @property
    def loudness(self) -> float:
        """Mean velocity 0..1."""
        means = self.velocity @ np.arange(MAX_VELOCITY + 1)
        return float((means * self.hits).sum() / max(self.hits.sum(), 1) / MAX_VELOCITY)


def feel(rolls: npt.NDArray[Any]) -> Feel:
    """Where and how hard the hits of some bars are."""
    small: Bytes = as_bytes(rolls)
    _, step, row = where = np.nonzero(onsets(small))
    lane = np.minimum(row, len(LANES) - 1)
    timing = np.zeros((len(LANES), PLACES))
    velocity = np.zeros((len(LANES), MAX_VELOCITY + 1))
    np.add.at(timing, (lane, offsets()[step] - EARLIEST), 1)
    np.add.at(velocity, (lane, small[where]), 1)
    hits = timing.sum(axis=1)
    scale = np.maximum(hits, 1)[:, None]
    return Feel(timing / scale, velocity / scale, hits.astype(np.int64))


def moved(real: Feel, drawn: Feel) -> tuple[float, float]:
    """How far hits would have to be moved to get the real distributions: steps of timing, and velocity 0..1.

    The earth mover's distance, lane by lane, weighted by the real hits; a lane that only one side plays is left out.
    """
    both = (real.hits > 0) & (drawn.hits > 0)
    weights = np.where(both, real.hits, 0)
    if not weights.sum():
        return 0.0, 0.0
    timing, velocity = (
        np.abs(np.cumsum(a - b, axis=1)).sum(axis=1)
        for a, b in ((real.timing, drawn.timing), (real.velocity, drawn.velocity))
    )
    return (
        float((timing * weights).sum() / weights.sum()),
        float((velocity * weights).sum() / weights.sum() / MAX_VELOCITY),
    )
