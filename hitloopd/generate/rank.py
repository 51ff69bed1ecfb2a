"""Which notes of a finished bar matter most: for generators that draw bars whole and do not know it themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hitloopd.core.energy import prioritise
from hitloopd.core.pattern import IN_ORDER, Lane, Note

ON_THE_BEAT: Final = (0.5, 0.0, 0.2, 0.0)  # how much more important a note is by its place in the beat
SAME_CELL: Final = 1.0  # how much less the second note of a cell
SKELETON_SHARE: Final = 4  # every fourth note is left at the calm end
RESERVE: Final = 4  # candidates that even a full bar should have for the energetic end


def by_importance(notes: Sequence[Note]) -> list[Note]:
    """Loud before soft, on the beat before off it, the first note of a cell before its echo."""
    seen: set[tuple[Lane, int]] = set()
    rows: list[tuple[float, Note]] = []
    for note in sorted(notes, key=IN_ORDER):
        place = note.lane, note.cell
        rows.append((note.velocity + ON_THE_BEAT[place[1] % 4] - SAME_CELL * (place in seen), note))
        seen.add(place)
    rows.sort(key=lambda row: -row[0])  # stable: of equals, the earlier note comes first
    return [note for _, note in rows]


def with_priorities(drawn: Sequence[Note], candidates: Sequence[Note]) -> tuple[Note, ...]:
    """The drawn notes sound with the energy knob in the middle, the candidates (likeliest first) join above it."""
    ranked = by_importance(drawn)
    skeleton = len(ranked) // SKELETON_SHARE
    return tuple(sorted(prioritise([*ranked, *candidates], skeleton=skeleton, typical=len(ranked)), key=IN_ORDER))
