"""Energy: one number 0..1, measured on what sounds, and the priorities that follow from it.

The four parts are those that EDM producers turn between a breakdown and a drop, and that listening studies tie to
arousal and the wish to move: onset density, loudness (velocity), low end and syncopation. Every part is a sum
over notes, squashed by ``x² / (1 + x²)``: so adding a note, or playing it harder, can never lower the energy, and that
is what makes calmer and energetic monotone. The squares spread real bars over the whole range: with ``x / (1 + x)``
every style's middle lay between 0.41 and 0.62, with them between 0.25 and 0.63, and the ends between 0.04 and 0.70.
Only + - * / are used, so the figure is the same on every machine.

The weights are this project's own choice: density first because it separates the styles' tables best.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hitloopd.core.pattern import Lane, Note, Pattern
from hitloopd.core.time import TICKS_PER_BEAT, TICKS_PER_CELL

WEIGHT_DENSITY: Final = 0.40
WEIGHT_VELOCITY: Final = 0.25
WEIGHT_LOW_END: Final = 0.20
WEIGHT_SYNCOPATION: Final = 0.15

# What brings a part to one half: about a busy house bar, sixteenth hats and all.
HALF_ONSETS: Final = 24.0
HALF_VELOCITY: Final = 16.0
HALF_LOW_END: Final = 5.0
HALF_SYNCOPATION: Final = 6.0

# How far from a strong place of the bar a cell is: 0 on the beat, most on the second and fourth sixteenth
# (the metrical hierarchy of Longuet-Higgins and Lee, 1984, as additive weights).
OFFBEAT: Final = (0.0, 1.0, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Energy:
    """A measurement: the parts 0..1 and their weighted sum."""

    density: float
    velocity: float
    low_end: float
    syncopation: float

    @property
    def value(self) -> float:
        """The one number 0..1, to six places."""
        return round(
            WEIGHT_DENSITY * self.density
            + WEIGHT_VELOCITY * self.velocity
            + WEIGHT_LOW_END * self.low_end
            + WEIGHT_SYNCOPATION * self.syncopation,
            6,
        )


class Meter:
    """Measures notes as they come, one by one: a hundred readings on the way cost no more than one at the end."""

    __slots__ = ("_low", "_onsets", "_syncopation", "_velocity")

    def __init__(self) -> None:
        self._onsets = self._velocity = self._low = self._syncopation = 0.0

    def add(self, note: Note) -> None:
        """Let one more note sound."""
        velocity = note.velocity
        self._onsets += 1.0
        self._velocity += velocity
        self._syncopation += velocity * OFFBEAT[note.cell % 4]
        if note.lane is Lane.KICK:
            self._low += velocity
        elif note.lane is Lane.BASS:
            self._low += velocity * min(note.length_ticks, TICKS_PER_BEAT) / TICKS_PER_BEAT

    def read(self) -> Energy:
        """What sounds so far."""
        return Energy(
            _squash(self._onsets / HALF_ONSETS),
            _squash(self._velocity / HALF_VELOCITY),
            _squash(self._low / HALF_LOW_END),
            _squash(self._syncopation / HALF_SYNCOPATION),
        )


def measure(notes: Iterable[Note]) -> Energy:
    """Measure what sounds. Pass ``pattern.at(knob).notes``: candidates that do not sound do not count."""
    meter = Meter()
    for note in notes:
        meter.add(note)
    return meter.read()


def measured(pattern: Pattern, knob: float) -> float:
    """The energy 0..1 of ``pattern`` with the knob at ``knob``."""
    return measure(note for note in pattern.notes if note.priority <= knob).value


def prioritise(ranked: Sequence[Note], *, skeleton: int, typical: int | None = None) -> tuple[Note, ...]:
    """Give notes their priorities from an order of importance.

    The first ``skeleton`` notes always sound (priority 0). Each later note gets the share of the way from the
    skeleton's energy to that of the whole that is reached with it in: so the measured energy follows the knob in a
    straight line, to within one note.

    Args:
        ranked: most important first.
        skeleton: how many sound with the knob at 0; at least 1 where there is a note.
        typical: how many sound with the knob in the middle, for generators that know it. The energy then follows the
            knob in two straight lines that meet there.
    """
    skeleton = min(max(skeleton, 1), len(ranked))
    middle = min(max(typical or 0, skeleton), len(ranked))
    meter = Meter()
    levels: list[float] = []
    for note in ranked:
        meter.add(note)
        levels.append(meter.read().value)
    if typical is None:
        shares = _shares(levels, skeleton, len(ranked), 0.0, 1.0)
    else:
        shares = (
            *_shares(levels, skeleton, middle, 0.0, 0.5),
            *_shares(levels, middle, len(ranked), 0.5, 1.0),
        )
    return tuple(
        Note(n.start_ticks, n.lane, n.pitch, n.length_ticks, n.velocity, share, n.origin)
        for n, share in zip(ranked, (*(0.0 for _ in range(skeleton)), *shares), strict=True)
    )


def _shares(levels: Sequence[float], first: int, last: int, low: float, high: float) -> tuple[float, ...]:
    """Where on ``low..high`` each of the notes ``first..last`` lies by the energy that is reached with it in."""
    if last <= first:
        return ()
    floor = levels[first - 1]
    span = levels[last - 1] - floor
    if span <= 0:
        return (high,) * (last - first)
    return tuple(round(low + (high - low) * (level - floor) / span, 6) for level in levels[first:last])


def _squash(x: float) -> float:
    return x * x / (1.0 + x * x)


def default_length_ticks(lane: Lane) -> int:
    """How long a hit entered on the grid lasts: half a cell for drums, most of a cell for bass."""
    return TICKS_PER_CELL - 10 if lane is Lane.BASS else TICKS_PER_CELL // 2
