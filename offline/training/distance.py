"""How far drawn bars are from real ones, in one number that needs no tuning: to watch a run by, not to judge a model.

Conventions: the energy distance between two sets of bars, each pooled to 16 cells x 20 rows (highest value of eight
steps, nothing fainter than a note), Euclidean. 0 for the same distribution; it grows with noise, with wrong density
and with too little variety. Real bars against real bars of other songs give its floor.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offline.grid import sounding

Rolls = npt.NDArray[np.float32]


def energy_distance(drawn: Rolls, real: Rolls) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'| over float32 [n, 128, 20] and [m, 128, 20].

    >>> bars = np.random.default_rng(1).random((8, 128, 20)).astype(np.float32)
    >>> round(energy_distance(bars, bars), 6)
    0.0
    """
    a, b = _pooled(drawn), _pooled(real)
    return float(2 * _apart(a, b) - _apart(a, a) - _apart(b, b))


def _pooled(rolls: Rolls) -> npt.NDArray[np.float64]:
    heard = np.where(sounding(rolls), rolls, 0)
    cells = heard.reshape(len(rolls), 16, 8, -1).max(axis=2)
    return cells.reshape(len(rolls), -1).astype(np.float64)


def _apart(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * (a @ b.T)
    return float(np.sqrt(np.maximum(squares, 0)).mean())
