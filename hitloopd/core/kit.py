"""Kits: which sample each lane plays, and how. Values only; ``io.kits`` loads and ``io.synth`` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hitloopd.core.errors import require_range
from hitloopd.core.pattern import Lane

MIN_GAIN_DB: Final = -60.0
MAX_GAIN_DB: Final = 12.0


@dataclass(frozen=True, slots=True)
class Slot:
    """One lane of a kit.

    Args:
        sample: ``synth:<recipe>`` for the built-in sounds, or a file path relative to the kit file.
        gain_db: -60..12.
        pan: -1 left .. 1 right.
        choke: lanes with the same non-empty group cut each other off.
        tuning: semitones, -24..24.
        provenance: where the sound is from, for people (recording, second, licence …).
    """

    sample: str
    gain_db: float = 0.0
    pan: float = 0.0
    choke: str = ""
    tuning: float = 0.0
    provenance: str = ""

    def __post_init__(self) -> None:
        require_range("gain_db", self.gain_db, MIN_GAIN_DB, MAX_GAIN_DB)
        require_range("pan", self.pan, -1.0, 1.0)
        require_range("tuning", self.tuning, -24.0, 24.0)


@dataclass(frozen=True, slots=True)
class Kit:
    """A named set of slots; a lane without one is silent and says so at its first note."""

    name: str
    slots: Mapping[Lane, Slot] = field(default_factory=dict[Lane, Slot])
    description: str = ""
