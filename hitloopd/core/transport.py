"""Transport: playing or stopped, where, how fast, and who says so. Values only; ``engine.transport`` moves them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from hitloopd.core.time import (
    CELLS_PER_BAR,
    TICKS_PER_BAR,
    TICKS_PER_BEAT,
    TICKS_PER_CELL,
    TICKS_PER_SIXTEENTH,
)

MAX_SONG_POSITION: Final = 16383  # MIDI 1.0: 14 bits of sixteenths


class State(enum.StrEnum):
    """What the transport does. *armed*: started, waiting for the clock that is the downbeat."""

    STOPPED = "stopped"
    ARMED = "armed"
    PLAYING = "playing"


class Source(enum.StrEnum):
    """Who gives the clock."""

    INTERNAL = "internal"
    MIDI = "midi"
    LINK = "link"


class ClockState(enum.StrEnum):
    """How well an external clock is followed."""

    NONE = "none"
    ACQUIRING = "acquiring"
    LOCKED = "locked"
    FREEWHEEL = "freewheel"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the song: ``tick`` song ticks from its start, never negative."""

    tick: int

    @property
    def bar(self) -> int:
        """Bars count from 0."""
        return self.tick // TICKS_PER_BAR

    @property
    def beat(self) -> int:
        """0..3 inside the bar."""
        return self.tick % TICKS_PER_BAR // TICKS_PER_BEAT

    @property
    def cell(self) -> int:
        """0..15 inside the bar."""
        return self.tick // TICKS_PER_CELL % CELLS_PER_BAR

    @property
    def sixteenth(self) -> int:
        """The MIDI song position, from the song's start."""
        return self.tick // TICKS_PER_SIXTEENTH


@dataclass(frozen=True, slots=True)
class Transport:
    """A snapshot for people: what the display, OSC and the journal show.

    Args:
        state: stopped, armed or playing.
        bpm: tempo in force; the smoothed estimate while following.
        position: where the song is (frozen while stopped).
        source: who gives the clock.
        clock: how well an external clock is followed.
    """

    state: State = State.STOPPED
    bpm: float = 120.0
    position: Position = Position(0)
    source: Source = Source.INTERNAL
    clock: ClockState = ClockState.NONE
