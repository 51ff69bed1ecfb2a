"""What a style's table is made of. Data only: ``generate.rules`` plays it.

Conventions: a row has sixteen cells, written in four groups of a beat; a shorter row is repeated until it has sixteen.
In a *chance* row ``X`` is the backbone (always there, also with the energy knob at 0), ``1``..``9`` is the chance in
tenths that the cell sounds with the knob in the middle at temperature 1, ``.`` is never. In a *force* row a digit is
the velocity in tenths, ``X`` is full. Ticks are 480 to the beat.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from hitloopd.core.errors import RangeError
from hitloopd.core.time import CELLS_PER_BAR

CHANCE_MARKS: Final = frozenset(".123456789X")
FORCE_MARKS: Final = frozenset(".123456789X")
HOLD_MARKS: Final = frozenset(".h12345678")


@functools.cache
def cells(row: str, marks: frozenset[str]) -> str:
    """A row as sixteen characters.

    >>> cells("X... ..4.", CHANCE_MARKS)
    'X.....4.X.....4.'

    Raises:
        RangeError: it does not go into sixteen, or has a mark that means nothing.
    """
    plain = row.replace(" ", "")
    if not plain or CELLS_PER_BAR % len(plain) or not marks.issuperset(plain):
        raise RangeError(f"A row must be 1, 2, 4, 8 or 16 of {''.join(sorted(marks))}, got '{row}'.")
    return plain * (CELLS_PER_BAR // len(plain))


def _agree(chance: str, other: str) -> None:
    """See that a cell which may sound has its force and length."""
    if any(a != "." and b == "." for a, b in zip(chance, other, strict=True)):
        raise RangeError(f"Every cell that may sound needs a mark in each row; '{chance}' has more than '{other}'.")


@dataclass(frozen=True, slots=True)
class Roll:
    """Hits faster than the grid: a trap hat, a snare rush, a chopped break.

    Args:
        cell: where it starts, 0..15.
        span: how many cells it fills.
        hits: how many hits, evenly spread.
        chance: 0..1, as a cell's.
        force: velocity of its first and last hit, 0..1; straight in between.
    """

    cell: int
    span: int
    hits: int
    chance: float
    force: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One way a drum lane goes in a style.

    Args:
        chance: chance row.
        force: force row.
        late: ticks behind the grid, per cell, repeated over the bar; negative is early. -18..40 with the swing.
        rolls: hits faster than the grid.
        weight: how usual this way is among the lane's ways; the first one is the most typical.
        repeat: cells after which it mostly does the same again: 4, 8 or 16. Hats repeat, fills do not.
        length: ticks a hit is held, for what is sent as MIDI.
    """

    chance: str
    force: str = "9"
    late: tuple[int, ...] = (0,)
    rolls: tuple[Roll, ...] = ()
    weight: int = 1
    repeat: int = 16
    length: int = 60

    def __post_init__(self) -> None:
        _agree(cells(self.chance, CHANCE_MARKS), cells(self.force, FORCE_MARKS))


@dataclass(frozen=True, slots=True)
class Line:
    """One rhythm of a bass line.

    Args:
        chance: chance row.
        hold: length row in sixteenths, ``h`` is half of one; a note always ends where the next likely one begins.
        octave: chance row of a jump to the octave above.
        force: force row.
        weight: how usual this rhythm is.
    """

    chance: str
    hold: str = "1"
    octave: str = "."
    force: str = "8"
    weight: int = 1

    def __post_init__(self) -> None:
        chance = cells(self.chance, CHANCE_MARKS)
        _agree(chance, cells(self.force, FORCE_MARKS))
        _agree(chance, cells(self.hold, HOLD_MARKS))
        cells(self.octave, CHANCE_MARKS)


@dataclass(frozen=True, slots=True)
class Bass:
    """The grammar of a bass line.

    Args:
        lines: its rhythms, the most typical one first.
        degrees: (degree, weight): 1 is the root, 5 the fifth, 8 the octave, in whatever scale is asked for; jumps land
            here.
        motion: weights to stay on the note, to go to a neighbour in the scale, to jump.
        motif: cells after which the notes repeat: 4, 8 or 16.
        turn: chance 0..1 that the last beat leaves the motif.
        kick: how much it plays with the kick (up to 0.5) or keeps out of its way (down to -0.5).
        slide: chance 0..1 that a note is held into the next one.
        late: ticks behind the grid, as in ``Row``.
    """

    lines: tuple[Line, ...]
    degrees: tuple[tuple[int, int], ...] = ((1, 8), (5, 3), (7, 2), (8, 2), (3, 2), (4, 1))
    motion: tuple[int, int, int] = (5, 2, 3)
    motif: int = 8
    turn: float = 0.4
    kick: float = 0.0
    slide: float = 0.0
    late: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Style:
    """Everything ``rules`` knows of one style.

    Args:
        name: what people type.
        about: what makes it that style, in a line.
        bpm: usual tempo, from and to.
        swing: the style's own swing 0.5..0.66; it is in the notes' start ticks already.
        kick: the kick's ways, the most typical one first. Likewise the other drum lanes.
        snare: snare, clap or rim.
        hihat: closed hat or shaker.
        cymbal: open hat; crash or ride where the style has them.
        bass: the bass line.
        broken: kick and snare are halves of one break, and so are drawn together.
    """

    name: str
    about: str
    bpm: tuple[int, int]
    kick: tuple[Row, ...]
    snare: tuple[Row, ...]
    hihat: tuple[Row, ...]
    cymbal: tuple[Row, ...]
    bass: Bass
    swing: float = 0.5
    broken: bool = False
