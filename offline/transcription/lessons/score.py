"""What is played in a piece to learn from: drum notes, bass notes, beats and bar lines, in seconds from its start."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from hitloopd.core.pattern import DRUM_LANES
from offline.dataset.voices import DRUM_ROW
from offline.transcription.heard import BassNote, DrumHit

SAME_S: Final = 0.012
"""Hits of one lane that lie closer, such as a clap on a snare, are heard as one."""

ROLAND: Final[Mapping[int, int]] = {22: 42, 26: 46, 58: 43}
"""Notes of electronic kits beside General MIDI: edges of the hat, rim of a tom."""


class DrumNote(NamedTuple):
    """One stroke, on any instrument of the General MIDI drum map."""

    time_s: float
    pitch: int
    velocity: float


@dataclass(frozen=True, slots=True)
class Score:
    """A piece.

    Args:
        drums: strokes by time; toms and percussion too.
        bass: notes by start.
        beats_s: beginning of each beat.
        bars_s: bar lines.
        length_s: of the piece.
    """

    drums: tuple[DrumNote, ...]
    bass: tuple[BassNote, ...]
    beats_s: tuple[float, ...]
    bars_s: tuple[float, ...]
    length_s: float

    def piece(self, start_s: float, length_s: float) -> Score:
        """What begins between two moments, counted from the first of them."""
        end_s = start_s + length_s
        bass = [note for note in self.bass if start_s <= note.start_s < end_s]
        return Score(
            tuple(note._replace(time_s=note.time_s - start_s) for note in self.drums if start_s <= note.time_s < end_s),
            tuple(note._replace(start_s=note.start_s - start_s, end_s=note.end_s - start_s) for note in bass),
            tuple(beat - start_s for beat in self.beats_s if start_s <= beat < end_s),
            tuple(bar - start_s for bar in self.bars_s if start_s <= bar < end_s),
            length_s,
        )


def hits_of(drums: Sequence[DrumNote]) -> tuple[DrumHit, ...]:
    """The strokes that belong to one of the four lanes, as a transcriber should hear them."""
    found: list[DrumHit] = []
    for row, lane in enumerate(DRUM_LANES):
        last = -1.0
        for note in drums:
            if DRUM_ROW.get(note.pitch) != row:
                continue
            if found and found[-1].lane is lane and note.time_s - last < SAME_S:
                if note.velocity > found[-1].velocity:
                    found[-1] = found[-1]._replace(velocity=note.velocity)
                continue
            found.append(DrumHit(note.time_s, lane, note.velocity, 1.0))
            last = note.time_s
    return tuple(sorted(found, key=lambda hit: (hit.time_s, hit.lane)))


def at_beats(beats_s: Sequence[float], beat: float) -> float:
    """The moment of a beat between two others; before the first and after the last the tempo goes on."""
    below = min(max(int(beat), 0), len(beats_s) - 2)
    return beats_s[below] + (beat - below) * (beats_s[below + 1] - beats_s[below])


def first_at(times_s: Sequence[float], moment_s: float) -> int:
    """Index of the first time that is not before a moment."""
    return bisect_left(times_s, moment_s)
