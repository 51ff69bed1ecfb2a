"""Hits of real bars, lent to bars that are only a grid: velocity, micro-timing, length and pitch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hitloopd.core.pattern import LANES
from hitloopd.core.time import CELLS_PER_BAR, STEPS_PER_BAR
from hitloopd.generate.roll import BASS_ROW, SHAPE
from offline.evaluation.views import Bytes, lengths
from offline.grid import cell_of, grid, onsets

Hit = Sequence[int]
"""Bar, step, row, length in steps, velocity 1..127."""

_PLACES = CELLS_PER_BAR * len(LANES)
_CELL = np.array([cell_of(step) for step in range(STEPS_PER_BAR)])


def render(count: int, hits: Iterable[Hit]) -> Bytes:
    """Rolls of ``count`` bars. A hit ends one step before the next of its row; of two neighbours the later stays."""
    rolls = np.zeros((count, *SHAPE), dtype=np.uint8)
    last: dict[tuple[int, int], int] = {}
    for bar, step, row, length, velocity in sorted((tuple(map(int, hit)) for hit in hits), reverse=True):
        after = last.get((bar, row), STEPS_PER_BAR + 1)
        if after - step < 2:
            continue
        rolls[bar, step : min(step + length, after - 1), row] = velocity
        last[bar, row] = step
    return rolls


@dataclass(frozen=True)
class Hits:
    """All hits of some bars, findable by place (cell and lane).

    Args:
        rows: ``int32 [hits, 5]``: bar, step, row, length, velocity.
        place: ``cell * 5 + lane`` of each.
        order: their indices sorted by place.
        first: where each place begins in ``order``; one more at the end.
    """

    rows: npt.NDArray[np.int32]
    place: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rolls: Bytes) -> Hits:
        """The hits of ``rolls``."""
        where = np.nonzero(onsets(rolls))
        rows = np.stack([*where, lengths(rolls)[where], rolls[where]], axis=1).astype(np.int32)
        place = _CELL[rows[:, 1]] * len(LANES) + np.minimum(rows[:, 2], BASS_ROW)
        order = np.argsort(place, kind="stable")
        return cls(rows, place, order, np.searchsorted(place[order], np.arange(_PLACES + 1)))

    def dress(self, grids: npt.NDArray[np.bool_], rng: np.random.Generator) -> Bytes:
        """Bars with a borrowed hit wherever the grid has one. A place no real bar uses stays empty."""
        return render(len(grids), self._borrowed(np.argwhere(grids), rng))

    def redress(self, rolls: Bytes, grids: npt.NDArray[np.bool_], rng: np.random.Generator) -> Bytes:
        """``rolls`` with the hits that ``grids`` does not have taken out, and those it has besides borrowed."""
        own = Hits.of(rolls)
        kept = own.rows[grids.reshape(len(grids), -1)[own.rows[:, 0], own.place]]
        more = self._borrowed(np.argwhere(grids & ~grid(rolls)), rng)
        return render(len(rolls), [*kept.tolist(), *more])

    def _borrowed(self, wanted: npt.NDArray[Any], rng: np.random.Generator) -> list[Hit]:
        place = wanted[:, 1] * len(LANES) + wanted[:, 2]
        size = self.first[place + 1] - self.first[place]
        wanted, place, size = wanted[size > 0], place[size > 0], size[size > 0]
        lent = self.rows[self.order[self.first[place] + rng.integers(size)]].copy()
        lent[:, 0] = wanted[:, 0]
        return lent.tolist()
