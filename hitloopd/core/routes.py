"""Routes: which port, channel, note and gate a lane is sent to, and the presets.

Conventions: channels are 1..16 here and everywhere except in ``io`` and the bytes that ``engine`` makes, where they are
0..15. Notes print as numbers because octave names differ between makers (36 is C1 in Live and C2 elsewhere).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from hitloopd.core.errors import UnknownNameError, nearest, require_range
from hitloopd.core.pattern import Lane


class Curve(enum.StrEnum):
    """How a velocity 0..1 becomes 1..127."""

    LINEAR = "linear"
    SOFT = "soft"
    HARD = "hard"
    FIXED = "fixed"


_EXPONENTS: Final[Mapping[Curve, float]] = {Curve.LINEAR: 1.0, Curve.SOFT: 0.6, Curve.HARD: 1.6}
_FIXED_VELOCITY: Final = 100


def velocity_byte(curve: Curve, velocity: float) -> int:
    """MIDI velocity 1..127 of ``velocity`` 0..1: never 0, which would be a note-off."""
    if curve is Curve.FIXED:
        return _FIXED_VELOCITY
    return min(max(round(velocity ** _EXPONENTS[curve] * 127), 1), 127)


@dataclass(frozen=True, slots=True)
class Route:
    """Where one lane goes on one output.

    Args:
        channel: 1..16.
        note: MIDI note 0..127 of a drum lane; for bass a shift in semitones is in ``transpose`` instead.
        gate: share 0.05..1 of the written length that is held.
        curve: velocity curve.
        transpose: semitones added to bass notes.
        offset_ms: -50..50, this lane earlier or later on this output.
    """

    channel: int
    note: int = 36
    gate: float = 1.0
    curve: Curve = Curve.LINEAR
    transpose: int = 0
    offset_ms: float = 0.0

    def __post_init__(self) -> None:
        require_range("channel", self.channel, 1, 16)
        require_range("note", self.note, 0, 127)
        require_range("gate", self.gate, 0.05, 1.0)
        require_range("transpose", self.transpose, -48, 48)
        require_range("lane offset_ms", self.offset_ms, -50.0, 50.0)


def _drums(kick: int, snare: int, hihat: int, cymbal: int, *, bass_channel: int = 1) -> Mapping[Lane, Route]:
    notes = {Lane.KICK: kick, Lane.SNARE: snare, Lane.HIHAT: hihat, Lane.CYMBAL: cymbal}
    return {**{lane: Route(10, note) for lane, note in notes.items()}, Lane.BASS: Route(bass_channel)}


PRESETS: Final[Mapping[str, Mapping[Lane, Route]]] = {
    "gm": _drums(36, 38, 42, 46),
    "live": _drums(36, 37, 38, 39),
    "paper": _drums(35, 38, 42, 49),
}


def preset(name: str) -> Mapping[Lane, Route]:
    """The named map.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in PRESETS:
        raise UnknownNameError(
            f"There is no note map '{name}'; valid are {', '.join(PRESETS)}.{nearest(name, PRESETS)}"
        )
    return PRESETS[name]


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output of the player: a MIDI port, the audio process or a capture file.

    Args:
        name: how config, OSC and notices call it.
        routes: lane -> route; a lane that is missing is not sent there.
        offset_ms: -100..100, everything on this output earlier (negative) or later.
        clock: send F8 and transport messages here.
        clock_when_stopped: keep F8 running while stopped (MIDI 2.0 WG advice).
        notes: send notes here.
        min_gap_ms: between a note-off and the next note-on of the same note.
        lead_ns: how early the adapter wants its events; 0 is "at the moment".
        timed: the adapter itself measures how late it sends.
        sounds: it is our own sampler: each note-on has the number of its sound in four more bytes.
    """

    name: str
    routes: Mapping[Lane, Route] = field(default_factory=lambda: dict(PRESETS["gm"]))
    offset_ms: float = 0.0
    clock: bool = False
    clock_when_stopped: bool = True
    notes: bool = True
    min_gap_ms: float = 1.0
    lead_ns: int = 0
    timed: bool = False
    sounds: bool = False

    def __post_init__(self) -> None:
        require_range(f"offset_ms of output '{self.name}'", self.offset_ms, -100.0, 100.0)

    def with_offset(self, offset_ms: float) -> OutputSpec:
        """The same output, shifted."""
        return replace(self, offset_ms=offset_ms)
