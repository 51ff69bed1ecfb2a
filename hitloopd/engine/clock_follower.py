"""Following somebody else's MIDI clock.

Phase and tempo are kept apart (midilab/uClock#50): position is the count of received ticks and nothing else, so it
can't wander; the tempo is a regression over many ticks and serves the display, the audio and the places between ticks.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from hitloopd.core.time import MAX_BPM, MIN_BPM, NS_PER_MS, TICKS_PER_CLOCK, clock_period_ns

WINDOW = 96
USABLE_AFTER = 24
_JUMP_TICKS = 5
_JUMP_RATIO = 0.03
SHORTEST_NS = int(clock_period_ns(MAX_BPM) / 4)
LOST_PERIODS = 3
LOST_MIN_NS = 250 * NS_PER_MS
_AHEAD_TICKS = 2 * TICKS_PER_CLOCK  # rule 7: never past the next tick by more than one tick
_LONGEST_NS = clock_period_ns(MIN_BPM) * 1.5


class TempoEstimate:
    """The tempo of ticks that arrive with jitter, stalls and bursts.

    Least squares over the last 96 ticks. A tick far off the line is left out; two that are off alike mean that the
    master paused, and the line is moved there; five intervals that are all longer or all shorter are a new tempo.
    """

    def __init__(self, bpm: float) -> None:
        self._points: deque[tuple[int, int]] = deque(maxlen=WINDOW)
        self._recent: deque[int] = deque(maxlen=_JUMP_TICKS + 1)
        self._period_ns = clock_period_ns(bpm)
        self._offset_ns = 0.0
        self._last_off_ns: float | None = None
        self._index = 0

    @property
    def usable(self) -> bool:
        """Enough ticks were seen to show it."""
        return len(self._points) >= USABLE_AFTER

    @property
    def bpm(self) -> float:
        """The smoothed tempo."""
        return clock_period_ns(1.0) / self._period_ns

    @property
    def period_ns(self) -> float:
        """The smoothed time between two ticks."""
        return self._period_ns

    def add(self, at_ns: int) -> None:
        """One more tick."""
        self._recent.append(at_ns)
        self._index += 1
        if self._jumped():
            first = self._index - len(self._recent) + 1
            self._points = deque(enumerate(self._recent, first), maxlen=WINDOW)
        elif not self._fits(at_ns):
            return
        else:
            self._points.append((self._index, at_ns))
        if len(self._points) >= 2:
            self._period_ns, self._offset_ns = _fit(list(self._points))

    def quick_period_ns(self) -> float:
        """The median of the last intervals: for the places between this tick and the next, right after a jump too."""
        gaps = sorted(self._gaps())
        return float(gaps[len(gaps) // 2]) if gaps else self._period_ns

    def _gaps(self) -> list[int]:
        return [b - a for a, b in pairwise(self._recent)]

    def _fits(self, at_ns: int) -> bool:
        if len(self._points) < 2:
            return True
        off = at_ns - (self._offset_ns + self._period_ns * self._index)
        last, self._last_off_ns = self._last_off_ns, off
        if abs(off) <= self._period_ns / 2:
            self._last_off_ns = None
            return True
        if last is not None and abs(off - last) <= self._period_ns / 2:
            self._points = deque(((i, at + round(off)) for i, at in self._points), maxlen=WINDOW)
            self._last_off_ns = None
            return True
        return False

    def _jumped(self) -> bool:
        if len(self._recent) <= _JUMP_TICKS or len(self._points) < 2:
            return False
        ratios = [gap / self._period_ns - 1 for gap in self._gaps()]
        return all(r > _JUMP_RATIO for r in ratios) or all(r < -_JUMP_RATIO for r in ratios)


def _fit(points: list[tuple[int, int]]) -> tuple[float, float]:
    """Period and time of index 0; points further off than three median residuals are left out once."""
    first_ns = points[0][1]
    xs = [index for index, _ in points]
    ys = [float(at - first_ns) for _, at in points]
    slope, offset = _line(xs, ys)
    residuals = [abs(y - (offset + slope * x)) for x, y in zip(xs, ys, strict=True)]
    limit = max(3 * sorted(residuals)[len(residuals) // 2], 1000.0)
    kept = [(x, y) for x, y, r in zip(xs, ys, residuals, strict=True) if r <= limit]
    if 2 <= len(kept) < len(xs):
        slope, offset = _line([x for x, _ in kept], [y for _, y in kept])
    return slope, offset + first_ns


def _line(xs: list[int], ys: list[float]) -> tuple[float, float]:
    n = len(xs)
    mean_x, mean_y = sum(xs) / n, sum(ys) / n
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    return slope, mean_y - slope * mean_x


class FollowedTime:
    """Ticks to nanoseconds and back while a clock is followed.

    A received clock is a multiple of 20 ticks. Between two clocks the place is interpolated; a head that plays at the
    moment stops just before the next clock and waits for it, one that must run ahead may go one clock past it.
    """

    fixed = False
    """Every clock that comes in moves what is to come."""

    def __init__(self, *, tick: int, at_ns: int, bpm: float) -> None:
        self.estimate = TempoEstimate(bpm)
        self._arrivals: deque[tuple[int, int]] = deque(maxlen=WINDOW)
        self._behind = 0
        self.rejected = 0
        self._take(tick, at_ns)

    @property
    def tick(self) -> int:
        """The tick of the last clock."""
        return self._arrivals[-1][0]

    @property
    def at_ns(self) -> int:
        """When it came."""
        return self._arrivals[-1][1]

    @property
    def target_bpm(self) -> float:
        """The smoothed tempo."""
        return self.estimate.bpm

    def bpm_at(self, tick: int) -> float:
        """The smoothed tempo, wherever."""
        del tick
        return self.estimate.bpm

    def clock(self, at_ns: int) -> bool:
        """One F8. False if it is no tick: too close to the last without a gap before it that it could fill."""
        gap = at_ns - self.at_ns
        period = self.estimate.period_ns
        if gap < SHORTEST_NS:
            if self._behind <= 0:
                self.rejected += 1
                return False
            self._behind -= 1
        else:
            self._behind = round(gap / period) - 1
        self._take(self.tick + TICKS_PER_CLOCK, at_ns)
        return True

    def _take(self, tick: int, at_ns: int) -> None:
        self._arrivals.append((tick, at_ns))
        self.estimate.add(at_ns)

    def moved_to(self, tick: int) -> FollowedTime:
        """The same clock, its last tick counted as ``tick``."""
        shift = tick - self.tick
        self._arrivals = deque(((t + shift, at) for t, at in self._arrivals), maxlen=WINDOW)
        return self

    def lost_at_ns(self) -> int:
        """When silence becomes a lost clock: three periods, at least 250 ms."""
        return self.at_ns + max(int(LOST_PERIODS * self.estimate.period_ns), LOST_MIN_NS)

    def ns_at(self, tick: int) -> int:
        """When ``tick`` was or will be."""
        last_tick, last_ns = self._arrivals[-1]
        if tick >= last_tick:
            return last_ns + round((tick - last_tick) * self._ns_per_tick())
        first_tick, first_ns = self._arrivals[0]
        if tick < first_tick:
            return first_ns - round((first_tick - tick) * self._ns_per_tick())
        index, rest = divmod(tick - first_tick, TICKS_PER_CLOCK)
        begin, end = self._arrivals[index][1], self._arrivals[index + 1][1]
        return begin + (end - begin) * rest // TICKS_PER_CLOCK

    def reach(self, now_ns: int, *, ahead: bool = False) -> int:
        """The last tick that is not after ``now_ns``, as far as may be said without the next clock."""
        last_tick, last_ns = self._arrivals[-1]
        if now_ns >= last_ns:
            limit = _AHEAD_TICKS if ahead else TICKS_PER_CLOCK - 1
            past = int((now_ns - last_ns) / self._ns_per_tick())
            if self.ns_at(last_tick + past + 1) <= now_ns:  # ns_at rounds
                past += 1
            return last_tick + min(past, limit)
        previous = last_tick
        for tick, at_ns in reversed(self._arrivals):
            if at_ns <= now_ns:
                span = self.ns_at(previous) - at_ns
                return tick + (min((now_ns - at_ns) * TICKS_PER_CLOCK // span, TICKS_PER_CLOCK - 1) if span else 0)
            previous = tick
        return self._arrivals[0][0] - 1

    def due_ns(self, tick: int, *, ahead: bool = False) -> int | None:
        """When to look at ``tick``; None: only the next clock can tell."""
        if tick - self.tick > (_AHEAD_TICKS if ahead else TICKS_PER_CLOCK - 1):
            return None
        return self.ns_at(tick)

    def _ns_per_tick(self) -> float:
        return min(self.estimate.quick_period_ns(), _LONGEST_NS) / TICKS_PER_CLOCK
