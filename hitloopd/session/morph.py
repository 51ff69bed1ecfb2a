"""Between two bars: cell by cell the one gives way to the other, always in the same order.

Every place (lane, cell and which note of the cell) has a fixed turn, so moving the knob a little exchanges one place at
a time and moving it back gives the same bar again. Where both bars have a note, velocity and micro-timing glide;
what can't glide (pitch, length, priority) changes at the place's turn.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import replace
from typing import Final

from hitloopd.core.pattern import PITCHES, Lane, Note, Pattern

Place = tuple[Lane, int, int]
OCTAVE: Final = 12


def morphed(previous: Pattern, current: Pattern, position: float) -> Pattern:
    """The bar at ``position`` 0 (previous) .. 1 (current), candidates included; the ends are the bars themselves.

    The root is the current bar's throughout, so an edited or locked bass never jumps with the knob.
    """
    if position >= 1.0:
        return current
    previous = transposed(previous, current.root)
    if position <= 0.0:
        return previous
    before = _places(previous)
    after = _places(current)
    order = sorted(before.keys() | after.keys(), key=_turn)
    notes = [
        note
        for index, place in enumerate(order)
        if (
            note := _between(
                before.get(place), after.get(place), position, turned=(index + 0.5) / len(order) <= position
            )
        )
    ]
    provenance = replace(
        current.provenance,
        parent=previous.id,
        parameters={**current.provenance.parameters, "morph": position},
    )
    return Pattern(tuple(notes), current.root, provenance)


def transposed(pattern: Pattern, root: int) -> Pattern:
    """The same bar written above another root; a pitch that falls out of range comes back an octave away."""
    shift = pattern.root - root
    if shift == 0:
        return pattern
    notes = tuple(
        replace(note, pitch=_folded(note.pitch + shift)) if note.lane is Lane.BASS else note for note in pattern.notes
    )
    return Pattern(notes, root, pattern.provenance)


def _folded(pitch: int) -> int:
    return pitch if 0 <= pitch < PITCHES else pitch % OCTAVE


def _places(pattern: Pattern) -> dict[Place, Note]:
    places: dict[Place, Note] = {}
    counts: dict[tuple[Lane, int], int] = {}
    for note in pattern.notes:
        cell = (note.lane, note.cell)
        index = counts.get(cell, 0)
        counts[cell] = index + 1
        places[*cell, index] = note
    return places


@functools.cache
def _turn(place: Place) -> bytes:
    lane, cell, index = place
    return hashlib.blake2b(f"{lane.value}:{cell}:{index}".encode(), digest_size=8).digest()


def _between(before: Note | None, after: Note | None, position: float, *, turned: bool) -> Note | None:
    base = after if turned else before
    if base is None or before is None or after is None:
        return base
    return replace(
        base,
        start_ticks=round(before.start_ticks + (after.start_ticks - before.start_ticks) * position),
        velocity=round(before.velocity + (after.velocity - before.velocity) * position, 6),
    )
