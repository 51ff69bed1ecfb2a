"""How well drawn bars cover real ones: precision, recall, density, coverage, and copies, all by nearest neighbours.

Definitions (Kynkäänniemi et al. 2019; Naeem et al. 2020): a real bar's ball reaches to its k-th nearest other real bar.
*precision*: share of drawn bars inside some real ball. *recall*: share of real bars inside some drawn ball. *density*:
how many real balls a drawn bar lies in, over k. *coverage*: share of real balls with a drawn bar in them. A ball holds
its edge: bars are discrete, many are equal, and such a ball has radius 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

NEIGHBOURS: Final = 5
NEAR_CELLS: Final = 2  # a bar this close to a training bar is nearly that bar
_CHUNK: Final = 512
_EDGE: Final = 1e-4  # squared distances come out of a matrix product


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Precision, recall, density, coverage."""

    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Copies:
    """Shares of bars whose grid equals a training bar's, and lies within two cells of one."""

    exact: float
    near: float


def squared_distances(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Squared Euclidean distances ``[n, m]`` of rows; on bools that is the number of cells that differ."""
    a = left.reshape(len(left), -1).astype(np.float32)
    b = right.reshape(len(right), -1).astype(np.float32)
    out = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.maximum(out, 0)


def neighbourhood(real: npt.NDArray[Any], drawn: npt.NDArray[Any], k: int = NEIGHBOURS) -> Neighbourhood:
    """The four figures of ``drawn`` against ``real``, rows of any shape; Euclidean (on bools: Hamming)."""
    real_reach = _reach(real, k)
    drawn_reach = _reach(drawn, k)
    between = squared_distances(real, drawn)
    inside = between <= real_reach[:, None] + _EDGE
    return Neighbourhood(
        precision=float(inside.any(axis=0).mean()),
        recall=float((between <= drawn_reach[None, :] + _EDGE).any(axis=1).mean()),
        density=float(inside.sum(axis=0).mean() / k),
        coverage=float(inside.any(axis=1).mean()),
    )


def nearest(drawn: npt.NDArray[Any], real: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Index of and squared distance to the nearest row of ``real`` for each of ``drawn``; the first of equals."""
    index = np.zeros(len(drawn), dtype=np.int64)
    distance = np.zeros(len(drawn), dtype=np.float32)
    for start in range(0, len(drawn), _CHUNK):
        block = squared_distances(drawn[start : start + _CHUNK], real)
        best = block.argmin(axis=1)
        index[start : start + _CHUNK] = best
        distance[start : start + _CHUNK] = block[np.arange(len(block)), best]
    return index, distance


def copies(drawn_grids: npt.NDArray[np.bool_], training_grids: npt.NDArray[np.bool_]) -> Copies:
    """How much was copied, on the 16 x 5 grid."""
    _, cells = nearest(drawn_grids, training_grids)
    return Copies(float((cells < 0.5).mean()), float((cells < NEAR_CELLS + 0.5).mean()))


def duplicates(grids: npt.NDArray[np.bool_], size: int = 100) -> float:
    """How many of ``size`` bars are equal to one before them: the mean over all whole hundreds of ``grids``."""
    flat = grids.reshape(len(grids), -1)
    groups = [flat[start : start + size] for start in range(0, len(flat) - size + 1, size)] or [flat]
    return float(np.mean([len(group) - len(np.unique(group, axis=0)) for group in groups]))


def _reach(rows: npt.NDArray[Any], k: int) -> npt.NDArray[np.float32]:
    """Squared distance of each row to its k-th nearest other row."""
    between = squared_distances(rows, rows)
    np.fill_diagonal(between, np.inf)
    k = min(k, len(rows) - 1)
    return np.partition(between, k - 1, axis=1)[:, k - 1]
