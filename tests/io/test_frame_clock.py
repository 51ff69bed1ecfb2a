"""The tie of frames and time: exact spacing, slow slew, a new start after a slip."""

from __future__ import annotations

import itertools
import random

import pytest

from hitloopd.core.time import Timeline
from hitloopd.engine.tempo_map import TempoMap
from hitloopd.io.frame_clock import FrameClock

PERIOD = 64


def intervals_of_a_clock(rate_error_ppm: float, jitter_us: float, *, seconds: int = 60, measure_every: int = 8):
    """Frames between the clocks of a 174 BPM timeline through a FrameClock fed with jittering measurements."""
    rng = random.Random(5)
    clock = FrameClock(48_000)
    ns_per_frame = 1e9 / 48_000 / (1 + rate_error_ppm * 1e-6)
    timeline = Timeline(174.0, 0, 600_000_000)  # after it has settled
    frames, tick = [], 0
    for cycle in range(seconds * 750):
        start = cycle * PERIOD
        if cycle % measure_every == 0:
            clock.update(start, round(start * ns_per_frame + rng.gauss(0, jitter_us * 1000)))
        while (frame := clock.frame_at(timeline.ns_at(tick))) < start + PERIOD:
            frames.append(frame)
            tick += 20
    worst = max(abs(f * ns_per_frame - timeline.ns_at(20 * n)) for n, f in enumerate(frames) if n > len(frames) // 2)
    return [b - a for a, b in itertools.pairwise(frames)], worst, clock


@pytest.mark.parametrize("ppm", [0, 80, -80, 200])
@pytest.mark.parametrize("jitter_us", [0, 20])
def test_intervals_at_174_bpm_are_689_or_690_whatever_card_and_jitter(ppm, jitter_us):
    intervals, worst_ns, clock = intervals_of_a_clock(ppm, jitter_us)
    assert set(intervals) == {689, 690}
    assert worst_ns < 150_000
    assert clock.resyncs == 0


def test_a_first_measurement_that_was_off_is_forgotten_within_half_a_second():
    clock = FrameClock(48_000)
    clock.update(0, 400_000)
    for start in range(512, 24_000, 512):
        clock.update(start, round(start * 1e9 / 48_000))
    assert abs(clock.ns_at(24_000) - 500_000_000) < 1_000


def test_nearest_frame_and_back():
    clock = FrameClock(48_000)
    clock.update(1000, 5_000_000_000)
    assert [clock.frame_at(clock.ns_at(1000 + n)) for n in range(5000)] == [1000 + n for n in range(5000)]
    assert clock.frame_at(5_000_000_000 + 10_416) == 1000
    assert clock.frame_at(5_000_000_000 + 10_418) == 1001


def test_bad_measurements_move_nothing_until_they_last_a_tenth_of_a_second():
    clock = FrameClock(48_000)
    clock.update(0, 0)
    assert not clock.update(48, 1_000_000 + 5_000_000)
    assert clock.doubts == 1
    assert not clock.update(96, 2_000_000)
    assert clock.doubts == 0
    assert clock.ns_at(96) == pytest.approx(2_000_000, abs=2)
    jumps = [clock.update(144 + 480 * n, 3_000_000 + n * 10_000_000 + 5_000_000) for n in range(11)]
    assert jumps == [False] * 10 + [True]
    assert clock.resyncs == 1
    assert clock.ns_at(240) == 10_000_000


def fed(rate_error_ppm: float, *, cycles: int, slip_at: int = -1, slip_frames: int = 0) -> tuple[FrameClock, int]:
    """A FrameClock after so many cycles of 64 frames, and the monotonic ns of the last."""
    clock = FrameClock(48_000)
    ns_per_frame = 1e9 / 48_000 / (1 + rate_error_ppm * 1e-6)
    ns = 0
    for cycle in range(cycles):
        held_up = slip_frames if 0 <= slip_at <= cycle else 0
        ns = round((cycle * PERIOD + held_up) * ns_per_frame)
        clock.update(cycle * PERIOD, ns)
    return clock, ns


@pytest.mark.parametrize("ppm", [0, 80, -80])
def test_a_beat_counted_on_the_card_has_the_cards_tempo(ppm):
    clock, now_ns = fed(ppm, cycles=20_000)
    assert clock.settled
    tempo = TempoMap(Timeline(174.0, 0, 0))
    tempo.count_on(clock, now_ns)
    first = tempo.reach(now_ns) + 1
    frames = [clock.frame_at(tempo.ns_at(tick)) for tick in range(first, first + 64 * 1920 + 1, 20)]
    assert {b - a for a, b in itertools.pairwise(frames)} == {689, 690}
    assert frames[-1] - frames[0] == pytest.approx((len(frames) - 1) * 48_000 * 60 / (174 * 24), abs=1)


def test_the_cards_time_goes_on_where_frames_jump_against_time():
    before, then_ns = fed(0, cycles=4_000)
    after, now_ns = fed(0, cycles=4_600, slip_at=4_000, slip_frames=24_000)
    assert after.resyncs == 1
    assert after.scale_ns(now_ns) - before.scale_ns(then_ns) == pytest.approx(now_ns - then_ns, abs=1_000)


def test_the_cards_time_can_be_told_back():
    clock, now_ns = fed(80, cycles=20_000)
    assert clock.monotonic_ns(clock.scale_ns(now_ns)) == pytest.approx(now_ns, abs=1)
