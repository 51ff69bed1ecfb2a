from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.errors import RangeError
from hitloopd.core.pattern import Lane, Note, Pattern, Provenance
from hitloopd.generate.roll import pattern_from_roll, roll_from_pattern


def held(roll, row: int) -> list[tuple[int, int]]:
    """(first step, steps) of what is held in a row."""
    on = np.flatnonzero(np.diff(np.concatenate(([0], (roll[:, row] > 0).astype(int), [0]))))
    return [(int(a), int(b - a)) for a, b in zip(on[::2], on[1::2], strict=True)]


def test_shape_rows_and_velocity():
    bar = Pattern((Note(0, Lane.KICK, velocity=0.5), Note(480, Lane.CYMBAL), Note(960, Lane.BASS, 7, 240, 0.75)))
    roll = roll_from_pattern(bar)
    assert roll.shape == (128, 20)
    assert roll.dtype == np.float32
    assert held(roll, 0) == [(0, 4)]
    assert held(roll, 3) == [(32, 4)]
    assert held(roll, 11) == [(64, 16)]
    assert (roll[0, 0], roll[70, 11]) == (np.float32(0.5), np.float32(0.75))
    assert np.count_nonzero(roll) == 24


def test_a_short_hit_lasts_four_steps_and_leaves_a_gap_before_the_next_where_there_is_room():
    hats = Pattern(tuple(Note(tick, Lane.HIHAT, length_ticks=10) for tick in (0, 75, 600)))
    assert held(roll_from_pattern(hats), 2) == [(0, 4), (5, 4), (40, 4)]


def test_closer_hits_touch_rather_than_be_too_short():
    roll = Pattern(
        tuple(Note(t, Lane.HIHAT, length_ticks=10, velocity=v) for t, v in ((120, 0.5), (180, 0.6), (210, 0.7)))
    )
    steps = roll_from_pattern(roll)[:, 2]
    assert held(roll_from_pattern(roll), 2) == [(8, 10)]
    assert np.allclose(steps[[8, 11, 12, 13, 14, 17]], [0.5, 0.5, 0.6, 0.6, 0.7, 0.7])


def test_a_long_hit_stops_before_the_next_of_its_lane():
    crash = Pattern((Note(0, Lane.CYMBAL, length_ticks=1920), Note(960, Lane.CYMBAL, length_ticks=1920)))
    assert held(roll_from_pattern(crash), 3) == [(0, 63), (64, 64)]


def test_hits_less_than_two_steps_apart_are_one_the_louder():
    flam = Pattern((Note(470, Lane.SNARE, velocity=0.4), Note(482, Lane.SNARE, velocity=0.9)))
    roll = roll_from_pattern(flam)
    assert held(roll, 1) == [(31, 5)]
    assert roll[32, 1] == np.float32(0.9)


def test_a_hit_ahead_of_the_bar_line_is_its_downbeat():
    assert held(roll_from_pattern(Pattern((Note(-18, Lane.KICK),))), 0) == [(0, 4)]


def test_reading_finds_notes_and_ignores_faint_ones():
    roll = np.zeros((128, 20), np.float32)
    roll[8:12, 0] = (0.2, 0.9, 0.5, 0.3)
    roll[30:40, 19] = 0.6
    roll[50:54, 2] = 0.05
    bar = pattern_from_roll(roll, 40, Provenance("gan1", "abc", 3))
    assert bar.notes == (
        Note(120, Lane.KICK, 0, 60, 0.9),
        Note(450, Lane.BASS, 15, 150, 0.6),
    )
    assert (bar.root, bar.provenance.generator) == (40, "gan1")


def test_wild_numbers_of_a_network_are_survived():
    roll = np.full((128, 20), np.nan, np.float32)
    roll[0:4, 0] = np.inf
    roll[8:12, 1] = -5
    roll[16:20, 2] = 7
    assert [(note.lane, note.velocity) for note in pattern_from_roll(roll, 36).notes] == [
        (Lane.KICK, 1.0),
        (Lane.HIHAT, 1.0),
    ]


def test_another_shape_is_refused():
    with pytest.raises(RangeError, match="128 x 20"):
        pattern_from_roll(np.zeros((64, 20), np.float32), 36)


def test_silence():
    assert not roll_from_pattern(Pattern()).any()
    assert pattern_from_roll(np.zeros((128, 20), np.float32), 36).notes == ()
