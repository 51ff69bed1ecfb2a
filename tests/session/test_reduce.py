from __future__ import annotations

import math
from functools import reduce as fold

import pytest

from hitloopd.core import commands as c
from hitloopd.core.errors import ArgumentError, HitloopError, LockedError, NothingToDoError, RangeError
from hitloopd.core.pattern import ALL_LANES, Lane, Origin
from hitloopd.core.request import next_seed
from hitloopd.session.heard import energy_of, heard
from hitloopd.session.reduce import STEPS, Generated, Morphed, reduce, request_for
from hitloopd.session.state import SessionState
from tests.session.bars import FOUR, OTHER, bar, hit

START = SessionState(current=FOUR)
KICK_LOCKED = reduce(START, c.LockLane(Lane.KICK, True))


def after(*commands, state=START):
    return fold(reduce, commands, state)


def test_every_command_that_changes_the_pattern_has_a_step():
    elsewhere = {c.Regenerate, c.Undo, c.Redo, c.ExportPattern}
    assert set(STEPS) == {*c.SessionCommand.__args__, Generated, Morphed} - elsewhere
    for command in (c.Regenerate(), c.Undo(), c.Redo()):
        with pytest.raises(ArgumentError):
            reduce(START, command)


@pytest.mark.parametrize(
    ("command", "field", "value"),
    [
        (c.SetEnergy(0.25), "energy", 0.25),
        (c.SetTemperature(2.0), "temperature", 2.0),
        (c.SetHumanise(1), "humanise", 1.0),
        (c.SetSeed(9), "next_seed", 9),
        (c.SetAuto(8), "auto_bars", 8),
        (c.SetModel("random"), "model", "random"),
        (c.SetStyle("techno"), "style", "techno"),
        (c.LoadKit("dnb"), "kit", "dnb"),
        (c.SetDensity(Lane.KICK, 0.5), "densities", {Lane.KICK: 0.5}),
        (c.SetSwing(Lane.KICK, 0.6), "swing", {Lane.KICK: 0.6}),
        (c.SetGain(Lane.BASS, -60), "gains_db", {Lane.BASS: -60.0}),
        (c.SetLaneNote(Lane.KICK, 35), "lane_notes", {Lane.KICK: 35}),
        (c.SetLaneChannel(Lane.BASS, 16), "lane_channels", {Lane.BASS: 16}),
        (c.SetLaneOffset(Lane.BASS, -50), "lane_offsets_ms", {Lane.BASS: -50.0}),
        (c.MuteLane(Lane.BASS, True), "mutes", {Lane.BASS}),
        (c.LockLane(Lane.BASS, True), "locks", {Lane.BASS}),
    ],
)
def test_plain_values_land_in_their_field(command, field, value):
    assert getattr(reduce(START, command), field) == value


@pytest.mark.parametrize(
    "command",
    [
        c.SetEnergy(1.01),
        c.SetEnergy(math.nan),
        c.SetTemperature(-0.1),
        c.SetHumanise(2),
        c.SetSeed(-1),
        c.SetSeed(2**31),
        c.SetAuto(-1),
        c.SetDensity(Lane.KICK, 1.5),
        c.SetMorph(1.5),
        c.SetSwing(Lane.KICK, 0.49),
        c.SetGain(Lane.KICK, 12.5),
        c.SetLaneNote(Lane.KICK, 128),
        c.SetLaneNote(Lane.BASS, 36),
        c.SetLaneChannel(Lane.KICK, 0),
        c.SetLaneOffset(Lane.KICK, 51),
        c.SetCell(Lane.KICK, 16, 1.0),
        c.SetCell(Lane.KICK, 0, 1.1),
        c.SetCell(Lane.KICK, 0, -0.1),
        c.SetCell(Lane.KICK, 0, 1.0, pitch=1),
        c.SetCell(Lane.BASS, 0, 1.0, pitch=16),
    ],
)
def test_out_of_range_is_refused(command):
    with pytest.raises(RangeError):
        reduce(START, command)


