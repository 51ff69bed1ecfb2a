"""Score: a bar made ready for the player. Rendered outside the real-time process, played inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hitloopd.core.pattern import Lane


@dataclass(frozen=True, slots=True, order=True)
class ScoreNote:
    """One note as it will be played.

    Args:
        tick: -18..1919 from the bar line, swing and humanise applied.
        lane: its lane.
        velocity: 0..1, humanise applied.
        pitch: MIDI note for bass; 0 for drums, whose note is the route's.
        length_ticks: before the route's gate.
    """

    tick: int
    lane: Lane
    velocity: float
    pitch: int
    length_ticks: int


@dataclass(frozen=True, slots=True)
class Score:
    """A bar's notes in time order.

    Args:
        notes: see there.
        pattern_id: of the pattern they are from.
        sound: number of the sound that our own sampler plays them with; 0: whatever plays.
    """

    notes: tuple[ScoreNote, ...]
    pattern_id: str
    sound: int = 0


SILENCE: Final = Score((), "")
