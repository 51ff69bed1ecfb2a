from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, settings

from hitloopd.core.pattern import LANES, Lane, Note, Pattern
from hitloopd.generate.roll import pattern_from_roll, roll_from_pattern

STEP = 15


@st.composite
def patterns(draw):
    """Bars whose notes are at least five steps apart in their row: closer ones touch, and may be one when read."""
    notes = []
    for lane in LANES:
        for pitch in draw(st.sets(st.integers(0, 15), max_size=3)) if lane is Lane.BASS else {0}:
            places = sorted(draw(st.sets(st.integers(0, 20), max_size=8)))
            for place in places:
                tick = min(place * 6 * STEP + draw(st.integers(-7, 7)), 1904)
                notes.append(
                    Note(
                        max(tick, -18),
                        lane,
                        pitch,
                        draw(st.integers(1, 600)),
                        draw(st.floats(0.15, 1.0)),
                    )
                )
    return Pattern(tuple(notes))


@settings(max_examples=150, deadline=None)
@given(patterns())
def test_a_bar_comes_back_within_a_step(bar):
    back = pattern_from_roll(roll_from_pattern(bar), bar.root)
    for lane in LANES:
        for pitch in range(16):
            sent = [note for note in bar.lane(lane) if note.pitch == pitch]
            got = [note for note in back.lane(lane) if note.pitch == pitch]
            assert len(got) == len(sent)
            for before, after in zip(sent, got, strict=True):
                assert abs(before.start_ticks - after.start_ticks) <= STEP
                assert abs(before.velocity - after.velocity) < 1e-6


@settings(max_examples=50, deadline=None)
@given(patterns())
def test_a_second_round_changes_nothing(bar):
    once = pattern_from_roll(roll_from_pattern(bar), bar.root)
    assert pattern_from_roll(roll_from_pattern(once), bar.root) == once
