"""What a roll shows as onsets and as the 16 x 5 grid of the front end: one rule for real and for generated bars.

Conventions: rolls come as ``uint8`` (velocity 0..127, as data sets keep them) or ``float`` (0..1, as generators draw
them), ``[n, 128, 20]``. What is fainter than a tenth is no note, in both: the daemon plays it the same way.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.errors import RangeError
from hitloopd.core.pattern import DRUM_LANES, LANES
from hitloopd.core.time import CELLS_PER_BAR, STEPS_PER_BAR
from hitloopd.generate.roll import SHAPE, THRESHOLD

STEPS_PER_CELL: Final = STEPS_PER_BAR // CELLS_PER_BAR
MAX_VELOCITY: Final = 127
FAINTEST: Final = int(np.ceil(THRESHOLD * MAX_VELOCITY))
"""The lowest MIDI velocity that counts as a note: 13."""

Rolls = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]


def sounding(rolls: Rolls) -> Bools:
    """Where something sounds: ``bool [n, 128, 20]``.

    Raises:
        RangeError: these are no rolls.
    """
    if rolls.ndim != 3 or rolls.shape[1:] != SHAPE:
        raise RangeError(f"Rolls must be n x {SHAPE[0]} x {SHAPE[1]}, got {' x '.join(map(str, rolls.shape))}.")
    return np.asarray(rolls >= (FAINTEST if rolls.dtype == np.uint8 else THRESHOLD))


def onsets(rolls: Rolls) -> Bools:
    """Where a row begins to sound: ``bool [n, 128, 20]``. Step 0 counts: a bar starts from silence."""
    held = sounding(rolls)
    start = held.copy()
    start[:, 1:] &= ~held[:, :-1]
    return start


def lanes(marks: Bools) -> Bools:
    """The 20 rows as five lanes, bass last: ``bool [n, steps, 5]``."""
    drums = len(DRUM_LANES)
    return np.concatenate([marks[:, :, :drums], marks[:, :, drums:].any(axis=2, keepdims=True)], axis=2)


def grid(rolls: Rolls) -> Bools:
    """The 16 x 5 grid: ``bool [n, 16, 5]``, every onset in its nearest cell, the latest in the last."""
    start = lanes(onsets(rolls))
    cells = np.zeros((len(rolls), CELLS_PER_BAR, len(LANES)), dtype=np.bool_)
    for step in range(STEPS_PER_BAR):
        cells[:, cell_of(step)] |= start[:, step]
    return cells


def cell_of(step: int) -> int:
    """The nearest cell 0..15 of a step; half-way counts as the later one, as in ``core.pattern.Note.cell``."""
    return min((step + STEPS_PER_CELL // 2) // STEPS_PER_CELL, CELLS_PER_BAR - 1)
