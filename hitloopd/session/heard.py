"""What sounds: the bar after morph, knob and densities, with the user's edits over it and the muted lanes out."""

from __future__ import annotations

from dataclasses import replace

from hitloopd.core.energy import measure
from hitloopd.core.pattern import LANES, Lane, Note, Origin, Pattern
from hitloopd.session.morph import morphed
from hitloopd.session.state import SessionState


def base(state: SessionState) -> Pattern:
    """The bar at the morph knob's place, candidates included: before energy knob, edits, locks and mutes."""
    if state.previous is None:
        return state.current
    return state.between or morphed(state.previous, state.current, state.morph)


def heard(state: SessionState) -> Pattern:
    """What sounds now. ``engine.render`` makes it a score; its energy is the measured one.

    Thread: any. Real-time: no.
    """
    pattern = base(state)
    notes = [note for lane in LANES if lane not in state.mutes for note in lane_notes(state, pattern, lane)]
    return Pattern(tuple(notes), pattern.root, pattern.provenance)


def candidates(state: SessionState) -> Pattern:
    """Everything that could sound with the knobs at full and no lane muted: edits and locked lanes as they are.

    Candidates keep their priorities, so ``candidates(state).at(knob)`` previews a knob (lanes with their own density
    apart).
    """
    pattern = base(state)
    notes = [note for lane in LANES for note in lane_notes(state, pattern, lane, knob=1.0)]
    return Pattern(tuple(notes), pattern.root, pattern.provenance)


def lane_notes(state: SessionState, pattern: Pattern, lane: Lane, *, knob: float | None = None) -> list[Note]:
    """The notes of one lane of ``pattern`` under the state's locks, edits and knobs; mutes do not matter here."""
    if lane in state.frozen:
        return list(state.frozen[lane])
    limit = state.knob_of(lane) if knob is None else knob
    edits = state.edits
    notes = [
        note
        for note in pattern.notes
        if note.lane is lane and note.priority <= limit and (lane, note.cell) not in edits
    ]
    notes += [note for (where, _), note in edits.items() if where is lane and note is not None]
    return notes


def freeze(state: SessionState, lane: Lane) -> tuple[Note, ...]:
    """The lane as it sounds now, as notes that always sound: what a lock keeps. Edits stay marked as edits."""
    notes = sorted(lane_notes(state, base(state), lane))
    return tuple(
        replace(note, priority=0.0, origin=note.origin if note.origin is Origin.EDITED else Origin.LOCKED)
        for note in notes
    )


def energy_of(state: SessionState) -> float:
    """The measured energy 0..1 of what sounds."""
    return measure(heard(state).notes).value
