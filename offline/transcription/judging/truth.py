"""What is really played in a song: drum hits, bass notes, bars; from the MIDI that made it, or from tables of onsets.

Conventions: truth is told in the words of ``heard``, with confidence 1. Tempo comes from all tracks of a file; readers
that look at the first only place everything wrongly where it stands on a later one. Notes that begin together are one
event, as no ear tells them apart: a lane's doubled hit, a bass line doubled at the octave (its lowest note counts).
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from hitloopd.core.errors import ArgumentError
from hitloopd.core.pattern import DRUM_LANES, Lane
from hitloopd.core.time import BEATS_PER_BAR
from offline.dataset.bars import bar_grid
from offline.dataset.midi import DEFAULT_BPM, DRUM_CHANNEL, MidiSong, read_midi
from offline.dataset.voices import DRUM_ROW
from offline.grid import FAINTEST, MAX_VELOCITY
from offline.transcription.heard import BassNote, DrumHit, FoundBar

TOGETHER_S: Final = 0.02
CLASS_LANES: Final[Mapping[str, Lane]] = {
    "kick": Lane.KICK,
    "snare": Lane.SNARE,
    "clap": Lane.SNARE,
    "rim": Lane.SNARE,
    "closed_hat": Lane.HIHAT,
    "open_hat": Lane.CYMBAL,
    "cymbal": Lane.CYMBAL,
}
"""As the General MIDI map of the data sets has it: an open hihat is in the cymbal's lane."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a song; what is not known is not judged.

    Args:
        lanes: drum lanes whose hits are known.
        hits: of those lanes, by time.
        others_s: when drums that belong to no lane sound (toms, percussion), to explain false hits with.
        bass: the bass line by start, one note at a time; ``None`` where it is not known.
        bars: all bars from the first to where the music ends, whatever their meter.
        bpm: the tempo that lasts longest.
        end_s: where the music ends; what is found behind it is not judged.
        merged: how many written notes fell together with another of their lane or line.
    """

    lanes: tuple[Lane, ...]
    hits: tuple[DrumHit, ...]
    others_s: tuple[float, ...]
    bass: tuple[BassNote, ...] | None
    bars: tuple[FoundBar, ...]
    bpm: float
    end_s: float
    merged: int = 0

    def times(self, lane: Lane) -> list[float]:
        """When a lane is hit; the bass: when its notes begin."""
        if lane is Lane.BASS:
            return [note.start_s for note in self.bass or ()]
        return [hit.time_s for hit in self.hits if hit.lane is lane]


def seconds_of(song: MidiSong) -> Callable[[float], float]:
    """The song's tempo map, from ticks to seconds; it goes on at the last tempo."""
    changes = dict([(0, DEFAULT_BPM), *song.tempos])  # of several at one tick the last holds
    ticks = sorted(changes)
    rates = [60.0 / changes[tick] / song.ticks_per_beat for tick in ticks]
    starts = [0.0]
    for (tick, following), rate in zip(pairwise(ticks), rates, strict=False):
        starts.append(starts[-1] + (following - tick) * rate)

    def seconds(tick: float) -> float:
        index = max(bisect_right(ticks, tick) - 1, 0)
        return starts[index] + (tick - ticks[index]) * rates[index]

    return seconds


def midi_truth(every: Path, bass: Path) -> Truth:
    """The truth of a rendered song.

    Args:
        every: MIDI file of all its tracks.
        bass: MIDI file of its bass line alone.
    """
    song, line = read_midi(every), read_midi(bass)
    written, others_s = drums_of(song)
    hits = _one_by_one(written)
    notes = notes_of(line)
    melody = bass_line_of(notes)
    return Truth(
        lanes=DRUM_LANES,
        hits=hits,
        others_s=tuple(others_s),
        bass=melody,
        bars=_bars(song, seconds_of(song)),
        bpm=_longest_tempo(song),
        end_s=seconds_of(song)(song.end),
        merged=len(written) - len(hits) + len(notes) - len(melody),
    )


def drums_of(song: MidiSong) -> tuple[list[DrumHit], list[float]]:
    """The hits of the lanes, and when drums sound that have none; what is too faint to be a note is left out."""
    at = seconds_of(song)
    drums = [note for note in song.notes if note.channel == DRUM_CHANNEL and note.velocity >= FAINTEST]
    hits = [
        DrumHit(at(note.start), DRUM_LANES[DRUM_ROW[note.pitch]], note.velocity / MAX_VELOCITY, 1.0)
        for note in drums
        if note.pitch in DRUM_ROW
    ]
    return hits, [at(note.start) for note in drums if note.pitch not in DRUM_ROW]


