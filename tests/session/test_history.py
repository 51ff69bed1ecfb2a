from __future__ import annotations

import pytest

from hitloopd.core import commands as c
from hitloopd.core.errors import NothingToDoError, RangeError
from hitloopd.core.pattern import ALL_LANES, Lane
from hitloopd.core.request import next_seed
from hitloopd.session.codec import state_as_json, state_from_json
from hitloopd.session.gesture import REST_NS
from hitloopd.session.history import DEPTH, History, Step
from hitloopd.session.reduce import Generated
from hitloopd.session.state import SessionState
from tests.session.bars import FOUR, OTHER


def test_undo_and_redo_walk_the_same_states():
    history = History(SessionState(current=FOUR))
    states = [history.present]
    for command in (c.Calmer(), c.MuteLane(Lane.KICK, True), Generated(OTHER, ALL_LANES, 8)):
        assert history.apply(command) is Step.PUSH
        states.append(history.present)
    for state in reversed(states[:-1]):
        assert history.apply(c.Undo()) is Step.UNDO
        assert history.present == state
    for state in states[1:]:
        assert history.apply(c.Redo()) is Step.REDO
        assert history.present == state


def test_a_change_equal_to_the_present_makes_no_entry_and_keeps_the_future():
    history = History(SessionState())
    history.apply(c.SetEnergy(1.0))
    history.apply(c.SetAuto(4))
    history.apply(c.Undo())
    assert history.apply(c.Energetic()) is Step.NONE
    assert history.apply(c.Redo()) is Step.REDO


def test_a_new_change_clears_the_future():
    history = History(SessionState())
    history.apply(c.Calmer())
    history.apply(c.Undo())
    history.apply(c.SetAuto(1))
    with pytest.raises(NothingToDoError):
        history.apply(c.Redo())


def test_undo_is_200_deep():
    history = History(SessionState())
    for bars in range(1, DEPTH + 51):
        history.apply(c.SetAuto(bars))
    for _ in range(DEPTH):
        history.apply(c.Undo())
    assert history.present.auto_bars == 50
    with pytest.raises(NothingToDoError):
        history.apply(c.Undo())


MS = 1_000_000


def test_a_knob_that_is_turned_is_one_change_and_a_pause_begins_another():
    history = History(SessionState(current=FOUR, knob=0.5))
    history.apply(c.SetAuto(4), 0)
    steps = [history.apply(c.SetEnergy(0.5 + value / 1000), value * 20 * MS) for value in range(1, 301)]
    assert steps == [Step.PUSH, *[Step.MOVE] * 299]
    assert history.present.energy == 0.8
    assert history.apply(c.SetEnergy(0.2), 300 * 20 * MS + REST_NS) is Step.PUSH
    history.apply(c.Undo(), 0)
    assert history.present.energy == 0.8
    history.apply(c.Undo(), 0)
    assert (history.present.energy, history.present.auto_bars) == (0.5, 4)
    history.apply(c.Redo(), 0)
    assert history.present.energy == 0.8


def test_another_knob_another_lane_a_press_or_an_undo_ends_a_gesture():
    history = History(SessionState(current=FOUR))
    for command in (
        c.SetGain(Lane.KICK, -1.0),
        c.SetGain(Lane.SNARE, -1.0),
        c.SetPan(Lane.SNARE, 0.5),
        c.Calmer(),
        c.Calmer(),
        c.SetEnergy(0.9),
    ):
        assert history.apply(command, MS) is Step.PUSH
    assert history.apply(c.SetEnergy(0.8), MS) is Step.MOVE
    history.apply(c.Undo(), MS)
    assert history.apply(c.SetEnergy(0.7), MS) is Step.PUSH


def test_a_knob_that_begins_where_it_stands_is_undone_to_there():
    history = History(SessionState(knob=0.5))
    assert history.apply(c.SetEnergy(0.5), 0) is Step.NONE
    assert history.apply(c.SetEnergy(0.6), MS) is Step.PUSH
    history.apply(c.Undo(), MS)
    assert history.present.energy == 0.5


def test_a_refused_command_changes_nothing():
    history = History(SessionState())
    with pytest.raises(RangeError):
        history.apply(c.SetEnergy(2.0))
    assert (history.present, history.past) == (SessionState(), ())


def test_dice_after_undo_gives_another_bar():
    history = History(SessionState())
    first = history.request_for(c.Regenerate()).seed
    history.apply(Generated(FOUR, ALL_LANES, first))
    history.apply(c.Undo())
    assert history.present.seed == 0
    assert history.request_for(c.Regenerate()).seed == next_seed(first) != first


def test_a_state_with_missing_fields_has_defaults_and_a_wrong_one_is_refused():
    assert state_from_json({}) == SessionState()
    for data in ({"knob": "loud"}, {"mutes": ["flute"]}, {"current": 3}, {"edits": [["kick"]]}):
        with pytest.raises(RangeError):
            state_from_json(data)


def test_json_has_every_field():
    assert set(state_as_json(SessionState())) == set(SessionState.__slots__)
