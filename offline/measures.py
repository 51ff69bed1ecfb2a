"""The paper's three measures, and how dense bars are: the same functions for data sets and for generated bars.

Conventions: rolls as ``offline.grid`` takes them, ``[n, 128, 20]``, read as what sounds; velocity plays no part. A
measure gives one number a bar unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.pattern import LANES
from hitloopd.core.time import STEPS_PER_BAR
from offline.grid import Bools, Rolls, lanes, onsets, sounding

SHORTEST_STEPS: Final = 4  # a 32nd note: what is shorter the paper calls unqualified
COMPARED: Final = 100
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)

PAPER_TABLE_I: Final[Mapping[str, tuple[float, float]]] = {
    "Dataset": (0.287, 0.056),
    "GAN 1": (0.358, 0.473),
    "GAN 2": (0.666, 0.239),
    "VAE": (0.188, 2.063),
}
"""The paper's own figures: average empty ratio and unqualified notes. Its data are others than ours."""

Numbers = npt.NDArray[np.float64]


def empty_ratio(rolls: Rolls) -> Numbers:
    """The share of a bar's 128 steps in which no row sounds."""
    return np.asarray(1.0 - sounding(rolls).any(axis=2).mean(axis=1), dtype=np.float64)


def unqualified_notes(rolls: Rolls) -> Numbers:
    """How many runs of a bar, over all rows, are shorter than four steps, a 32nd note. The bar line ends a run."""
    held = sounding(rolls)
    start = onsets(rolls)
    long = np.zeros_like(start)
    reach = STEPS_PER_BAR - SHORTEST_STEPS + 1
    long[:, :reach] = start[:, :reach]
    for later in range(1, SHORTEST_STEPS):
        long[:, :reach] &= held[:, later : reach + later]
    return np.asarray((start & ~long).sum(axis=(1, 2)), dtype=np.float64)


def cosine_distances(rolls: Rolls) -> Numbers:
    """Every bar against every other: ``[n, n]``, 0 the same, 1 nothing in common. Two silent bars are the same."""
    flat = sounding(rolls).reshape(len(rolls), -1).astype(np.float64)
    length = np.sqrt(flat.sum(axis=1))
    silent = length == 0
    product = (flat @ flat.T) / np.outer(np.where(silent, 1.0, length), np.where(silent, 1.0, length))
    distance = np.clip(1.0 - product, 0.0, 1.0)
    distance[np.ix_(silent, silent)] = 0.0
    np.fill_diagonal(distance, 0.0)
    return np.asarray(distance)


def pairs(distances: Numbers) -> Numbers:
    """The distances of all different pairs, once each."""
    return np.asarray(distances[np.triu_indices(len(distances), k=1)])


def sample(count: int, size: int, seed: int) -> npt.NDArray[np.int64]:
    """``size`` of ``count`` indices, drawn without repetition, in order; all of them where there are no more."""
    drawn = np.random.default_rng(seed).permutation(count)[:size]
    return np.sort(drawn).astype(np.int64)


def density(rolls: Rolls) -> Mapping[str, Numbers]:
    """Onsets a bar, by lane; a chord of the bass counts as one."""
    start: Bools = lanes(onsets(rolls))
    counts = start.sum(axis=1).astype(np.float64)
    return {lane.value: counts[:, index] for index, lane in enumerate(LANES)}


def quantiles(values: npt.NDArray[Any], at: Sequence[float] = QUANTILES) -> dict[str, float]:
    """Named quantiles, ``q05`` to ``q95``; nothing of nothing."""
    if not len(values):
        return {}
    found = np.quantile(np.asarray(values, dtype=np.float64), at)
    return {f"q{round(100 * place):02d}": round(float(value), 6) for place, value in zip(at, found, strict=True)}


def paper_measures(rolls: Rolls, seed: int = 0) -> dict[str, Any]:
    """The three of section IV: mean empty ratio, mean unqualified notes, the distances of 100 bars drawn by seed."""
    if not len(rolls):
        return {}
    distances = pairs(cosine_distances(rolls[sample(len(rolls), COMPARED, seed)]))
    return {
        "empty ratio": round(float(empty_ratio(rolls).mean()), 6),
        "unqualified notes": round(float(unqualified_notes(rolls).mean()), 6),
        "cosine distance": {
            "mean": round(float(distances.mean()), 6) if len(distances) else 0.0,
            **quantiles(distances),
        },
    }
