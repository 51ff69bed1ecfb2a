"""Kits: which sample each lane plays, and how. Values only; ``io.kits`` and ``io.packs`` read them, ``io.synth`` makes.

A sample is ``synth:<recipe>`` for the built-in sounds, or a file. A lane may have several: its slot plays one of them,
``Kit.samples`` lists them all, the one that plays at first leading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hitloopd.core.errors import require_range
from hitloopd.core.pattern import Lane

MIN_GAIN_DB: Final = -60.0
MAX_GAIN_DB: Final = 12.0
MAX_TUNING: Final = 24.0
SYNTH: Final = "synth:"
"""What the name of a built-in sound begins with."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sound, and where it is from.

    Args:
        name: ``synth:<recipe>``, or the file's path relative to the kit's folder.
        recording: the recording that it was cut from.
        start_s: where in it.
        length_s: how much of it.
        reference: the one-shot that it resembles most.
        distance: the paper's three cosine distances to that, added up.
        confidence: 0..1, of the classifier.
        author: of the recording.
        licence: of the recording.
        origin: where the recording can be found.
        note: more for people, from kit files.
        fundamental_hz: of a bass sample; 0 where it was found to have no pitch, ``None`` where nobody looked.
    """

    name: str
    recording: str = ""
    start_s: float = 0.0
    length_s: float = 0.0
    reference: str = ""
    distance: float = 0.0
    confidence: float = 0.0
    author: str = ""
    licence: str = ""
    origin: str = ""
    note: str = ""
    fundamental_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One lane of a kit.

    Args:
        sample: the name of the sample that plays.
        gain_db: -60..12.
        pan: -1 left .. 1 right.
        choke: lanes with the same non-empty group cut each other off.
        tuning: semitones, -24..24.
        provenance: where the sound is from, for people (recording, second, licence …).
        fundamental_hz: see ``Sample``.
    """

    sample: str
    gain_db: float = 0.0
    pan: float = 0.0
    choke: str = ""
    tuning: float = 0.0
    provenance: str = ""
    fundamental_hz: float | None = None

    def __post_init__(self) -> None:
        require_range("gain_db", self.gain_db, MIN_GAIN_DB, MAX_GAIN_DB)
        require_range("pan", self.pan, -1.0, 1.0)
        require_range("tuning", self.tuning, -MAX_TUNING, MAX_TUNING)


@dataclass(frozen=True, slots=True)
class Kit:
    """A named set of slots; a lane without one is silent and says so at its first note.

    Args:
        name: for people.
        slots: lane -> how it plays at first.
        description: one line.
        samples: lane -> everything that it may play, for "another one"; a lane that is missing has its slot's alone.
    """

    name: str
    slots: Mapping[Lane, Slot] = field(default_factory=dict[Lane, Slot])
    description: str = ""
    samples: Mapping[Lane, tuple[Sample, ...]] = field(default_factory=dict[Lane, tuple[Sample, ...]])

    def samples_of(self, lane: Lane) -> tuple[Sample, ...]:
        """What a lane may play, the one that plays at first leading; empty for a silent lane."""
        if lane in self.samples:
            return self.samples[lane]
        slot = self.slots.get(lane)
        return (Sample(slot.sample, note=slot.provenance, fundamental_hz=slot.fundamental_hz),) if slot else ()
