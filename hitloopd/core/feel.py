"""Feel: what turns a pattern's grid into a groove. Swing per lane, humanise by seed, lane offsets in ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hitloopd.core.errors import require_range
from hitloopd.core.pattern import Lane

STRAIGHT: Final = 0.5
MAX_SWING: Final = 0.75
MAX_LANE_OFFSET_MS: Final = 50.0


@dataclass(frozen=True, slots=True)
class Feel:
    """How a bar is played.

    Args:
        swing: lane -> where the second of two sixteenths falls in their pair: 0.5 straight, 0.667 triplet, up to 0.75.
        humanise: 0..1; at 1 a hit moves up to 12 ms and its velocity up to 15 %.
        seed: what humanise draws from; same seed, same groove.
    """

    swing: Mapping[Lane, float] = field(default_factory=dict[Lane, float])
    humanise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for lane, value in self.swing.items():
            require_range(f"swing of {lane}", value, STRAIGHT, MAX_SWING)
        require_range("humanise", self.humanise, 0.0, 1.0)
