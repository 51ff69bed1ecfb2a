from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitloopd.core.feel import Feel
from hitloopd.core.pattern import LANES, Lane, Note, Pattern
from hitloopd.engine.render import render, swung

STRAIGHT = Feel()


def bar(*notes: Note, root: int = 36) -> Pattern:
    return Pattern(notes, root)


def rows(pattern, feel=STRAIGHT):
    return [(n.tick, n.lane.value, n.velocity, n.pitch, n.length_ticks) for n in render(pattern, feel).notes]


def test_straight_and_unhumanised_is_what_is_written():
    pattern = bar(
        Note(-5, Lane.KICK, 0, 60, 0.9), Note(600, Lane.BASS, 7, 300, 0.5), Note(600, Lane.HIHAT, 0, 60, 1.0), root=40
    )
    assert rows(pattern) == [(-5, "kick", 0.9, 0, 60), (600, "bass", 0.5, 47, 300), (600, "hihat", 1.0, 0, 60)]
    assert render(pattern, STRAIGHT).pattern_id == pattern.id


@pytest.mark.parametrize(
    ("swing", "ticks"),
    [
        (0.5, [0, 60, 120, 180, 240, 1919]),
        (2 / 3, [0, 80, 160, 200, 240, 1919]),
        (0.75, [0, 90, 180, 210, 240, 1920]),
    ],
)
def test_swing_bends_each_pair(swing, ticks):
    assert [swung(tick, swing) for tick in (0, 60, 120, 180, 240, 1919)] == ticks


def test_swing_is_per_lane_and_stays_in_the_bar():
    pattern = bar(Note(120, Lane.HIHAT), Note(120, Lane.KICK), Note(1919, Lane.HIHAT), Note(-18, Lane.HIHAT))
    assert [(t, lane) for t, lane, *_ in rows(pattern, Feel({Lane.HIHAT: 0.75}))] == [
        (-9, "hihat"),
        (120, "kick"),
        (180, "hihat"),
        (1919, "hihat"),
    ]


def test_bass_is_one_voice_and_a_chord_stays_a_chord():
    pattern = bar(
        Note(0, Lane.BASS, 0, 900),
        Note(0, Lane.BASS, 7, 30),
        Note(480, Lane.BASS, 3, 900),
        Note(1900, Lane.BASS, 0, 90),
    )
    assert [(t, pitch, length) for t, _, _, pitch, length in rows(pattern)] == [
        (0, 36, 480),
        (0, 43, 30),
        (480, 39, 900),
        (1900, 36, 90),
    ]


def test_two_hits_on_one_tick_get_a_tick_each_also_at_the_bar_s_end():
    pattern = bar(
        *[Note(1919, Lane.KICK, 0, 60, v) for v in (0.3, 0.4, 0.5)], Note(0, Lane.KICK, 0), Note(0, Lane.KICK, 5)
    )
    assert [(t, length) for t, _, _, _, length in rows(pattern)] == [(0, 1), (1, 60), (1917, 1), (1918, 1), (1919, 60)]


def test_a_pitch_above_midi_s_range_is_its_highest():
    assert rows(bar(Note(0, Lane.BASS, 15), root=120))[0][3] == 127


def test_humanise_draws_by_seed_and_moves_both_ways():
    pattern = bar(*[Note(cell * 120, Lane.HIHAT, velocity=0.5) for cell in range(16)])
    loose = rows(pattern, Feel(humanise=1.0, seed=1))
    assert loose == rows(pattern, Feel(humanise=1.0, seed=1))
    assert loose != rows(pattern, Feel(humanise=1.0, seed=2))
    moved = [row[0] - cell * 120 for cell, row in enumerate(loose)]
    assert min(moved) < 0 < max(moved)
    assert all(abs(ticks) <= 12 for ticks in moved)
    assert all(0.425 <= row[2] <= 0.575 for row in loose)


def test_humanise_of_a_note_does_not_depend_on_the_others():
    alone = rows(bar(Note(480, Lane.SNARE)), Feel(humanise=1.0, seed=3))
    together = rows(bar(Note(480, Lane.SNARE), Note(960, Lane.SNARE), Note(0, Lane.KICK)), Feel(humanise=1.0, seed=3))
    assert alone[0] in together


notes = st.builds(
    Note,
    start_ticks=st.integers(-18, 1919),
    lane=st.sampled_from(LANES),
    pitch=st.integers(0, 15),
    length_ticks=st.integers(1, 4000),
    velocity=st.floats(0.001, 1),
)
feels = st.builds(
    Feel, st.dictionaries(st.sampled_from(LANES), st.floats(0.5, 0.75)), st.floats(0, 1), st.integers(0, 2**31 - 1)
)


@settings(max_examples=200, deadline=None)
@given(st.lists(notes, max_size=40), feels)
def test_every_note_is_played_in_range_in_order_and_never_over_itself(written, feel):
    score = render(bar(*written), feel).notes
    assert len(score) == len(written)
    assert list(score) == sorted(score)
    assert score == render(bar(*written), feel).notes
    assert all(-18 <= n.tick <= 1919 and 0 < n.velocity <= 1 and n.length_ticks >= 1 for n in score)
    for lane in LANES:
        mine = [n for n in score if n.lane is lane]
        for before, after in itertools.pairwise(mine):
            assert (before.tick, before.pitch) != (after.tick, after.pitch)
            assert before.tick == after.tick or before.tick + before.length_ticks <= after.tick


@settings(max_examples=100, deadline=None)
@given(st.lists(notes, max_size=40), st.floats(0.5, 0.75))
def test_swing_keeps_the_order_of_a_lane(written, swing):
    hats = sorted(n.start_ticks for n in written)
    assert [swung(t, swing) for t in hats] == sorted(swung(t, swing) for t in hats)


@settings(max_examples=100, deadline=None)
@given(st.lists(notes, max_size=40, unique_by=lambda n: (n.lane, n.start_ticks)))
def test_straight_keeps_every_onset_and_velocity(written):
    assert [(n.tick, n.lane, n.velocity) for n in render(bar(*written), STRAIGHT).notes] == sorted(
        (n.start_ticks, n.lane, n.velocity) for n in written
    )
