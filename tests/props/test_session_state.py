"""Laws of the session, over random commands."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hitloopd.core import commands as c
from hitloopd.core.energy import measure
from hitloopd.core.errors import HitloopError
from hitloopd.core.pattern import Origin
from hitloopd.session.codec import state_as_json, state_from_json
from hitloopd.session.heard import energy_of, heard, lane_notes
from hitloopd.session.history import History, Step
from hitloopd.session.morph import morphed
from hitloopd.session.reduce import Generated, reduce
from hitloopd.session.state import SessionState
from tests.session.bars import changes, lane_sets, patterns, seeds, unit

sequences = st.lists(changes, max_size=25)


def played(commands) -> History:
    history = History(SessionState())
    for command in commands:
        perform(history, command)
    return history


def perform(history: History, command) -> Step | None:
    before = (history.present, history.past, history.future)
    try:
        return history.apply(command)
    except HitloopError:
        assert (history.present, history.past, history.future) == before
        return None


def sound(state, lane):
    """A lane's notes, mute apart."""
    return sorted(lane_notes(state, heard(state), lane))


@settings(max_examples=60, deadline=None)
@given(sequences)
def test_json_gives_an_equal_state_and_equal_text_back(commands):
    state = played(commands).present
    text = json.dumps(state_as_json(state))
    again = state_from_json(json.loads(text))
    assert again == state
    assert json.dumps(state_as_json(again)) == text


@settings(max_examples=60, deadline=None)
@given(sequences)
def test_n_undos_and_n_redos_give_the_same_states(commands):
    history = History(SessionState())
    states = [history.present, *(history.present for command in commands if perform(history, command) is Step.PUSH)]
    back = []
    while history.past:
        back.append(history.present)
        history.apply(c.Undo())
    assert [history.present, *reversed(back)] == states
    for state in states[1:]:
        history.apply(c.Redo())
        assert history.present == state


@settings(max_examples=60, deadline=None)
@given(sequences)
def test_a_locked_lane_changes_by_unlock_only(commands):
    history = History(SessionState())
    for command in commands:
        before = history.present
        perform(history, command)
        for lane in before.locks & history.present.locks:
            assert sound(history.present, lane) == sound(before, lane)
        if not isinstance(command, c.LockLane):
            assert history.present.locks == before.locks


@settings(max_examples=60, deadline=None)
@given(sequences, st.builds(Generated, patterns, lane_sets, seeds))
def test_edits_survive_the_generator(commands, generated):
    history = played(commands)
    before = history.present.edits
    perform(history, generated)
    assert history.present.edits == before
    edited = [note for (lane, _), note in before.items() if note and lane not in history.present.mutes]
    assert all(note in heard(history.present).notes for note in edited)


@settings(max_examples=80, deadline=None)
@given(sequences)
def test_presses_are_monotone_reach_the_end_and_are_taken_back(commands):
    state = played(commands).present
    up = down = state
    for _ in range(11):
        louder, softer = reduce(up, c.Energetic()), reduce(down, c.Calmer())
        assert energy_of(louder) >= energy_of(up)
        assert energy_of(softer) <= energy_of(down)
        assert louder == up or heard(reduce(louder, c.Calmer())) == heard(up)
        assert softer == down or heard(reduce(softer, c.Energetic())) == heard(down)
        up, down = louder, softer
    assert (up.energy, down.energy) == (1.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(sequences)
def test_locking_and_muting_do_not_change_what_the_others_play(commands):
    state = played(commands).present
    for lane in set(sound_lanes(state)) - state.locks:
        locked = reduce(state, c.LockLane(lane, on=True))
        assert [(n.start_ticks, n.lane, n.pitch, n.velocity) for n in heard(locked).notes] == [
            (n.start_ticks, n.lane, n.pitch, n.velocity) for n in heard(state).notes
        ]
        assert all(n.origin is not Origin.GENERATED for n in heard(locked).lane(lane))
        muted = reduce(state, c.MuteLane(lane, on=True))
        assert heard(muted).notes == tuple(n for n in heard(state).notes if n.lane is not lane)


def sound_lanes(state):
    return [note.lane for note in heard(state).notes]


@settings(max_examples=60, deadline=None)
@given(patterns, patterns, unit, unit, unit)
def test_morph_is_sane_everywhere_and_monotone_in_the_knob(previous, current, position, one, two):
    bar = morphed(previous, current, position)
    assert bar == morphed(previous, current, position)
    assert bar.root == current.root
    low, high = sorted((one, two))
    assert measure(bar.at(low).notes).value <= measure(bar.at(high).notes).value