def notes_of(song: MidiSong) -> list[BassNote]:
    """All notes that are no drums: of a file that holds a bass line and nothing else beside the drums."""
    at = seconds_of(song)
    return [
        BassNote(at(note.start), at(note.end), note.pitch, note.velocity / MAX_VELOCITY, 1.0)
        for note in song.notes
        if note.channel != DRUM_CHANNEL and note.velocity >= FAINTEST
    ]


def _one_by_one(hits: Iterable[DrumHit]) -> tuple[DrumHit, ...]:
    kept: dict[Lane, list[DrumHit]] = {lane: [] for lane in DRUM_LANES}
    for hit in sorted(hits):
        before = kept[hit.lane]
        if before and hit.time_s - before[-1].time_s < TOGETHER_S:
            before[-1] = before[-1]._replace(velocity=max(before[-1].velocity, hit.velocity))
        else:
            before.append(hit)
    return tuple(sorted(hit for of_lane in kept.values() for hit in of_lane))


def bass_line_of(notes: Iterable[BassNote]) -> tuple[BassNote, ...]:
    """One note at a time: the lowest of those that begin together, each until the next begins."""
    events: list[list[BassNote]] = []
    for note in sorted(notes):
        if events and note.start_s - events[-1][0].start_s < TOGETHER_S:
            events[-1].append(note)
        else:
            events.append([note])
    lowest = [min(event, key=lambda note: note.pitch) for event in events]
    ends = [*(note.start_s for note in lowest[1:]), float("inf")]
    return tuple(note._replace(end_s=min(note.end_s, end)) for note, end in zip(lowest, ends, strict=True))


def _bars(song: MidiSong, at: Callable[[float], float]) -> tuple[FoundBar, ...]:
    found: list[FoundBar] = []
    for bar in bar_grid(song).bars:
        count = max(round(bar.length / song.ticks_per_beat), 1)
        beats = tuple(at(bar.start + number * song.ticks_per_beat) for number in range(count))
        reason = "" if bar.usable else "no whole bar of 4/4"
        found.append(FoundBar(beats[0], at(bar.start + bar.length), beats, 1.0, reason))
    return tuple(found)


def _longest_tempo(song: MidiSong) -> float:
    changes = dict([(0, DEFAULT_BPM), *song.tempos])
    ticks = [*sorted(changes), max(song.end, *changes)]
    lasting: Counter[float] = Counter()
    for tick, following in pairwise(ticks):
        lasting[changes[tick]] += following - tick
    return lasting.most_common(1)[0][0]


def even_truth(bpm: float, bars: int, onsets: Mapping[Lane, Sequence[float]]) -> Truth:
    """The truth of a song at one tempo whose first sample is a bar line.

    Args:
        bpm: its tempo.
        bars: how many bars of 4/4 it has.
        onsets: seconds of the hits of the lanes that are known.
    """
    beat_s = 60.0 / bpm
    lines = [number * BEATS_PER_BAR * beat_s for number in range(bars + 1)]
    return Truth(
        lanes=tuple(lane for lane in DRUM_LANES if lane in onsets),
        hits=_one_by_one(DrumHit(time, lane, 1.0, 1.0) for lane, times in onsets.items() for time in times),
        others_s=(),
        bass=None,
        bars=tuple(
            FoundBar(start, end, tuple(start + beat * beat_s for beat in range(BEATS_PER_BAR)), 1.0)
            for start, end in pairwise(lines)
        ),
        bpm=bpm,
        end_s=lines[-1],
    )


def table_onsets(path: Path) -> dict[Lane, list[float]]:
    """The onsets of a table with the columns ``time_s`` and ``class``, by lane.

    Raises:
        ArgumentError: it has other columns, or a class that has no lane.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        told = sorted((CLASS_LANES[row["class"]], float(row["time_s"])) for row in rows)
    except (KeyError, TypeError, ValueError) as error:
        raise ArgumentError(f"{path}: expected the columns time_s and class ({', '.join(CLASS_LANES)}).") from error
    return {lane: [time for _, time in group] for lane, group in groupby(told, key=lambda item: item[0])}
