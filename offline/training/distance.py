"""How far drawn bars are from real ones, in one number that needs no tuning: to watch a run by, not to judge a model.

Conventions: the energy distance between two sets of bars, each pooled to 16 cells x 20 rows (highest value of eight
steps), Euclidean. 0 for the same distribution; it grows with noise, with wrong density and with too little variety.
Real bars against real bars of other songs give its floor.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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
    cells = rolls.reshape(len(rolls), 16, 8, -1).max(axis=2)
    return cells.reshape(len(rolls), -1).astype(np.float64)


def _apart(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * (a @ b.T)
    return float(np.sqrt(np.maximum(squares, 0)).mean())


def empty_ratio(rolls: Rolls) -> float:
    """Share of the 128 steps in which no row sounds."""
    return float((rolls <= 0).all(axis=2).mean())


def short_notes(rolls: Rolls) -> float:
    """Runs shorter than four steps, summed over rows, mean per bar: the paper's unqualified notes."""
    padded = np.pad((rolls > 0).transpose(0, 2, 1), ((0, 0), (0, 0), (1, 1)))
    edges = np.diff(padded.astype(np.int8), axis=2)
    starts, ends = (np.nonzero(edges == sign)[2] for sign in (1, -1))
    return float((ends - starts < 4).sum() / max(len(rolls), 1))
