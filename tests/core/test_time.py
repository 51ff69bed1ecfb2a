"""Time as a value: the laws of a line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hitloopd.core.time import (
    CLOCKS_PER_BEAT,
    NS_PER_S,
    STEPS_PER_BAR,
    TICKS_PER_BAR,
    TICKS_PER_BEAT,
    TICKS_PER_CELL,
    TICKS_PER_CLOCK,
    TICKS_PER_SIXTEENTH,
    TICKS_PER_STEP,
    Timeline,
    clock_period_ns,
)

LINES = st.builds(Timeline, st.floats(20, 300), st.integers(-(10**6), 10**6), st.integers(0, 10**15))
TICKS = st.integers(-(10**6), 10**7)


def test_the_units_fit_into_each_other() -> None:
    assert TICKS_PER_BAR == 1920
    assert TICKS_PER_CLOCK * CLOCKS_PER_BEAT == TICKS_PER_BEAT
    assert TICKS_PER_CELL == TICKS_PER_SIXTEENTH == 6 * TICKS_PER_CLOCK
    assert TICKS_PER_STEP * STEPS_PER_BAR == TICKS_PER_BAR


def test_a_beat_at_120_is_half_a_second() -> None:
    assert Timeline(120.0, 0, 7).ns_at(TICKS_PER_BEAT) == 7 + NS_PER_S // 2
    assert clock_period_ns(120.0) * CLOCKS_PER_BEAT == NS_PER_S / 2


@given(LINES, TICKS)
def test_there_and_back(line: Timeline, tick: int) -> None:
    assert line.last_tick(line.ns_at(tick)) == tick
    assert abs(line.tick_at(line.ns_at(tick)) - tick) < 0.01


@given(LINES, TICKS, st.integers(1, 10**9))
def test_last_tick_is_the_last_that_has_come(line: Timeline, tick: int, later_ns: int) -> None:
    now_ns = line.ns_at(tick) + later_ns
    last = line.last_tick(now_ns)
    assert line.ns_at(last) <= now_ns < line.ns_at(last + 1)


@given(LINES, TICKS, st.floats(20, 300))
def test_a_new_tempo_agrees_with_the_old_at_its_tick(line: Timeline, tick: int, bpm: float) -> None:
    assert line.with_bpm(bpm, tick).ns_at(tick) == line.ns_at(tick)
