"""Notes as the hits that ``weave`` knows, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hitloopd.core.pattern import LANES, MAX_EARLY_TICKS, Lane, Note
from hitloopd.core.time import TICKS_PER_BAR, TICKS_PER_STEP
from hitloopd.generate.weave_bar import BASS, CELLS, EARLY, FINE, LENGTHS, ON_THE_STEP, SLOTS, STEPS, Hit

DRUM_PITCH: Final = 16  # of a hit that has none
LOUDEST: Final = 127


def hits_of(notes: Sequence[Note]) -> list[list[Hit]]:
    """Notes of one lane as hits: sixteen cells, up to three each."""
    cells: list[list[Hit]] = [[] for _ in range(CELLS)]
    for note in sorted(notes):
        step = min(max(round(note.start_ticks / TICKS_PER_STEP), 0), CELLS * STEPS - 1)
        cell = min((step + EARLY) // STEPS, CELLS - 1)
        if len(cells[cell]) < SLOTS:
            cells[cell].append(
                Hit(
                    place=step - cell * STEPS + EARLY,
                    pitch=note.pitch if note.lane is Lane.BASS else DRUM_PITCH,
                    velocity=min(max(round(note.velocity * LOUDEST), 1), LOUDEST),
                    length=min(max(round(note.length_ticks / TICKS_PER_STEP), 1), LENGTHS - 1),
                    fine=min(max(note.start_ticks - step * TICKS_PER_STEP + ON_THE_STEP, 0), FINE - 1),
                )
            )
    return cells


def note_of(cell: int, lane: int, hit: Hit) -> Note:
    """A hit as a note."""
    step = max(cell * STEPS + hit.place - EARLY, 0)
    start = step * TICKS_PER_STEP + hit.fine - ON_THE_STEP
    return Note(
        start_ticks=min(max(start, -MAX_EARLY_TICKS), TICKS_PER_BAR - 1),
        lane=LANES[lane],
        pitch=hit.pitch if lane == BASS else 0,
        length_ticks=min(hit.length, CELLS * STEPS - step) * TICKS_PER_STEP,
        velocity=hit.velocity / LOUDEST,
    )