@pytest.mark.parametrize("command", [c.SetModel(""), c.SetStyle(""), c.LoadKit("")])
def test_an_empty_name_is_refused(command):
    with pytest.raises(HitloopError):
        reduce(START, command)


@pytest.mark.parametrize("knob", [0.0, 0.05, 0.123457, 0.5, 0.95, 1.0])
def test_a_press_is_a_tenth_and_the_opposite_press_takes_it_back_exactly(knob):
    state = after(c.SetEnergy(knob))
    if knob < 1:
        assert after(c.Energetic(), c.Calmer(), state=state) == state
    if knob > 0:
        assert after(c.Calmer(), c.Energetic(), state=state) == state


@pytest.mark.parametrize(("press", "end"), [(c.Calmer(), 0.0), (c.Energetic(), 1.0)])
@pytest.mark.parametrize("knob", [0.0, 0.05, 0.3, 1.0])
def test_ten_presses_reach_the_end_and_the_eleventh_changes_nothing(press, end, knob):
    state = after(c.SetEnergy(knob), *[press] * 10)
    assert state.energy == end
    assert reduce(state, press) == state


def test_a_lane_with_its_own_density_does_not_follow_the_common_knob():
    state = after(c.SetDensity(Lane.HIHAT, 0.5), *[c.Energetic()] * 10)
    assert [n.cell for n in heard(state).lane(Lane.HIHAT)] == [2]
    state = after(c.SetDensity(Lane.HIHAT, None), state=state)
    assert [n.cell for n in heard(state).lane(Lane.HIHAT)] == [2, 6]


def test_a_locked_lane_keeps_its_notes_through_knob_and_generator():
    locked = after(c.SetEnergy(0.5), c.LockLane(Lane.HIHAT, True))
    kept = heard(locked).lane(Lane.HIHAT)
    assert [(n.cell, n.origin, n.priority) for n in kept] == [(2, Origin.LOCKED, 0.0)]
    for command in (c.SetEnergy(0.0), c.SetEnergy(1.0), Generated(OTHER, ALL_LANES, 8), c.SetPattern(OTHER)):
        assert heard(reduce(locked, command)).lane(Lane.HIHAT) == kept
    changed = after(Generated(OTHER, ALL_LANES, 8), c.LockLane(Lane.HIHAT, False), c.SetEnergy(1.0), state=locked)
    assert heard(changed).lane(Lane.HIHAT) == FOUR.lane(Lane.HIHAT)


@pytest.mark.parametrize(
    "command",
    [c.SetCell(Lane.KICK, 0, 0.5), c.SetCell(Lane.KICK, 0, None), c.SetDensity(Lane.KICK, 0.1)],
)
def test_a_locked_lane_refuses_and_names_what_unlocks_it(command):
    with pytest.raises(LockedError, match="/hitloop/lane/kick/lock 0"):
        reduce(KICK_LOCKED, command)


def test_locking_twice_keeps_the_first_freeze():
    again = after(c.SetEnergy(0.0), c.LockLane(Lane.KICK, True), state=KICK_LOCKED)
    assert again.frozen == KICK_LOCKED.frozen


def test_a_request_names_all_unlocked_lanes_and_listens_to_the_others():
    request = request_for(KICK_LOCKED, c.Regenerate())
    assert request.lanes == ALL_LANES - {Lane.KICK}
    assert request.condition is not None
    assert request.condition.notes == heard(KICK_LOCKED).lane(Lane.KICK)
    assert request_for(START, c.Regenerate()).condition is None


def test_a_request_carries_what_the_user_chose():
    state = after(c.SetModel("random"), c.SetStyle("techno"), c.SetEnergy(0.9), c.SetTemperature(1.5))
    request = request_for(state, c.Regenerate(frozenset({Lane.BASS})))
    assert (request.generator, request.style, request.energy, request.temperature, request.lanes) == (
        "random",
        "techno",
        0.9,
        1.5,
        {Lane.BASS},
    )


