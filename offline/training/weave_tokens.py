"""Bars as the tokens that ``weave`` draws, and back: what strikes in each cell and lane, where, how hard, how long.

Conventions: a roll's hits are its runs of one velocity. ``hits`` is int16 ``[n, 16, 5, 3, 5]``: bar, cell, lane, slot,
and (place, pitch, velocity, length, fine); place is the step from four before the cell's line, 0..11, or -1 where there
is no hit; fine is the tick within the step, 0..25 for -18..7. Up to three hits of a lane in a cell are kept, in time
order. Everything that the network may look back at follows from ``hits`` alone (``context``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.pattern import MAX_EARLY_TICKS
from hitloopd.core.time import STEPS_PER_BAR, TICKS_PER_STEP
from hitloopd.generate.roll import BASS_ROW, ROWS
from offline.dataset.store import Events

Array = npt.NDArray[Any]

CELLS: Final = 16
LANES: Final = 5
SLOTS: Final = 3
BASS: Final = 4
EARLY: Final = 4  # steps that a cell reaches before its line
STEPS: Final = 8
FACTS: Final = 5
PLACE, PITCH, VELOCITY, LENGTH, FINE = range(FACTS)
ON_THE_STEP: Final = MAX_EARLY_TICKS  # as a fine value
FINEST: Final = 26
POINTERS: Final = 4
LAGS: Final = (4, 8)
LONGEST_HELD: Final = 17


def hits_of(rolls: Array, events: Events | None = None) -> Array:
    """The hits of rolls ``uint8 [n, 128, 20]`` as tokens; ``events`` tell when exactly they were played."""
    before = np.zeros_like(rolls)
    before[:, 1:] = rolls[:, :-1]
    changes = rolls != before
    bar, row, step = np.nonzero(np.moveaxis((rolls > 0) & changes, 2, 1))
    velocity = rolls[bar, step, row]
    length = _run_lengths(changes)[bar, step, row]
    cell = np.minimum((step + EARLY) // STEPS, CELLS - 1)
    lane = np.minimum(row, BASS)
    order = np.lexsort((row, step, lane, cell, bar))
    bar, row, step, velocity, length, cell, lane = (x[order] for x in (bar, row, step, velocity, length, cell, lane))
    group = (bar * CELLS + cell) * LANES + lane
    first = np.concatenate([[True], group[1:] != group[:-1]]) if len(group) else np.zeros(0, dtype=bool)
    slot = np.arange(len(group)) - np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
    kept = slot < SLOTS
    hits = np.zeros((len(rolls), CELLS, LANES, SLOTS, FACTS), dtype=np.int16)
    hits[..., PLACE] = -1
    fine = _fine(bar, row, step, events)
    values = np.stack([step - cell * STEPS + EARLY, np.maximum(row - BASS_ROW, 0), velocity, length, fine], axis=-1)
    hits[bar[kept], cell[kept], lane[kept], slot[kept]] = values[kept]
    return hits


def _fine(bar: Array, row: Array, step: Array, events: Events | None) -> Array:
    """How far from its step each hit was played, by the first event that lies there."""
    if events is None or not len(events):
        return np.full(len(bar), ON_THE_STEP)
    start = events.start_ticks.astype(np.int64)
    played = np.maximum((2 * start + TICKS_PER_STEP) // (2 * TICKS_PER_STEP), 0)
    keys, first = np.unique(_key(events.bar, events.row, played), return_index=True)
    place = np.minimum(np.searchsorted(keys, _key(bar, row, step)), len(keys) - 1)
    off = np.where(keys[place] == _key(bar, row, step), start[first[place]] - step * TICKS_PER_STEP, 0)
    return np.clip(off + ON_THE_STEP, 0, FINEST - 1)


def _key(bar: Array, row: Array, step: Array) -> Array:
    return (bar.astype(np.int64) * ROWS + row) * STEPS_PER_BAR + step


def _run_lengths(changes: Array) -> Array:
    """Steps from each step to the next change of its row, or to the bar's end."""
    lengths = np.empty(changes.shape, dtype=np.int16)
    left = np.zeros((changes.shape[0], changes.shape[2]), dtype=np.int16)
    for step in reversed(range(STEPS_PER_BAR)):
        left += 1
        lengths[:, step] = left
        left[changes[:, step]] = 0
    return lengths


def rolls_of(hits: Array) -> Array:
    """The rolls that tokens show: ``uint8 [n, 128, 20]``. A later hit of a row cuts what is still held."""
    rolls = np.zeros((len(hits), STEPS_PER_BAR, ROWS), dtype=np.uint8)
    bar, cell, lane, slot = np.nonzero(hits[..., PLACE] >= 0)
    place, pitch, velocity, length, _ = np.moveaxis(hits[bar, cell, lane, slot], -1, 0).astype(np.int64)
    start = np.clip(cell * STEPS + place - EARLY, 0, STEPS_PER_BAR - 1)
    row = np.where(lane == BASS, BASS_ROW + pitch, lane)
    for index in np.argsort(start, kind="stable"):
        rolls[bar[index], start[index] : start[index] + length[index], row[index]] = velocity[index]
    return rolls


@dataclass(frozen=True, slots=True)
class Context:
    """What the hit head may look back at, for every hit slot; and what still sounds as each cell begins.

    Args:
        velocity, length, pitch: int16 ``[n, 16, 5, 3, 4]``: of the lane's last hit, the one before it, and its first
            hits one and two beats ago; 0 for none, pitches one higher.
        held: int16 ``[n, 16, 5]``: steps that the lane still sounds after the cell's beginning, 0..17.
    """

    velocity: Array
    length: Array
    pitch: Array
    held: Array


def context(hits: Array) -> Context:
    """See ``Context``."""
    n = len(hits)
    shape = (n, CELLS, LANES, SLOTS, POINTERS)
    old = np.zeros((*shape, 3), dtype=np.int16)
    held = np.zeros((n, CELLS, LANES), dtype=np.int16)
    last = np.zeros((n, LANES, 2, 3), dtype=np.int16)
    end = np.zeros((n, LANES), dtype=np.int16)
    for cell in range(CELLS):
        begin = cell * STEPS - EARLY
        held[:, cell] = np.clip(end - begin, 0, LONGEST_HELD)
        for slot in range(SLOTS):
            now = hits[:, cell, :, slot]
            there = now[..., PLACE] >= 0
            old[:, cell, :, slot, :2] = last
            for index, lag in enumerate(LAGS):
                if cell >= lag:
                    old[:, cell, :, slot, 2 + index] = _facts(hits[:, cell - lag, :, 0])
            last[:, :, 1] = np.where(there[..., None], last[:, :, 0], last[:, :, 1])
            last[:, :, 0] = np.where(there[..., None], _facts(now), last[:, :, 0])
            end = np.where(there, np.maximum(end, begin + now[..., PLACE] + now[..., LENGTH]), end)
    return Context(old[..., 0], old[..., 1], old[..., 2], held)


def _facts(hits: Array) -> Array:
    """(velocity, length, pitch + 1) of hits, zeros for none."""
    facts = np.stack([hits[..., VELOCITY], hits[..., LENGTH], hits[..., PITCH] + 1], axis=-1)
    return np.where((hits[..., PLACE] >= 0)[..., None], facts, 0)


def chords(hits: Array) -> Array:
    """Which lanes strike in each cell, as a number 0..31, kick lowest: int64 ``[n, 16]``."""
    return ((hits[:, :, :, 0, PLACE] >= 0) * (1 << np.arange(LANES))).sum(-1)
