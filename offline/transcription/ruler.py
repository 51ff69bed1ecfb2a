"""Seconds of a song to ticks of a MIDI file whose bar lines are the bar lines that were found.

Every beat found is 480 ticks long, so the tempo follows the song beat by beat. Where no bar was found (before the
first, after the last, in a break without a beat) time passes as well: it is filled with beats, or shorter values where
it is shorter than a beat, at nearly the tempo around it. Seconds between two beats lie on a straight line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from hitloopd.core.time import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT
from offline.transcription.heard import FoundBar

UNITS: Final = (4, 8, 16, 32, 64)
"""What a gap may be counted in: quarter notes, eighths …"""
TEMPO_SLACK: Final = 0.06
MICROSECONDS: Final = 1_000_000
EPSILON_S: Final = 1e-4


class Meter(NamedTuple):
    """A time signature and where it begins."""

    tick: int
    beats: int
    unit: int


class Tempo(NamedTuple):
    """Microseconds per beat from a tick on."""

    tick: int
    beat_us: int


@dataclass(frozen=True, slots=True)
class Ruler:
    """Ticks and seconds of a song side by side.

    Args:
        seconds: where the line has a corner, from 0.
        ticks: the same corners.
        bar_ticks: first tick of every bar that was given.
        meters: every change of the time signature.
        end: last tick of the song.
    """

    seconds: tuple[float, ...]
    ticks: tuple[int, ...]
    bar_ticks: tuple[int, ...]
    meters: tuple[Meter, ...]
    end: int

    def tick(self, time_s: float) -> int:
        """The nearest tick of a moment in the song."""
        index = min(max(bisect_right(self.seconds, time_s), 1), len(self.seconds) - 1)
        low_s, high_s = self.seconds[index - 1], self.seconds[index]
        low, high = self.ticks[index - 1], self.ticks[index]
        return min(max(round(low + (time_s - low_s) / (high_s - low_s) * (high - low)), 0), self.end)

    def tempos(self) -> Iterator[Tempo]:
        """The tempo changes; rounding to whole microseconds never adds up."""
        reached_s, before = 0.0, 0
        for (low, high), end_s in zip(pairwise(self.ticks), self.seconds[1:], strict=True):
            beats = (high - low) / TICKS_PER_BEAT
            beat_us = max(round((end_s - reached_s) * MICROSECONDS / beats), 1)
            reached_s += beat_us * beats / MICROSECONDS
            if beat_us != before:
                yield Tempo(low, beat_us)
            before = beat_us


def ruler(bars: Sequence[FoundBar], length_s: float) -> Ruler:
    """The ruler of a song.

    Args:
        bars: as found, at least one, by start; they don't overlap, but may leave gaps.
        length_s: of the song.
    """
    corners = _Corners()
    bar_ticks: list[int] = []
    for number, bar in enumerate(bars):
        corners.fill(bar.start_s, _beat_s(bars[max(number - 1, 0)]))
        bar_ticks.append(corners.ticks[-1])
        corners.bar(bar)
    beat_s = _beat_s(bars[-1])
    corners.meter(BEATS_PER_BAR, 4)
    rest = max(length_s - corners.seconds[-1], 0.0)
    if rest > EPSILON_S:
        corners.to(length_s, max(round(rest / beat_s * TICKS_PER_BEAT), 1))
    meters = corners.meters if corners.meters[-1].tick < corners.ticks[-1] else corners.meters[:-1]
    return Ruler(tuple(corners.seconds), tuple(corners.ticks), tuple(bar_ticks), tuple(meters), corners.ticks[-1])


class _Corners:
    """The ruler while it is drawn."""

    def __init__(self) -> None:
        self.seconds: list[float] = [0.0]
        self.ticks: list[int] = [0]
        self.meters: list[Meter] = []

    def to(self, time_s: float, ticks: int) -> None:
        self.seconds.append(time_s)
        self.ticks.append(self.ticks[-1] + ticks)

    def bar(self, bar: FoundBar) -> None:
        self.meter(len(bar.beats_s), 4)
        for end_s in (*bar.beats_s[1:], bar.end_s):
            self.to(end_s, TICKS_PER_BEAT)

    def fill(self, until_s: float, beat_s: float) -> None:
        """Whole bars of 4/4, then what is left; a gap too short for anything goes to the beat before it."""
        gap_s = until_s - self.seconds[-1]
        unit, count = _counted(gap_s, beat_s)
        if count == 0:
            if len(self.seconds) > 1:
                self.seconds[-1] = until_s
            return
        whole, rest = divmod(count, unit)
        start = self.ticks[-1]
        self.to(until_s, count * TICKS_PER_BAR // unit)
        if whole:
            self.meter(BEATS_PER_BAR, 4, start)
        if rest:
            self.meter(rest, unit, start + whole * TICKS_PER_BAR)

    def meter(self, beats: int, unit: int, tick: int | None = None) -> None:
        if not self.meters or self.meters[-1][1:] != (beats, unit):
            self.meters.append(Meter(self.ticks[-1] if tick is None else tick, beats, unit))


def _counted(gap_s: float, beat_s: float) -> tuple[int, int]:
    """The longest unit that fits a gap without much change of tempo, and how many of it: 0 where none does."""
    for unit in UNITS:
        one_s = beat_s * 4 / unit
        count = round(gap_s / one_s)
        if count and abs(gap_s / (count * one_s) - 1) <= TEMPO_SLACK:
            return unit, count
    return UNITS[-1], round(gap_s / (beat_s * 4 / UNITS[-1]))


def _beat_s(bar: FoundBar) -> float:
    return (bar.end_s - bar.start_s) / len(bar.beats_s)
