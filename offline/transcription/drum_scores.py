"""How well the lanes of lessons are heard, and the thresholds at which they are heard best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.transcription.drum_peaks import Activations, find_peaks
from offline.transcription.drum_spectrum import FPS
from offline.transcription.scores import Tally, onset_tally, pooled

GRID: Final = tuple(round(0.04 * step, 2) for step in range(2, 23))

Times = NDArray[np.float64]


def best_threshold(activations: Sequence[Activations], truths: Sequence[Times]) -> tuple[float, Tally]:
    """The threshold with the best F over all pieces, and what is heard with it.

    Args:
        activations: one lane's, of every piece.
        truths: its hits, of every piece.
    """
    peaks = [find_peaks(activation, GRID[0]) for activation in activations]
    ends = [len(activation) / FPS for activation in activations]
    tried: list[tuple[float, Tally]] = []
    for least in GRID:
        heard = [found.frames[found.heights >= least] / FPS for found in peaks]
        total = pooled(onset_tally(*piece) for piece in zip(truths, heard, ends, strict=True))
        tried.append((least, total))
    return max(tried, key=lambda one: one[1].f)
