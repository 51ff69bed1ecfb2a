"""Patterns and notes: ranges, grid, identity and JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitloopd.core.errors import RangeError
from hitloopd.core.pattern import (
    LANES,
    MAX_EARLY_TICKS,
    Lane,
    Note,
    Origin,
    Pattern,
    Provenance,
    pattern_from_json,
)

NOTES = st.builds(
    Note,
    start_ticks=st.integers(-MAX_EARLY_TICKS, 1919),
    lane=st.sampled_from(LANES),
    pitch=st.integers(0, 15),
    length_ticks=st.integers(1, 1920),
    velocity=st.floats(0.001, 1.0),
    priority=st.floats(0.0, 1.0),
    origin=st.sampled_from(list(Origin)),
)
PATTERNS = st.builds(
    Pattern,
    st.lists(NOTES, max_size=20).map(tuple),
    st.integers(0, 112),
    st.builds(Provenance, st.just("rules"), st.text(max_size=5), st.integers(0, 99), st.just({"style": "house"})),
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_ticks", -19),
        ("start_ticks", 1920),
        ("pitch", 16),
        ("length_ticks", 0),
        ("velocity", 0.0),
        ("velocity", 1.1),
        ("velocity", float("nan")),
        ("priority", -0.1),
    ],
)
def test_a_note_outside_its_range_can_not_be(field: str, value: float) -> None:
    with pytest.raises(RangeError, match=f"{field} must be"):
        Note(**{"start_ticks": 0, "lane": Lane.KICK, field: value})


@given(NOTES)
def test_a_note_belongs_to_the_nearest_cell(note: Note) -> None:
    assert 0 <= note.cell <= 15
    assert note.cell * 120 + note.micro_ticks == note.start_ticks
    if note.start_ticks < 1860:
        assert -60 <= note.micro_ticks <= 60


@given(PATTERNS)
def test_json_gives_the_same_pattern_back(pattern: Pattern) -> None:
    again = pattern_from_json(pattern.as_json())
    assert again == pattern
    assert again.id == pattern.id


@pytest.mark.parametrize(
    "data", [{}, {"notes": [[0, "gong", 0, 1, 0.5, 0, "generated"]]}, {"notes": [[1]]}, {"notes": 3}]
)
def test_what_is_no_pattern_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(RangeError, match="not a pattern"):
        pattern_from_json(data)


def test_a_pattern_sorts_and_its_id_does_not_depend_on_the_order_given() -> None:
    early, late = Note(0, Lane.KICK), Note(480, Lane.SNARE)
    assert Pattern((late, early)).notes == (early, late)
    assert Pattern((late, early)).id == Pattern((early, late)).id != Pattern((early,)).id


def test_the_knob_lets_notes_in_by_priority() -> None:
    bar = Pattern((Note(0, Lane.KICK), Note(240, Lane.HIHAT, priority=0.4), Note(360, Lane.HIHAT, priority=0.9)))
    assert [len(bar.at(knob).notes) for knob in (0.0, 0.39, 0.4, 0.9, 1.0)] == [1, 1, 2, 3, 3]


def test_lanes_are_taken_from_another_bar() -> None:
    mine = Pattern((Note(0, Lane.KICK), Note(480, Lane.SNARE)))
    other = Pattern((Note(120, Lane.KICK), Note(600, Lane.SNARE)))
    mixed = mine.with_lanes(other, [Lane.KICK])
    assert mixed.lane(Lane.KICK) == other.lane(Lane.KICK)
    assert mixed.lane(Lane.SNARE) == mine.lane(Lane.SNARE)
