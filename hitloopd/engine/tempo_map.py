"""The internal clock: straight lines joined at MIDI clock ticks.

A tempo is only ever changed on a clock tick that no head has reached yet. So every F8 interval belongs to one tempo,
and outputs that are fed ahead of time agree with those that are not. A ramp is one short line per clock.
"""

from __future__ import annotations

from bisect import bisect_right

from hitloopd.core.time import TICKS_PER_CLOCK, Timeline

_KEPT_BEHIND = 64  # lines kept behind the present: outputs with a positive offset look back that far at the most


class TempoMap:
    """Ticks to nanoseconds and back, for an internal tempo that changes over time."""

    predicts = True
    """Every future tick is known, so any head may run ahead."""

    def __init__(self, timeline: Timeline) -> None:
        self._lines = [timeline]
        self._ticks = [timeline.tick0]
        self._times = [timeline.time0_ns]
        self._joined: list[Timeline] = []

    @property
    def steady(self) -> bool:
        """There was no other tempo lately and none is to come."""
        return len(self._lines) == 1

    def line_at(self, tick: int) -> Timeline:
        """The line that ``tick`` lies on."""
        if self.steady:
            return self._lines[0]
        return self._lines[max(bisect_right(self._ticks, tick) - 1, 0)]

    def ns_at(self, tick: int) -> int:
        """When ``tick`` is."""
        return self.line_at(tick).ns_at(tick)

    def reach(self, now_ns: int, *, ahead: bool = True) -> int:
        """The last tick that is not after ``now_ns``. ``ahead`` makes no difference here."""
        del ahead
        if self.steady:
            return self._lines[0].last_tick(now_ns)
        index = max(bisect_right(self._times, now_ns) - 1, 0)
        tick = self._lines[index].last_tick(now_ns)
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
        return self.line_at(tick).bpm

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
        self._joined.append(line)
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
