"""Musical time as a value.

Conventions: nanoseconds are monotonic-clock integers; ticks are integers, 480 to the beat. A *timeline* tick counts
from an arbitrary origin and never stops; where the song is on it is the transport's business (``core.transport``).
Floats live inside a formula only; rounding happens on emission. This module must not know any clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

TICKS_PER_BEAT: Final = 480
BEATS_PER_BAR: Final = 4
TICKS_PER_BAR: Final = TICKS_PER_BEAT * BEATS_PER_BAR
CELLS_PER_BAR: Final = 16
TICKS_PER_CELL: Final = TICKS_PER_BAR // CELLS_PER_BAR
STEPS_PER_BAR: Final = 128  # the paper's horizontal axis: 32 model steps per beat
TICKS_PER_STEP: Final = TICKS_PER_BAR // STEPS_PER_BAR
CLOCKS_PER_BEAT: Final = 24  # MIDI 1.0: timing clock F8 is sent 24 times per quarter note
TICKS_PER_CLOCK: Final = TICKS_PER_BEAT // CLOCKS_PER_BEAT
CLOCKS_PER_SIXTEENTH: Final = 6  # MIDI 1.0: one song position unit ("MIDI beat") is six clocks
TICKS_PER_SIXTEENTH: Final = TICKS_PER_CLOCK * CLOCKS_PER_SIXTEENTH

MIN_BPM: Final = 20.0
MAX_BPM: Final = 300.0

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
NS_PER_US: Final = 1_000


def clock_period_ns(bpm: float) -> float:
    """Time between two MIDI clocks at ``bpm``."""
    return 60 * NS_PER_S / (bpm * CLOCKS_PER_BEAT)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A straight line between ticks and nanoseconds; a tempo change is a new line through a point of the old one.

    Every instant is computed from the origin, never by adding intervals, so 64 bars at one tempo drift by nothing
    but the final rounding to 1 ns.

    Args:
        bpm: quarter notes per minute.
        tick0: a tick on the line.
        time0_ns: when that tick is, monotonic.

    >>> Timeline(120.0, 0, 0).ns_at(480)
    500000000
    """

    bpm: float
    tick0: int
    time0_ns: int

    def ns_at(self, tick: int) -> int:
        """When ``tick`` is, rounded to the nanosecond."""
        return self.time0_ns + round((tick - self.tick0) * 60 * NS_PER_S / (self.bpm * TICKS_PER_BEAT))

    def tick_at(self, now_ns: int) -> float:
        """Where ``now_ns`` is, in fractional ticks."""
        return self.tick0 + (now_ns - self.time0_ns) * self.bpm * TICKS_PER_BEAT / (60 * NS_PER_S)

    def last_tick(self, now_ns: int) -> int:
        """The last tick whose ``ns_at`` is not after ``now_ns``."""
        tick = math.floor(self.tick_at(now_ns))
        while self.ns_at(tick + 1) <= now_ns:
            tick += 1
        while self.ns_at(tick) > now_ns:
            tick -= 1
        return tick

    def with_bpm(self, bpm: float, at_tick: int) -> Timeline:
        """The line of another tempo that agrees with this one at ``at_tick``."""
        return Timeline(bpm, at_tick, self.ns_at(at_tick))
