"""Which of the candidates make the pack: good ones, and different ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from offline.extraction.found import Found

TWINS: Final = 0.94
"""Outlines more alike than this are the same sound twice."""
WEIGHT: Final = 0.65
"""How much quality counts against difference."""
CONFIDENT: Final = 0.35
"""Of the default method: what is below is listed as a candidate but never chosen."""
POOL: Final = 40
"""Best candidates of a lane among which is chosen: what comes later is not good enough to be different."""


def choose(candidates: Sequence[Found], count: int, method: str) -> list[int]:
    """Indices of the chosen, best first, by maximal marginal relevance.

    Args:
        candidates: of one lane, best first.
        count: how many to choose.
        method: that found them. The others have a threshold of their own and found nothing below it.
    """
    floor = CONFIDENT if method == "onset" else 0.0
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
