"""A new bar, or some lanes of one, in place of the old: what is kept, and what the mixture says of its sources."""

from __future__ import annotations

from dataclasses import replace

from hitloopd.core.pattern import ALL_LANES, LANES, NO_PROVENANCE, Lane, Pattern


def merged(old: Pattern, new: Pattern, lanes: frozenset[Lane]) -> Pattern:
    """``old`` with ``lanes`` taken from ``new``.

    The root goes with the bass: kept bass keeps its key. A whole new bar is taken over byte for byte. A mixture's
    provenance is the new one's, its parent the kept part, and its sources name who made each kept lane; nothing else
    of the past goes in, so the same seed over the same kept lanes gives the same bytes again.
    """
    if lanes == ALL_LANES:
        return new
    kept = kept_part(old, ALL_LANES - lanes)
    sources = tuple(lane_source(old, lane) for lane in LANES if lane not in lanes and kept.lane(lane))
    provenance = replace(new.provenance, parent=kept.id, sources=(*new.provenance.sources, *sources))
    notes = (*kept.notes, *(note for note in new.notes if note.lane in lanes))
    return Pattern(notes, new.root if Lane.BASS in lanes else old.root, provenance)


def kept_part(pattern: Pattern, lanes: frozenset[Lane]) -> Pattern:
    """Only ``lanes`` of a bar, without its history: its id follows from its notes and root alone."""
    return Pattern(tuple(note for note in pattern.notes if note.lane in lanes), pattern.root, NO_PROVENANCE)


def lane_source(pattern: Pattern, lane: Lane) -> str:
    """Who made a lane, in one line: ``"kick: rules/1f2e seed 7"``."""
    told = f"{lane.value}: "
    for source in pattern.provenance.sources:
        if source.startswith(told):
            return source
    maker = pattern.provenance
    return f"{told}{maker.generator}/{maker.model} seed {maker.seed}"
