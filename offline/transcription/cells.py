"""Bars as 16 x 5 cells: what is played put on a grid of bars, and how well found bars fit the true ones.

The rules are those of the data sets' encoder (``offline.dataset.encoder``): the nearest of 128 steps, a drum hit in the
last three of them is the next downbeat played early, a bass note that is held over a bar line begins the next bar too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import LANES, Lane
from hitloopd.core.time import CELLS_PER_BAR, STEPS_PER_BAR
from offline.dataset.encoder import EARLY_STEPS
from offline.grid import cell_of
from offline.transcription.heard import BassNote, DrumHit, FoundBar
from offline.transcription.judging.scores import LINE_S, Tally, matches

Cells = NDArray[np.bool_]
"""``[bars, 16, 5]``, lanes in the order of ``core.pattern.LANES``."""

_BASS: Final = LANES.index(Lane.BASS)


def cells_of(hits: Sequence[DrumHit], notes: Sequence[BassNote], bars: Sequence[FoundBar]) -> Cells:
    """The cells in which something begins.

    Args:
        hits: of the drums.
        notes: of the bass.
        bars: by start and without gaps; each beat is a fourth of a bar, however long it lasts.
    """
    cells = np.zeros((len(bars), CELLS_PER_BAR, len(LANES)), dtype=np.bool_)
    for hit in hits:
        bar, step = _place(hit.time_s, bars, STEPS_PER_BAR - EARLY_STEPS)
        _mark(cells, bar, step, LANES.index(hit.lane))
    for note in notes:
        bar, step = _place(note.start_s, bars, STEPS_PER_BAR)
        _mark(cells, bar, step, _BASS)
        end_bar, end_step = _place(note.end_s, bars, STEPS_PER_BAR)
        for held in range(bar + 1, end_bar + (end_step > 0)):
            _mark(cells, held, 0, _BASS)
    return cells


def _mark(cells: Cells, bar: int, step: int, lane: int) -> None:
    if 0 <= bar < len(cells):
        cells[bar, cell_of(step), lane] = True


def _place(time_s: float, bars: Sequence[FoundBar], last: int) -> tuple[int, int]:
    """Bar and step of a moment; from step ``last`` on it is the first of the next bar. Outside all bars: bar -1."""
    index = bisect_right(bars, time_s, key=lambda bar: bar.start_s) - 1
    if index < 0:
        return -1, 0
    bar = bars[index]
    corners = (*bar.beats_s, bar.end_s)
    if time_s >= bar.end_s:
        return len(bars), 0
    beat = bisect_right(corners, time_s) - 1
    within = (time_s - corners[beat]) / (corners[beat + 1] - corners[beat])
    step = floor((beat + within) / len(bar.beats_s) * STEPS_PER_BAR + 0.5)
    return (index + 1, 0) if step >= last else (index, step)


def cell_tally(true: Cells, found: Cells) -> Tally:
    """Cells of the same bars."""
    return Tally(int(found.sum()), int(true.sum()), int((true & found).sum()))


def lane_tallies(true: Cells, found: Cells) -> dict[Lane, Tally]:
    """The same for each lane."""
    return {lane: cell_tally(true[..., index], found[..., index]) for index, lane in enumerate(LANES)}


def found_bars_tally(
    true: Cells, true_starts_s: Sequence[float], found: Cells, found_starts_s: Sequence[float]
) -> Tally:
    """Cells of bars that begin within 70 ms of a true one; those of all others are false, or missed."""
    pairs = matches(np.asarray(true_starts_s, np.float64), np.asarray(found_starts_s, np.float64), LINE_S)
    fit = sum(int((true[one] & found[other]).sum()) for one, other in pairs)
    return Tally(int(found.sum()), int(true.sum()), fit)


def whole(bars: Sequence[FoundBar]) -> list[int]:
    """The indices of the bars that are whole ones of 4/4."""
    return [index for index, bar in enumerate(bars) if not bar.reason]


def without_gaps(bars: Sequence[FoundBar]) -> bool:
    """Whether each bar begins where the one before it ends."""
    return all(abs(one.end_s - following.start_s) < 1e-6 for one, following in pairwise(bars))
