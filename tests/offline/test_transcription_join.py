"""Stretches of a song joined: nothing twice, nothing lost, whatever the two say about a sound near their border."""

from __future__ import annotations

import itertools

import pytest

from hitloopd.core.pattern import Lane
from offline.transcription.heard import BassNote, DrumHit
from offline.transcription.join import NEAR_S, SAME_HIT_S, joined_hits, joined_notes

BORDER_S = 62.0


def hit(time_s, lane=Lane.KICK):
    return DrumHit(time_s, lane, 0.8, 0.9)


def note(start_s, end_s, pitch=36):
    return BassNote(start_s, end_s, pitch, 0.8, 0.9)


@pytest.mark.parametrize("off_s", [0.0, 0.001, -0.001, 0.02, -0.02, NEAR_S, -NEAR_S, NEAR_S - 1e-4, 0.5, -1.5])
@pytest.mark.parametrize("apart_s", [0.0, 0.004, -0.004, 0.025, -0.025])
def test_a_hit_that_both_heard_is_there_once(off_s, apart_s):
    earlier, later = hit(BORDER_S + off_s), hit(BORDER_S + off_s + apart_s)
    found = joined_hits([[earlier], [later]], [BORDER_S])
    assert len(found) == 1
    assert found[0] in {earlier, later}


def test_rolls_across_the_border_keep_their_hits_whatever_the_two_disagree_by():
    every = [BORDER_S - 0.4 + 0.05 * number for number in range(17)]
    for one, other in itertools.product((-0.008, 0.0, 0.008), repeat=2):
        parts = [[hit(at + one) for at in every], [hit(at + other) for at in every]]
        found = joined_hits(parts, [BORDER_S])
        assert len(found) == len(every)
        assert all(abs(hit.time_s - at) < 0.0081 for hit, at in zip(found, every, strict=True))


def test_lanes_are_kept_apart():
    kick, snare = hit(BORDER_S - 0.001), hit(BORDER_S + 0.001, Lane.SNARE)
    assert joined_hits([[kick, snare], [kick, snare]], [BORDER_S]) == [kick, snare]


def test_what_only_one_heard_counts_on_its_own_side():
    mine, not_mine = hit(BORDER_S - 0.05), hit(BORDER_S + 0.05)
    assert joined_hits([[mine, not_mine], []], [BORDER_S]) == [mine]
    assert joined_hits([[], [mine, not_mine]], [BORDER_S]) == [not_mine]


def test_two_hits_further_apart_than_one_sound_are_two():
    near = [hit(BORDER_S - 0.02), hit(BORDER_S - 0.02 + 2 * SAME_HIT_S)]
    assert joined_hits([near, near], [BORDER_S]) == near


def test_hits_of_many_stretches_come_in_order():
    parts = [[hit(at) for at in range(start, start + 9)] for start in (0, 5, 10)]
    assert [one.time_s for one in joined_hits(parts, [7.0, 12.0])] == list(range(19))


def test_a_note_that_is_held_over_the_border_ends_where_the_later_stretch_says():
    earlier = [note(60, 64)]  # cut off by the end of its stretch
    later = [note(60, 70), note(71, 72, 40)]
    assert joined_notes([earlier, later], [BORDER_S]) == [note(60, 70), note(71, 72, 40)]


def test_a_drone_over_several_stretches_is_one_note():
    parts = [[note(50, 64)], [note(60, 124)], [note(120, 150)]]
    assert joined_notes(parts, [62.0, 122.0]) == [note(50, 150)]


def test_a_note_that_ends_at_the_border_stays_ended():
    assert joined_notes([[note(60, 61.9), note(61.95, 64)], [note(61.96, 63)]], [BORDER_S]) == [
        note(60, 61.9),
        note(61.95, 63),
    ]


def test_the_bass_plays_one_note_at_a_time():
    found = joined_notes([[note(60, 64, 36)], [note(62.3, 63, 48)]], [BORDER_S])
    assert found == [note(60, 62.3, 36), note(62.3, 63, 48)]
