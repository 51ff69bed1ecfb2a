"""Which of the candidates make the pack: good ones, and different ones; and how well a pack fits and varies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.extraction.found import Found

TWINS: Final = 0.94
"""Outlines more alike than this are the same sound twice."""
WEIGHT: Final = 0.65
"""How much quality counts against difference."""
POOL: Final = 40
"""Best candidates of a lane among which is chosen: what comes later is not good enough to be different."""


def choose(candidates: Sequence[Found], count: int, *, floor: float = 0.0) -> list[int]:
    """Indices of the chosen, best first, by maximal marginal relevance.

    Args:
        candidates: of one lane, best first.
        count: how many to choose.
        floor: least confidence.
    """
    pool = [n for n, one in enumerate(candidates) if one.confidence >= floor][: max(POOL, 4 * count)]
    if not pool:
        return []
    alike = np.stack([candidates[n].outline for n in pool])
    likeness = alike @ alike.T
    quality = np.array([candidates[n].confidence for n in pool])
    chosen = [0]
    while len(chosen) < min(count, len(pool)):
        nearest = likeness[:, chosen].max(axis=1)
        worth = WEIGHT * quality - (1 - WEIGHT) * nearest
        worth[nearest > TWINS] = -np.inf
        worth[chosen] = -np.inf
        best = int(worth.argmax())
        if not np.isfinite(worth[best]):
            break
        chosen.append(best)
    return [pool[n] for n in chosen]


def difference(outlines: NDArray[np.float32]) -> float:
    """Mean distance (1 - cosine) between the sounds of a lane; 0 for fewer than two."""
    count = len(outlines)
    if count < 2:
        return 0.0
    likeness = outlines @ outlines.T
    return float(1.0 - (likeness.sum() - np.trace(likeness)) / (count * (count - 1)))
