"""What a generator is asked. Same request, same bytes, on every machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from hitloopd.core.errors import require_range
from hitloopd.core.pattern import ALL_LANES, Lane, Pattern

MAX_SEED: Final = 2**31 - 1  # so that it survives an OSC int32


@dataclass(frozen=True, slots=True)
class Request:
    """One bar, or some lanes of it.

    Args:
        generator: its name (``gen.model``).
        seed: 0..2147483647.
        style: a style's name; generators without styles ignore it.
        energy: target 0..1.
        temperature: 0..2; 1 is as in the table or as trained, 0 the most likely bar, 2 the wildest.
        lanes: what to make; a generator may return more, the caller takes these.
        root: MIDI note of bass pitch 0.
        scale: name of the scale that bass lines keep to.
        condition: the current bar, for generators that listen to the other lanes.
        points: two bars to draw a third between, for generators that can; empty: draw from the seed.
        morph: the place between the points, 0 the first .. 1 the second.
    """

    generator: str
    seed: int
    style: str = "house"
    energy: float = 0.5
    temperature: float = 1.0
    lanes: frozenset[Lane] = field(default=ALL_LANES)
    root: int = 36
    scale: str = "minor"
    condition: Pattern | None = None
    points: tuple[()] | tuple[Pattern, Pattern] = ()
    morph: float = 1.0

    def __post_init__(self) -> None:
        require_range("seed", self.seed, 0, MAX_SEED)
        require_range("energy", self.energy, 0.0, 1.0)
        require_range("temperature", self.temperature, 0.0, 2.0)
        require_range("root", self.root, 0, 112)
        require_range("morph", self.morph, 0.0, 1.0)


def next_seed(seed: int) -> int:
    """The seed that follows ``seed`` when nobody names one: known ahead, so bars can be made ahead."""
    return int.from_bytes(hashlib.blake2b(f"hitloopd:{seed}".encode(), digest_size=8).digest()) % (MAX_SEED + 1)
