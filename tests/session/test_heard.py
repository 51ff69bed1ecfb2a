from __future__ import annotations

import itertools
from functools import reduce as fold

from hitloopd.core import commands as c
from hitloopd.core.pattern import ALL_LANES, Lane, Origin
from hitloopd.session.heard import candidates, heard
from hitloopd.session.morph import morphed, transposed
from hitloopd.session.reduce import Generated, reduce
from hitloopd.session.state import SessionState
from tests.session.bars import FOUR, OTHER, bar, hit

START = SessionState(current=FOUR)


def after(*commands, state=START):
    return fold(reduce, commands, state)


def cells(state, lane):
    return [(n.cell, n.velocity, n.origin.value) for n in heard(state).lane(lane)]


def test_the_knob_lets_candidates_in_by_priority():
    assert [cells(after(c.SetEnergy(k)), Lane.HIHAT) for k in (0.2, 0.3, 0.7)] == [
        [],
        [(2, 0.5, "generated")],
        [(2, 0.5, "generated"), (6, 0.5, "generated")],
    ]


def test_an_edit_replaces_its_cell_and_velocity_zero_clears_it():
    state = after(c.SetCell(Lane.KICK, 0, 0.3), c.SetCell(Lane.KICK, 4, 0.0), c.SetCell(Lane.KICK, 5, 1.0))
    assert cells(state, Lane.KICK) == [
        (0, 0.3, "edited"),
        (5, 1.0, "edited"),
        (8, 0.8, "generated"),
        (12, 0.8, "generated"),
    ]
    given_back = after(*(c.SetCell(Lane.KICK, cell, None) for cell in (0, 4, 5)), state=state)
    assert heard(given_back) == heard(START)


def test_an_edit_survives_the_generator_and_sounds_at_every_energy():
    state = after(c.SetCell(Lane.HIHAT, 6, 0.9), c.SetEnergy(0.0), Generated(OTHER, ALL_LANES, 8))
    assert cells(state, Lane.HIHAT) == [(6, 0.9, "edited")]


def test_an_edited_bass_note_has_its_pitch_and_a_locked_lane_shows_its_edits():
    state = after(c.SetCell(Lane.BASS, 3, 0.9, 11), c.LockLane(Lane.BASS, True))
    (note,) = heard(state).lane(Lane.BASS)
    assert (note.pitch, note.length_ticks, note.origin) == (11, 110, Origin.EDITED)


def test_a_muted_lane_is_silent_but_stays_a_candidate():
    state = after(c.MuteLane(Lane.KICK, True))
    assert heard(state).lane(Lane.KICK) == ()
    assert candidates(state).notes == FOUR.notes
    assert heard(after(c.MuteLane(Lane.KICK, False), state=state)) == heard(START)


def test_morph_ends_are_the_bars_themselves():
    state = after(Generated(OTHER, ALL_LANES, 8), c.SetEnergy(1.0))
    assert heard(state).notes == OTHER.notes
    assert heard(reduce(state, c.SetMorph(0.0))).notes == FOUR.notes


def test_morph_exchanges_one_place_at_a_time_and_glides_what_both_have():
    bars = [morphed(FOUR, OTHER, step / 200) for step in range(201)]
    places = [frozenset((n.lane, n.cell) for n in b.notes) for b in bars]
    assert max(len(a ^ b) for a, b in itertools.pairwise(places)) == 1
    velocities = [b.lane(Lane.KICK)[0].velocity for b in bars]
    assert velocities == sorted(velocities, reverse=True)
    assert abs(velocities[100] - 0.6) < 1e-9


def test_morph_tells_both_parents():
    between = morphed(FOUR, OTHER, 0.25).provenance
    assert (between.parent, between.seed, between.parameters["morph"]) == (FOUR.id, 8, 0.25)


def test_kept_notes_do_not_jump_when_a_lane_is_made_anew_between_two_bars():
    state = after(Generated(OTHER, ALL_LANES, 8), c.SetMorph(0.4))
    before = heard(state)
    state = reduce(state, Generated(bar(hit(Lane.CYMBAL, 1)), frozenset({Lane.CYMBAL}), 3))
    assert state.morph == 1.0
    assert [n for n in heard(state).notes if n.lane is not Lane.CYMBAL] == list(before.notes)


def test_transposed_bass_keeps_its_sound_or_moves_an_octave():
    moved = transposed(bar(hit(Lane.BASS, 0, pitch=2), hit(Lane.BASS, 1, pitch=14), hit(Lane.KICK, 0)), 40)
    assert [(n.lane.value, n.pitch) for n in moved.notes] == [("bass", 10), ("kick", 0), ("bass", 10)]
    assert moved.root == 40
