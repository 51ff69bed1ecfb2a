"""A bar as ``weave`` knows it: what is wished for, the hits that it is made of, and what the next one looks back at.

A bar is 16 cells x 5 lanes x up to 3 hits; a hit is (place, pitch, velocity, length, fine): the step from four before
the cell's line, semitones above the root (16: a drum), 1..127, steps, and the tick within the step plus 18.

Sizes and rows of the network's tables are those of ``offline.models.weave``; the tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

CELLS: Final = 16
LANES: Final = 5
SLOTS: Final = 3
BASS: Final = 4
CHORDS: Final = 32
STEPS: Final = 8
EARLY: Final = 4
PLACES: Final = 12
PITCHES: Final = 16
VELOCITIES: Final = 128
LENGTHS: Final = 129
FINE: Final = 26
DRUM_PLACES: Final = 9  # in the last cell: what comes after is, for a drum, the next bar's first hit played early
ON_THE_STEP: Final = 18  # as a fine value
IN_ITS_STEP: Final = 11  # the first fine value that is: earlier is only what comes before the bar line
HELD: Final = 18
POINTERS: Final = 4
LAGS: Final = (4, 8)
BITS: Final = (np.arange(CHORDS)[:, None] >> np.arange(LANES)) & 1
CLOSED: Final = np.float32(-1e9)

_KNOWN_PARTS: Final = (
    LANES * SLOTS,
    CHORDS,
    LANES * HELD,
    PLACES + 1,
    *(VELOCITIES,) * POINTERS,
    *(LENGTHS,) * POINTERS,
    *(PITCHES + 1,) * (POINTERS - 1),
)
KNOWN_STARTS: Final = np.array([0, *accumulate(_KNOWN_PARTS)], dtype=np.int64)
FACT_STARTS: Final = np.array(
    [0, *accumulate((LANES * PLACES, PITCHES + 1, LANES * VELOCITIES, LANES * LENGTHS, FINE))], dtype=np.int64
)
_NUMBERS: Final = np.arange(CHORDS)


class Hit(NamedTuple):
    """A hit as the network knows it; see above."""

    place: int
    pitch: int
    velocity: int
    length: int
    fine: int


Kept = Mapping[int, Sequence[Sequence[Hit]]]
"""Lane -> cell -> hits."""

Facts = tuple[int, int, int]
"""Velocity, length and pitch plus one of an earlier hit, as later ones point at them; zeros for none."""

NOTHING: Final[Facts] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Wish:
    """What one bar should be.

    Args:
        seed: of its chance.
        style: number of the style, or of "any".
        has_bass: whether there is a bass at all.
        energy: 0..1, or -1 for any.
        temperature: 0 the likeliest .. 1 as learnt .. 2.
        kept: hits of lanes that stay.
        candidates: how many further hits to draw.
    """

    seed: int
    style: int
    has_bass: bool = True
    energy: float = -1.0
    temperature: float = 1.0
    kept: Kept = field(default_factory=dict[int, Sequence[Sequence[Hit]]])
    candidates: int = 0


class Extra(NamedTuple):
    """A candidate: a further hit, and how likely one of its lane was in its cell."""

    cell: int
    lane: int
    chance: float
    hit: Hit


@dataclass(slots=True)
class Drawn:
    """A drawn bar.

    Args:
        hits: per cell, per lane: its hits in time order, kept ones included.
        sure: how likely each lane was to strike in each cell ``[16, 5]``.
        extra: candidates.
    """

    hits: list[list[list[Hit]]]
    sure: Array
    extra: list[Extra]


class Told(NamedTuple):
    """Rows of the network's table for a hit, and the velocities and lengths that it may point at."""

    rows: list[int]
    old: list[int]


class Bar:
    """A bar being drawn: what its hits look back at."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.free = [lane for lane in range(LANES) if lane not in wish.kept and (lane != BASS or wish.has_bass)]
        self.hits: list[list[list[Hit]]] = []
        self.last: list[list[Facts]] = [[NOTHING] * 2 for _ in range(LANES)]
        self.pasts: list[list[list[Facts]]] = []  # ``last`` after each cell
        self.holds: list[list[int]] = []  # per cell: steps that each lane still sounds
        self.chords: list[int] = []
        self._end = [0] * LANES

    def begin(self, cell: int) -> list[int]:
        """A new cell; returns what still sounds."""
        begin = cell * STEPS - EARLY
        held = [min(max(end - begin, 0), HELD - 1) for end in self._end]
        self.holds.append(held)
        kept = self.wish.kept
        self.hits.append([list(kept[lane][cell]) if lane in kept else [] for lane in range(LANES)])
        return held

    def known(self, cell: int, lane: int, last: Sequence[Facts]) -> Told:
        """What the next hit of the lane in the cell is told; ``last``: the lane's last two."""
        before = self.hits[cell][lane]
        first, second = (self._first(cell - lag, lane) for lag in LAGS)
        velocity, length, pitch = zip(*last, first, second, strict=True)
        rows = (
            lane * SLOTS + len(before),
            self.chords[cell],
            lane * HELD + self.holds[cell][lane],
            before[-1].place + 1 if before else 0,
        )
        return Told([*rows, *velocity, *length, *pitch], [*velocity, *length])

    def heard(self, cell: int, lane: int, hit: Hit) -> None:
        """A hit, drawn or kept, is part of the past."""
        self.last[lane] = [_facts(lane, hit), self.last[lane][0]]
        self._end[lane] = max(self._end[lane], cell * STEPS - EARLY + hit.place + hit.length)

    def done(self) -> None:
        """The cell is drawn."""
        self.pasts.append(list(self.last))

    def allowed(self) -> Array:
        """0 for the combinations that agree with what is kept, closed for the others ``[16, 32]``."""
        fixed = sum(1 << lane for lane in range(LANES) if lane not in self.free)
        if not fixed:
            return np.zeros((CELLS, CHORDS), dtype=np.float32)
        kept = [sum(1 << lane for lane, cells in self.wish.kept.items() if cells[cell]) for cell in range(CELLS)]
        return np.where((_NUMBERS & fixed) == np.array(kept)[:, None], np.float32(0), CLOSED)

    def likely(self, chances: Array) -> list[tuple[int, int, float]]:
        """Cell, lane and chance of the places where nothing was drawn but could have been, likeliest first."""
        if not self.wish.candidates:
            return []
        found = [
            (cell, lane, chance)
            for cell, row in enumerate(chances.tolist())
            for lane, chance in enumerate(row)
            if lane in self.free and not self.hits[cell][lane]
        ]
        return sorted(found, key=lambda one: (-round(one[2], 5), one[0], one[1]))[: self.wish.candidates]

    def _first(self, cell: int, lane: int) -> Facts:
        return _facts(lane, self.hits[cell][lane][0]) if cell >= 0 and self.hits[cell][lane] else NOTHING


def _facts(lane: int, hit: Hit) -> Facts:
    return hit.velocity, hit.length, hit.pitch + 1 if lane == BASS else 1
