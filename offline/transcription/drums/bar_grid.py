"""The drums of a song laid out in its bars, so that a stroke is seen beside those of the same place in other bars.

Conventions: a row is a bar of four beats, twelve cells each, so that sixteenths and triplets both fall on cells. A bar
of more beats has more rows, the last of them with cells in which nothing can be; so has one of fewer. A cell holds the
likeliest candidate of a lane; a candidate is a drum hit of which it is only known how sure it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import DRUM_LANES, Lane
from hitloopd.core.time import BEATS_PER_BAR
from offline.transcription.heard import DrumHit, FoundBar

CELLS_PER_BEAT: Final = 12
CELLS: Final = BEATS_PER_BAR * CELLS_PER_BEAT
LANES: Final = len(DRUM_LANES)
ABOUT: Final = DRUM_LANES.index(Lane.SNARE)
"""The lane for which bars are heard again, so the one whose candidates' sounds count."""
SURE: Final = 6.0
"""Odds, as logarithms, are told between this and its negative; the latter is nothing at all."""
CHANNELS: Final = 3 * LANES
"""Of a sight: how likely each lane's candidate is, whether there is one, its velocity."""
ADJOINING: Final = 0.2
"""Of a beat: bars further apart than this do not follow each other."""
NONE: Final = -1

Sight = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class BarGrid:
    """Where the beats of a song are, and in which cell each of them begins.

    Args:
        starts_s: of the beats, ascending.
        ends_s: of each; the next one's start where they adjoin.
        cells: the first cell of each, counted through all rows.
        rows: how many there are.
    """

    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    cells: Indices
    rows: int

    @classmethod
    def of(cls, bars: Sequence[FoundBar]) -> BarGrid:
        """The grid of the bars of a song, by time."""
        starts: list[float] = []
        ends: list[float] = []
        cells: list[int] = []
        row = 0
        for bar in bars:
            starts += bar.beats_s
            ends += [*bar.beats_s[1:], bar.end_s]
            cells += [row * CELLS + beat * CELLS_PER_BEAT for beat in range(len(bar.beats_s))]
            row += -(-len(bar.beats_s) // BEATS_PER_BAR)
        return cls(np.array(starts), np.array(ends), np.array(cells, np.int64), row)

    def cells_of(self, times_s: NDArray[np.float64]) -> Indices:
        """The cell that each moment is nearest to; ``NONE`` outside of the bars."""
        if not len(self.starts_s):
            return np.full(len(times_s), NONE)
        beat = np.clip(np.searchsorted(self.starts_s, times_s, side="right") - 1, 0, None)
        length = self.ends_s[beat] - self.starts_s[beat]
        cell = np.round(CELLS_PER_BEAT * (times_s - self.starts_s[beat]) / length).astype(np.int64)
        following = np.minimum(beat + 1, len(self.starts_s) - 1)
        adjoins = (following > beat) & (self.starts_s[following] - self.ends_s[beat] < ADJOINING * length)
        found = np.where(cell < CELLS_PER_BEAT, self.cells[beat] + cell, self.cells[following])
        inside = (cell >= 0) & ((cell < CELLS_PER_BEAT) | ((cell == CELLS_PER_BEAT) & adjoins))
        return np.where(inside, found, NONE)


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """Candidates in their cells.

    Args:
        sight: ``float32 [CHANNELS, cells]``.
        held: index of the candidate that each cell and lane holds, ``int64 [cells, LANES]``; ``NONE`` where none is.
        sounding: index of the candidate whose sound is a cell's: its snare's, or else the likeliest one's.
    """

    sight: Sight
    held: Indices
    sounding: Indices


def laid(grid: BarGrid, candidates: Sequence[DrumHit]) -> Laid:
    """The candidates of a song on its grid; of several in a cell the likeliest stays."""
    lane = np.array([DRUM_LANES.index(one.lane) for one in candidates], np.int64)
    sure = np.array([one.confidence for one in candidates], np.float64)
    cell = grid.cells_of(np.array([one.time_s for one in candidates], np.float64))
    held = np.full((grid.rows * CELLS, LANES), NONE, np.int64)
    rising = np.argsort(sure, kind="stable")
    rising = rising[cell[rising] != NONE]
    held[cell[rising], lane[rising]] = rising  # the last one written is the likeliest
    there = held != NONE
    velocity = np.append(np.array([one.velocity for one in candidates]), 0.0)
    odds = np.append(log_odds(sure), -SURE)
    parts = (odds[held] / SURE, there, np.where(there, velocity[held], 0.0))
    likeliest = np.take_along_axis(held, odds[held].argmax(axis=1)[:, None], axis=1)[:, 0]
    snare = held[:, ABOUT]
    sounding = np.where(snare != NONE, snare, likeliest)
    return Laid(np.concatenate(parts, axis=1).T.astype(np.float32), held, sounding)


def log_odds(sure: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the odds of probabilities, within what is told."""
    share = np.clip(sure, 1e-6, 1.0 - 1e-6)
    return np.clip(np.log(share / (1.0 - share)), -SURE, SURE)
