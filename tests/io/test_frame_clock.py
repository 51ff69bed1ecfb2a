"""The tie of frames and time: exact spacing, slow slew, a new start after a slip."""

from __future__ import annotations

import itertools
import random

import pytest

from hitloopd.core.time import Timeline
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
