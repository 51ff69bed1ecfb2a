"""Chance that is the same on every machine: seeded streams, one per lane, and what a table's numbers mean.

Only ``random.Random(int).random()`` and + - * / are used: both are exactly specified, unlike shuffles, Gaussians or
powers.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence

Draw = Callable[[], float]


def stream(*key: str | int) -> Draw:
    """Uniform numbers 0..1 that follow from ``key`` alone; another key, unrelated numbers."""
    digest = hashlib.blake2b(":".join(map(str, key)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big")).random


def score(chance: float, temperature: float, uniform: float) -> float:
    """How much a cell wants to sound: above 0 it does with the energy knob in the middle.

    At temperature 1 it is above 0 with probability ``chance``; at 0 just where ``chance`` is above one half (the most
    typical bar); at 2 chances are drawn half-way towards a coin flip.
    """
    return chance - 0.5 + temperature * (uniform - 0.5)


def pick(weights: Sequence[float], temperature: float, uniform: float) -> int:
    """Which of several: at temperature 0 the first, at 1 by weight, at 2 all alike, straight in between."""
    total = float(sum(weights))
    tame = min(temperature, 1.0)
    wild = max(temperature - 1.0, 0.0)
    reached = 0.0
    for index, weight in enumerate(weights):
        share = tame * weight / total + (1.0 - tame if index == 0 else 0.0)
        reached += share * (1.0 - wild) + wild / len(weights)
        if uniform < reached:
            return index
    return len(weights) - 1
