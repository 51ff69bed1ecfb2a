"""Energy: one number 0..1, measured on what sounds, and the priorities that follow from it.

The four parts are those that EDM producers turn between a breakdown and a drop, and that listening studies tie to
arousal and the wish to move: onset density, loudness (velocity), low end and syncopation. Every part is a sum
over notes, squashed by ``x / (1 + x)``: so adding a note, or playing it harder, can never lower the energy, and that is
what makes calmer and energetic monotone. Only + - * / are used, so the figure is the same on every machine.

The weights are this project's own choice: density first because it separates the styles' tables best.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hitloopd.core.pattern import Lane, Note, Pattern
from hitloopd.core.time import TICKS_PER_BEAT, TICKS_PER_CELL

WEIGHT_DENSITY: Final = 0.40
WEIGHT_VELOCITY: Final = 0.25
WEIGHT_LOW_END: Final = 0.20
WEIGHT_SYNCOPATION: Final = 0.15

# What brings a part to one half: about a plain four-on-the-floor bar with off-beat hats and a simple bass line.
HALF_ONSETS: Final = 16.0
HALF_VELOCITY: Final = 12.0
HALF_LOW_END: Final = 6.0
HALF_SYNCOPATION: Final = 5.0

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


def measure(notes: Iterable[Note]) -> Energy:
    """Measure what sounds. Pass ``pattern.at(knob).notes``: candidates that do not sound do not count."""
    onsets = velocity = low = syncopation = 0.0
    for note in notes:
        onsets += 1.0
        velocity += note.velocity
        syncopation += note.velocity * OFFBEAT[note.cell % 4]
        if note.lane is Lane.KICK:
            low += note.velocity
        elif note.lane is Lane.BASS:
            low += note.velocity * min(note.length_ticks, TICKS_PER_BEAT) / TICKS_PER_BEAT
    return Energy(
        _squash(onsets / HALF_ONSETS),
        _squash(velocity / HALF_VELOCITY),
        _squash(low / HALF_LOW_END),
        _squash(syncopation / HALF_SYNCOPATION),
    )


def measured(pattern: Pattern, knob: float) -> float:
    """The energy 0..1 of ``pattern`` with the knob at ``knob``."""
    return measure(pattern.at(knob).notes).value


def prioritise(ranked: Sequence[Note], *, skeleton: int) -> tuple[Note, ...]:
    """Give notes their priorities from an order of importance.

    The first ``skeleton`` notes always sound (priority 0). Each later note gets the share of the way from the
    skeleton's energy to that of the whole that is reached with it in: so the measured energy follows the knob in a
    straight line, to within one note.

    Args:
        ranked: most important first.
        skeleton: how many sound with the knob at 0; at least 1 where there is a note.
    """
    skeleton = min(max(skeleton, 1), len(ranked))
    floor = measure(ranked[:skeleton]).value
    span = measure(ranked).value - floor
    out = [replace(note, priority=0.0) for note in ranked[:skeleton]]
    for count in range(skeleton + 1, len(ranked) + 1):
        share = (measure(ranked[:count]).value - floor) / span if span > 0 else 1.0
        out.append(replace(ranked[count - 1], priority=round(min(max(share, 0.0), 1.0), 6)))
    return tuple(out)


def _squash(x: float) -> float:
    return x / (1.0 + x)


def default_length_ticks(lane: Lane) -> int:
    """How long a hit entered on the grid lasts: half a cell for drums, most of a cell for bass."""
    return TICKS_PER_CELL - 10 if lane is Lane.BASS else TICKS_PER_CELL // 2
