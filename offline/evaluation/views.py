"""What a judge looks at: the same few views of a bar, for real and drawn ones alike.

Conventions: a *roll* is ``[n, 128, 20]``, as bytes 0..127 (velocity, held) or floats 0..1. Every view goes through
``as_bytes`` first: what a daemon would not play (fainter than a tenth) is silence on both sides, and a model
can't be told from real bars by the fineness of its floats.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.errors import RangeError
from hitloopd.core.pattern import LANES, PITCHES
from hitloopd.core.time import CELLS_PER_BAR, STEPS_PER_BAR
from hitloopd.generate.roll import BASS_ROW, SHAPE
from offline.grid import FAINTEST, MAX_VELOCITY, STEPS_PER_CELL, cell_of, grid, lanes, onsets

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

NOTHING: Final = -99.0  # in a table for trees: no note here
BASS: Final = len(LANES) - 1
_CELL_OF_STEP: Final = np.array([cell_of(step) for step in range(STEPS_PER_BAR)])


def as_bytes(rolls: npt.NDArray[Any]) -> Bytes:
    """Rolls as ``uint8 [n, 128, 20]`` velocities 0 and 13..127; what is not a number is silence.

    Raises:
        RangeError: the array has another shape.
    """
    if rolls.ndim != len(SHAPE) + 1 or rolls.shape[1:] != SHAPE:
        raise RangeError(f"Rolls must be n x {SHAPE[0]} x {SHAPE[1]}, got {' x '.join(map(str, rolls.shape))}.")
    if rolls.dtype == np.uint8:
        small = np.minimum(rolls, MAX_VELOCITY)
    else:
        clean = np.clip(np.nan_to_num(rolls, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
        small = np.rint(clean * MAX_VELOCITY).astype(np.uint8)
    return np.where(small < FAINTEST, 0, small).astype(np.uint8)


def offsets() -> npt.NDArray[np.int64]:
    """How many steps each of the 128 lies after its cell's line; negative before it. -4..7."""
    return np.arange(STEPS_PER_BAR) - _CELL_OF_STEP * STEPS_PER_CELL


def lengths(rolls: Bytes) -> npt.NDArray[np.int16]:
    """How many steps a row goes on sounding from each step on. ``[n, 128, 20]``."""
    held = rolls > 0
    left = np.zeros(rolls.shape, dtype=np.int16)
    running = np.zeros(rolls.shape[::2], dtype=np.int16)
    for step in reversed(range(STEPS_PER_BAR)):
        running = np.where(held[:, step], running + 1, 0).astype(np.int16)
        left[:, step] = running
    return left


def cells(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The greatest value within each nearest cell: ``[n, 128, …] -> [n, 16, …]``."""
    out = np.zeros((len(values), CELLS_PER_BAR, *values.shape[2:]), dtype=values.dtype)
    for cell in range(CELLS_PER_BAR):
        out[:, cell] = values[:, cell == _CELL_OF_STEP].max(axis=1)
    return out


def bass_line(rolls: Bytes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int16]]:
    """Which cells have a bass note, ``[n, 16]``, and its interval in semitones from the bar's first bass note."""
    begins = cells(onsets(rolls)[:, :, BASS_ROW:])
    on = begins.any(axis=2)
    pitch = begins.argmax(axis=2).astype(np.int16)
    first = np.take_along_axis(pitch, on.argmax(axis=1)[:, None], axis=1)
    return np.asarray(on), np.where(on, pitch - first, 0).astype(np.int16)


def hits_table(rolls: npt.NDArray[Any]) -> Floats:
    """*hits* for trees: 80 cells on or off and 16 bass intervals, ``NOTHING`` where there is no note. ``[n, 96]``."""
    small = as_bytes(rolls)
    on, interval = bass_line(small)
    intervals = np.where(on, interval, NOTHING)
    return np.concatenate([grid(small).reshape(len(small), -1), intervals], axis=1).astype(np.float32)


def hits_planes(rolls: npt.NDArray[Any]) -> Floats:
    """*hits* for a net: five lanes and the intervals one by one, along 16 cells. ``[n, 5 + 31, 16]``."""
    small = as_bytes(rolls)
    on, interval = bass_line(small)
    span = 2 * PITCHES - 1
    one_hot = (interval[:, None, :] + PITCHES - 1 == np.arange(span)[None, :, None]) & on[:, None, :]
    return np.concatenate([grid(small).transpose(0, 2, 1), one_hot], axis=1).astype(np.float32)


def full_table(rolls: npt.NDArray[Any]) -> Floats:
    """*full* for trees: velocity, timing (steps from the cell's line) and length of each of 80 cells, and intervals.

    ``NOTHING`` where there is no note. ``[n, 3 * 80 + 16]``.
    """
    small = as_bytes(rolls)
    begins = onsets(small)
    on = cells(lanes(begins))
    velocity = cells(_by_lane(np.where(begins, small, 0)))
    length = cells(_by_lane(np.where(begins, lengths(small), 0)))
    earliness = STEPS_PER_CELL - offsets()  # 1..12
    timing = cells(np.where(lanes(begins), earliness[None, :, None], 0))  # the earliest note of a cell
    parts = [np.where(on, value, NOTHING).reshape(len(small), -1) for value in (velocity, timing, length)]
    bass, interval = bass_line(small)
    return np.concatenate([*parts, np.where(bass, interval, NOTHING)], axis=1).astype(np.float32)


def full_planes(rolls: npt.NDArray[Any]) -> Floats:
    """*full* for a net: what is held and what begins in five lanes, and the bass interval, along 128 steps."""
    small = as_bytes(rolls)
    begins = onsets(small)
    held = _by_lane(small).astype(np.float32) / MAX_VELOCITY
    struck = _by_lane(np.where(begins, small, 0)).astype(np.float32) / MAX_VELOCITY
    bass = begins[:, :, BASS_ROW:]
    on = bass.any(axis=2)
    pitch = bass.argmax(axis=2)
    first = np.take_along_axis(pitch, on.argmax(axis=1)[:, None], axis=1)
    interval = np.where(on, pitch - first, 0).astype(np.float32) / PITCHES
    return np.concatenate([held, struck, interval[:, :, None]], axis=2).transpose(0, 2, 1).astype(np.float32)


def _by_lane(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows to lanes by the greatest: ``[n, steps, 20] -> [n, steps, 5]``."""
    return np.concatenate([rows[:, :, :BASS_ROW], rows[:, :, BASS_ROW:].max(axis=2, keepdims=True)], axis=2)
