"""The internal clock: straight lines joined at MIDI clock ticks.

A tempo is only ever changed on a clock tick that no head has reached yet. So every F8 interval belongs to one tempo,
and outputs that are fed ahead of time agree with those that are not. A ramp is one short line per clock.

Lines lie on a *timescale*: monotonic time, or a sound card's frames where one gives the beat. So 174 BPM is 174 BPM to
whoever listens on that card, though its crystal is some ppm off; all that comes in and goes out is monotonic.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from hitloopd.core.time import TICKS_PER_CLOCK, Timeline
from hitloopd.ports.clock import Timescale

_KEPT_BEHIND = 64  # lines kept behind the present: outputs with a positive offset look back that far at the most


class Monotonic:
    """The timescale of a machine by itself."""

    def scale_ns(self, ns: int) -> float:
        """The instant itself. Thread: any. Real-time: yes."""
        return ns

    def monotonic_ns(self, scale_ns: float) -> float:
        """The instant itself. Thread: any. Real-time: yes."""
        return scale_ns


MONOTONIC: Final = Monotonic()


class TempoMap:
    """Ticks to nanoseconds and back, for an internal tempo that changes over time."""

    def __init__(self, timeline: Timeline, scale: Timescale = MONOTONIC) -> None:
        self._scale = scale
        self._lines = [Timeline(timeline.bpm, timeline.tick0, round(scale.scale_ns(timeline.time0_ns)))]
        self._ticks = [timeline.tick0]
        self._times = [self._lines[0].time0_ns]
        self._joined: list[Timeline] = []

    @property
    def steady(self) -> bool:
        """There was no other tempo lately and none is to come."""
        return len(self._lines) == 1

    @property
    def fixed(self) -> bool:
        """One tempo on the machine's own time; a card's time moves against it."""
        return len(self._lines) == 1 and self._scale is MONOTONIC

    def count_on(self, scale: Timescale, now_ns: int) -> None:
        """Go on from where we are on another timescale: nothing moves at ``now_ns``."""
        shift_ns = round(scale.scale_ns(now_ns) - self._scale.scale_ns(now_ns))
        self._scale = scale
        self._lines = [Timeline(line.bpm, line.tick0, line.time0_ns + shift_ns) for line in self._lines]
        self._times = [line.time0_ns for line in self._lines]

    def line_at(self, tick: int) -> Timeline:
        """The line that goes on from ``tick``, in monotonic time."""
        return Timeline(self.bpm_at(tick), tick, self.ns_at(tick))

    def _line(self, tick: int) -> Timeline:
        if self.steady:
            return self._lines[0]
        return self._lines[max(bisect_right(self._ticks, tick) - 1, 0)]

    def ns_at(self, tick: int) -> int:
        """When ``tick`` is."""
        return round(self._scale.monotonic_ns(self._line(tick).ns_at(tick)))

    def reach(self, now_ns: int, *, ahead: bool = True) -> int:
        """The last tick that is not after ``now_ns``. ``ahead`` makes no difference here."""
        del ahead
        shown_ns = round(self._scale.scale_ns(now_ns))
        if self.steady:
            return self._lines[0].last_tick(shown_ns)
        index = max(bisect_right(self._times, shown_ns) - 1, 0)
        tick = self._lines[index].last_tick(shown_ns)
        if index + 1 < len(self._ticks):
            tick = min(tick, self._ticks[index + 1] - 1)
        return tick

    def due_ns(self, tick: int, *, ahead: bool = True) -> int | None:
        """When to look at ``tick``: always known for an internal clock."""
        del ahead
        return self.ns_at(tick)

    @property
    def target_bpm(self) -> float:
        """The tempo it will arrive at."""
        return self._lines[-1].bpm

    def bpm_at(self, tick: int) -> float:
        """The tempo in force at ``tick``."""
        return self._line(tick).bpm

    def change(self, bpm: float, *, from_tick: int, ramp_beats: float = 0.0) -> None:
        """Go to ``bpm`` from the clock tick at or after ``from_tick``, at once or in a straight ramp of clocks."""
        start = next_clock(from_tick)
        clocks = round(ramp_beats * 24)
        old = self.bpm_at(start)
        self._forget_after(start)
        self._forget_before()
        for step in range(1, clocks + 1):
            self._join(old + (bpm - old) * step / (clocks + 1), start + (step - 1) * TICKS_PER_CLOCK)
        self._join(bpm, start + clocks * TICKS_PER_CLOCK)

    def take_joined(self) -> list[Timeline]:
        """The lines that were laid since the last call, for who writes the tempo down."""
        joined, self._joined = self._joined, []
        return joined

    def _join(self, bpm: float, tick: int) -> None:
        line = self._lines[-1].with_bpm(bpm, tick)
        self._joined.append(Timeline(bpm, tick, round(self._scale.monotonic_ns(line.time0_ns))))
        if self._ticks[-1] == tick:
            self._lines[-1], self._ticks[-1], self._times[-1] = line, line.tick0, line.time0_ns
            return
        self._lines.append(line)
        self._ticks.append(line.tick0)
        self._times.append(line.time0_ns)

    def _forget_after(self, tick: int) -> None:
        while len(self._ticks) > 1 and self._ticks[-1] > tick:
            del self._lines[-1], self._ticks[-1], self._times[-1]

    def _forget_before(self) -> None:
        excess = len(self._lines) - _KEPT_BEHIND
        if excess > 0:
            del self._lines[:excess], self._ticks[:excess], self._times[:excess]


def next_clock(tick: int) -> int:
    """The first MIDI clock tick that is not before ``tick``."""
    return -(-tick // TICKS_PER_CLOCK) * TICKS_PER_CLOCK
