"""Pattern <-> roll: the paper's 128 x 20 picture of a bar, which learned generators see and draw.

Conventions: a roll is ``float32 [128, 20]``, velocity 0..1 where a note is held, 0 elsewhere; rows 0-3 are the drum
lanes, 4-19 the semitones above the root. A step is 15 ticks: micro-timing is lost by rounding to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.errors import RangeError
from hitloopd.core.pattern import (
    DRUM_LANES,
    LANES,
    MIN_VELOCITY,
    NO_PROVENANCE,
    PITCHES,
    Lane,
    Note,
    Pattern,
    Provenance,
)
from hitloopd.core.time import STEPS_PER_BAR, TICKS_PER_BAR, TICKS_PER_STEP

Roll = npt.NDArray[np.float32]

ROWS: Final = len(DRUM_LANES) + PITCHES
BASS_ROW: Final = len(DRUM_LANES)
SHAPE: Final = (STEPS_PER_BAR, ROWS)

MIN_DRUM_STEPS: Final = 4  # a drum hit is drawn at least this long: shorter is what the paper calls unqualified
THRESHOLD: Final = 0.1  # what is fainter than this in a roll is no note


def roll_from_pattern(pattern: Pattern) -> Roll:
    """The roll of a bar; take out what does not sound first (``pattern.at(knob)``).

    A drum hit lasts at least four steps, but ends one step before the next hit of its lane where that leaves four;
    closer hits touch, for anything shorter would count as unqualified. A bass note lasts as written, with the same gap
    before the next note of its pitch. Hits of a row less than two steps apart become one, the louder. What begins
    before the bar line begins at step 0. Data sets draw their bars by the same rule (``offline.dataset.encoder``).
    """
    roll = np.zeros(SHAPE, dtype=np.float32)
    for row in range(ROWS):
        hits = _merged([note for note in pattern.notes if _row(note) == row])
        for index, (step, steps, velocity) in enumerate(hits):
            end = step + (max(MIN_DRUM_STEPS, steps) if row < BASS_ROW else steps)
            if index + 1 < len(hits):
                following = hits[index + 1][0]
                end = min(end, following - (1 if following - step > MIN_DRUM_STEPS else 0))
            roll[step : max(end, step + 1), row] = velocity
    return roll


def pattern_from_roll(roll: Roll, root: int, provenance: Provenance = NO_PROVENANCE) -> Pattern:
    """The bar that a roll shows.

    A note begins where its row rises to the threshold, and lasts until it falls below. Its velocity is the highest of
    its steps. All notes have priority 0: whoever ranks them gives others.

    Args:
        roll: ``float32 [128, 20]``; values above 1 count as 1, what is not a number as silence.
        root: MIDI note of bass pitch 0.
        provenance: who drew it.

    Raises:
        RangeError: the array has another shape.
    """
    if roll.shape != SHAPE:
        raise RangeError(f"A roll must be {SHAPE[0]} x {SHAPE[1]}, got {' x '.join(map(str, roll.shape))}.")
    clean = np.clip(np.nan_to_num(roll, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    return Pattern(tuple(_note(*run) for run in _runs(clean)), root, provenance)


def _row(note: Note) -> int:
    return BASS_ROW + note.pitch if note.lane is Lane.BASS else LANES.index(note.lane)


def _merged(notes: Sequence[Note]) -> list[tuple[int, int, float]]:
    """(step, steps, velocity) of a row's hits in order; those less than two steps apart are one."""
    hits: list[tuple[int, int, float]] = []
    for note in sorted(notes):
        step = min(max(round(note.start_ticks / TICKS_PER_STEP), 0), STEPS_PER_BAR - 1)
        steps = max(round(note.length_ticks / TICKS_PER_STEP), 1)
        if hits and step - hits[-1][0] < 2:
            first, length, velocity = hits[-1]
            hits[-1] = (first, max(length, step + steps - first), max(velocity, note.velocity))
        else:
            hits.append((step, steps, note.velocity))
    return hits


def _runs(roll: Roll) -> Iterator[tuple[int, int, int, float]]:
    """Where rows sound: (row, first step, step after the last, highest value), row by row."""
    rows = np.zeros((ROWS, STEPS_PER_BAR + 2), dtype=np.float32)  # a silent step at either end of each
    rows[:, 1:-1] = roll.T
    flat = rows.ravel()
    edges = np.flatnonzero(np.diff(flat >= THRESHOLD)) + 1
    if not len(edges):
        return
    highest = np.maximum.reduceat(flat, edges)[::2]
    row, start = np.divmod(edges[::2], STEPS_PER_BAR + 2)
    steps = edges[1::2] - edges[::2]
    for at, first, length, value in zip(row.tolist(), start.tolist(), steps.tolist(), highest.tolist(), strict=True):
        yield at, first - 1, first - 1 + length, value


def _note(row: int, start: int, end: int, velocity: float) -> Note:
    drum = row < BASS_ROW
    return Note(
        start_ticks=min(start * TICKS_PER_STEP, TICKS_PER_BAR - 1),
        lane=LANES[row] if drum else Lane.BASS,
        pitch=0 if drum else row - BASS_ROW,
        length_ticks=(end - start) * TICKS_PER_STEP,
        velocity=max(round(velocity, 6), MIN_VELOCITY),
    )