def test_the_seed_is_the_given_else_the_set_else_the_next_in_the_row():
    state = after(c.SetSeed(5))
    assert request_for(state, c.Regenerate(seed=4)).seed == 4
    assert request_for(state, c.Regenerate()).seed == 5
    assert request_for(START, c.Regenerate()).seed == next_seed(0)
    assert request_for(START, c.Regenerate(), last_seed=9).seed == next_seed(9)
    used = reduce(state, Generated(OTHER, ALL_LANES, 5))
    assert (used.seed, used.next_seed) == (5, None)


def test_a_locked_lane_is_not_regenerated():
    with pytest.raises(LockedError, match="/hitloop/lane/kick/lock 0"):
        request_for(KICK_LOCKED, c.Regenerate(frozenset({Lane.KICK, Lane.BASS})))
    with pytest.raises(LockedError, match="/hitloop/lane/kick/lock 0"):
        reduce(KICK_LOCKED, Generated(OTHER, frozenset({Lane.KICK}), 8))
    everything = after(*(c.LockLane(lane, True) for lane in Lane))
    with pytest.raises(LockedError, match="lane/bass/lock 0"):
        request_for(everything, c.Regenerate())


def test_a_seed_out_of_range_is_refused():
    with pytest.raises(RangeError, match="seed"):
        request_for(START, c.Regenerate(seed=-1))


def test_giving_the_seed_back_gives_the_whole_bar_back_byte_for_byte():
    first = reduce(START, Generated(OTHER, ALL_LANES, 8))
    again = after(Generated(FOUR, ALL_LANES, 7), Generated(OTHER, ALL_LANES, 8), state=first)
    assert again.current.id == first.current.id == OTHER.id


def test_giving_the_seed_back_gives_one_lane_back_byte_for_byte():
    lane = frozenset({Lane.KICK})
    first = reduce(START, Generated(OTHER, lane, 8))
    again = after(Generated(bar(hit(Lane.KICK, 9), seed=9), lane, 9), Generated(OTHER, lane, 8), state=first)
    assert again.current.as_json() == first.current.as_json()
    assert again.current.provenance.sources == ("hihat: rules/abc seed 7",)


def test_only_the_asked_lanes_are_taken_and_a_kept_bass_keeps_its_key():
    state = SessionState(current=OTHER)
    higher = bar(hit(Lane.KICK, 3), hit(Lane.BASS, 3, pitch=1), root=40)
    state = reduce(state, Generated(higher, frozenset({Lane.KICK}), 1))
    assert (state.current.root, state.current.lane(Lane.BASS)) == (36, OTHER.lane(Lane.BASS))
    assert state.current.lane(Lane.KICK) == higher.lane(Lane.KICK)
    assert reduce(state, Generated(higher, frozenset({Lane.BASS}), 1)).current.root == 40


def test_a_given_bar_replaces_edits_but_not_those_of_locked_lanes():
    state = after(
        c.SetCell(Lane.SNARE, 1, 0.5), c.SetCell(Lane.KICK, 1, 0.5), c.LockLane(Lane.KICK, True), c.SetPattern(OTHER)
    )
    assert set(state.edits) == {(Lane.KICK, 1)}
    assert heard(state).lane(Lane.SNARE) == OTHER.lane(Lane.SNARE)


def test_there_is_nothing_to_morph_from_before_the_second_bar():
    with pytest.raises(NothingToDoError):
        reduce(START, c.SetMorph(0.5))
    first = reduce(SessionState(), Generated(FOUR, ALL_LANES, 7))
    with pytest.raises(NothingToDoError):
        reduce(first, c.SetMorph(0.5))


def test_energy_is_measured_on_what_sounds():
    assert energy_of(after(c.MuteLane(Lane.KICK, True))) < energy_of(START)
