"""Where the bar lines of a song are, by its time signatures, and which bars are whole bars of 4/4.

Conventions: a time signature begins a bar where it stands, so one in the middle of a bar cuts that bar short; one that
repeats the meter in force changes nothing. Before the first it is 4/4. Files end with their last note, so a last bar
counts as whole when the file goes on into its last beat: a fill is a bar.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from offline.dataset.midi import Meter, MidiSong

COMMON_TIME: Final = (4, 4)
EPSILON: Final = 1e-6
ENOUGH: Final = 0.75  # of the last bar


class Bar(NamedTuple):
    """One bar: first tick, length in ticks, and whether it is a whole one of 4/4."""

    start: float
    length: float
    usable: bool


@dataclass(frozen=True, slots=True)
class BarGrid:
    """The bars of a song in order, without gaps from tick 0 to past its end."""

    bars: Sequence[Bar]
    starts: Sequence[float]

    def at(self, tick: float) -> int:
        """The index of the bar in which a tick lies; the last one for what is later."""
        return bisect_right(self.starts, tick) - 1


def bar_grid(song: MidiSong) -> BarGrid:
    """The song's bars. One that a meter change cuts short is not usable, nor one in which the file ends early."""
    meters = _changes(song.meters)
    bars: list[Bar] = []
    for index, meter in enumerate(meters):
        last = index + 1 == len(meters)
        until = song.end if last else meters[index + 1].tick
        length = song.ticks_per_beat * 4 * meter.beats / meter.unit
        start = float(meter.tick)
        while start < until - EPSILON or (last and not bars):
            reach = ENOUGH * length if last else length
            whole = start + reach <= until + EPSILON
            inside = length if last else min(length, until - start)
            bars.append(Bar(start, inside, usable=whole and (meter.beats, meter.unit) == COMMON_TIME))
            start += length
    return BarGrid(bars, [bar.start for bar in bars])


def _changes(meters: Sequence[Meter]) -> list[Meter]:
    kept = [Meter(0, *COMMON_TIME)]
    for meter in meters:
        if meter.tick == kept[-1].tick:
            kept[-1] = meter
        elif (meter.beats, meter.unit) != (kept[-1].beats, kept[-1].unit):
            kept.append(meter)
    return kept
