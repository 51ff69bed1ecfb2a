"""Onsets and the 16 x 5 grid."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.errors import RangeError
from hitloopd.core.pattern import LANES, Lane, Note, Pattern
from hitloopd.generate.roll import pattern_from_roll, roll_from_pattern
from offline.grid import FAINTEST, cell_of, grid, onsets, sounding


def blank(kind=np.uint8, n: int = 1):
    return np.zeros((n, 128, 20), dtype=kind)


def test_the_faintest_note_is_the_same_in_both_kinds():
    rolls = blank()
    rolls[0, 0, 0], rolls[0, 8, 0] = FAINTEST - 1, FAINTEST
    floats = rolls.astype(np.float32) / 127
    assert np.array_equal(sounding(rolls), sounding(floats))
    assert sounding(rolls)[0, :, 0].nonzero()[0].tolist() == [8]
    assert [note.start_ticks for note in pattern_from_roll(floats[0], 36).notes] == [120], "as the daemon plays it"


def test_an_onset_is_where_a_row_begins_to_sound_and_the_bar_begins_silent():
    rolls = blank(np.float32)
    rolls[0, 0:4, 3] = 0.5
    rolls[0, 10:14, 3] = 0.5
    rolls[0, 12:14, 3] = 0.9
    assert onsets(rolls)[0, :, 3].nonzero()[0].tolist() == [0, 10]


def test_onsets_go_to_their_nearest_cell():
    notes = tuple(
        Note(start, lane)
        for start, lane in ((0, Lane.KICK), (59, Lane.SNARE), (61, Lane.HIHAT), (1919, Lane.CYMBAL), (960, Lane.BASS))
    )
    cells = grid(roll_from_pattern(Pattern(notes))[None])[0]
    assert {(int(cell), LANES[lane]) for cell, lane in zip(*cells.nonzero(), strict=True)} == {
        (0, Lane.KICK),
        (1, Lane.SNARE),  # 59 ticks lie on step 4, half-way, which is the later cell
        (1, Lane.HIHAT),
        (15, Lane.CYMBAL),
        (8, Lane.BASS),
    }


def test_cells_agree_with_those_of_notes():
    assert [cell_of(step) for step in range(128)] == [Note(15 * step, Lane.KICK).cell for step in range(128)]


def test_the_bass_rows_are_one_lane():
    rolls = blank()
    rolls[0, 0:8, 4], rolls[0, 0:8, 19], rolls[0, 64:70, 11] = 90, 90, 90
    assert [(int(c), int(lane)) for c, lane in zip(*grid(rolls)[0].nonzero(), strict=True)] == [(0, 4), (8, 4)]


def test_something_else_is_no_roll():
    with pytest.raises(RangeError, match="128 x 20"):
        grid(np.zeros((3, 16, 5)))
