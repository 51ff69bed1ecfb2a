"""Notes as the hits that ``weave`` knows, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hitloopd.core.pattern import LANES, MAX_EARLY_TICKS, Lane, Note
from hitloopd.core.time import TICKS_PER_BAR, TICKS_PER_STEP
from hitloopd.generate import weave_walk as walk
from hitloopd.generate.weave_walk import Hit

DRUM_PITCH: Final = 16  # of a hit that has none
LOUDEST: Final = 127


def hits_of(notes: Sequence[Note]) -> list[list[Hit]]:
    """Notes of one lane as hits: sixteen cells, up to three each."""
    cells: list[list[Hit]] = [[] for _ in range(walk.CELLS)]
    for note in sorted(notes):
        step = min(max(round(note.start_ticks / TICKS_PER_STEP), 0), walk.CELLS * walk.STEPS - 1)
        cell = min((step + walk.EARLY) // walk.STEPS, walk.CELLS - 1)
        if len(cells[cell]) < walk.SLOTS:
            cells[cell].append(
                Hit(
                    place=step - cell * walk.STEPS + walk.EARLY,
                    pitch=note.pitch if note.lane is Lane.BASS else DRUM_PITCH,
                    velocity=min(max(round(note.velocity * LOUDEST), 1), LOUDEST),
                    length=min(max(round(note.length_ticks / TICKS_PER_STEP), 1), walk.LENGTHS - 1),
                    fine=min(max(note.start_ticks - step * TICKS_PER_STEP + walk.ON_THE_STEP, 0), walk.FINE - 1),
                )
            )
    return cells


def note_of(cell: int, lane: int, hit: Hit) -> Note:
    """A hit as a note."""
    step = max(cell * walk.STEPS + hit.place - walk.EARLY, 0)
    start = step * TICKS_PER_STEP + hit.fine - walk.ON_THE_STEP
    return Note(
        start_ticks=min(max(start, -MAX_EARLY_TICKS), TICKS_PER_BAR - 1),
        lane=LANES[lane],
        pitch=hit.pitch if lane == walk.BASS else 0,
        length_ticks=min(hit.length, walk.CELLS * walk.STEPS - step) * TICKS_PER_STEP,
        velocity=hit.velocity / LOUDEST,
    )
