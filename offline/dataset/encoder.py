"""A song's notes as hits on the 128 steps of its 4/4 bars: the encoding that everything learned is judged by.

The rules, each with its reason:

- a step is the nearest 32nd of a beat. A drum hit in the last three steps of a bar is the next downbeat played early:
  it goes to step 0 of the next bar, and how early it was stays in its micro-timing. In human playing half of the hits
  around a bar line are early; without this the kick loses most of its downbeats;
- hits of a row less than two steps apart are one, as loud as the louder;
- a drum hit lasts at least four steps, longer where it is written so, but ends one step before the next hit of its row
  where that leaves four, and at the bar line. A bass note lasts as written, with the same gap before the next of its
  pitch. So repeated notes stay apart, and the count of too-short notes measures the music, not the encoder;
- a drum held over a bar line is no hit of the next bar, a bass note is: its rest starts that bar;
- the bass is folded by octaves into sixteen semitones above the bar's root. The root is the lowest note of the pitch
  class that sounds longest in the bar, where what begins the bar counts twice: so pitch 0 is what the bar stands on,
  in whatever key it is played again. The root is kept as a MIDI note.

Change ``ENCODING`` with every change of what comes out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Final, NamedTuple

from hitloopd.core.pattern import PITCHES
from hitloopd.core.time import BEATS_PER_BAR, STEPS_PER_BAR, TICKS_PER_BEAT
from hitloopd.generate.roll import BASS_ROW, MIN_DRUM_STEPS
from offline.dataset.bars import BarGrid, bar_grid
from offline.dataset.keys import song_key
from offline.dataset.midi import DRUM_CHANNEL, Heard, MidiSong, read_midi
from offline.dataset.voices import DRUM_ROW, bass_line

ENCODING: Final = 2
STEPS_PER_BEAT: Final = STEPS_PER_BAR // BEATS_PER_BAR
EARLY_STEPS: Final = 3
MERGE_STEPS: Final = 2
FIRST_NOTE_WEIGHT: Final = 2
NO_ROOT: Final = -1
NO_SECOND: Final = -1.0
"""Of a bar that is not of a recording."""


class Hit(NamedTuple):
    """A hit of a bar: on its step, and as it was played.

    Args:
        step: 0..127.
        steps: how many it is held in the roll.
        row: 0..19 of the roll.
        velocity: 1..127.
        start_ticks: as played, 480 per beat from the bar line; negative is early.
        length_ticks: as written, in the same ticks.
    """

    step: int
    steps: int
    row: int
    velocity: int
    start_ticks: int
    length_ticks: int


@dataclass(frozen=True, slots=True)
class CutBar:
    """One bar: index in the song, hits by row and step, bass root (-1: no bass), tempo, second of the recording."""

    index: int
    hits: tuple[Hit, ...]
    root: int
    bpm: float
    second: float = NO_SECOND


@dataclass(frozen=True, slots=True)
class CutSong:
    """The bars of a file that have drums, its key, the rule that found the bass, and counts of what was left out."""

    bars: tuple[CutBar, ...]
    key: str
    bass_rule: str
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[int] = field(default_factory=Counter)


def cut_file(path: Path) -> CutSong:
    """The bars of a MIDI file.

    Raises:
        RangeError: it cannot be read; the message is the reason.
    """
    return cut_song(read_midi(path))


def cut_song(song: MidiSong) -> CutSong:
    """The whole 4/4 bars of a song in which drums play."""
    grid = bar_grid(song)
    bass, rule = bass_line(song)
    counts: Counter[str] = Counter()
    dropped: Counter[int] = Counter()
    drums = _drum_hits(song, grid, counts, dropped)
    lines = _bass_notes(song, grid, bass)
    bars: list[CutBar] = []
    for index, bar in enumerate(grid.bars):
        if not bar.usable:
            counts["odd bars"] += 1
        elif index not in drums:
            counts["bars without drums"] += 1
        else:
            root, line = _rooted(lines.get(index, ()), counts)
            hits = (*_shaped(drums[index], MIN_DRUM_STEPS, counts), *_shaped(line, 1, counts))
            bars.append(CutBar(index, hits, root, song.bpm_at(int(bar.start))))
    return CutSong(tuple(bars), song_key(song), rule, counts, dropped)


def _drum_hits(song: MidiSong, grid: BarGrid, counts: Counter[str], dropped: Counter[int]) -> dict[int, list[Hit]]:
    found: defaultdict[int, list[Hit]] = defaultdict(list)
    for note in song.notes:
        if note.channel != DRUM_CHANNEL:
            continue
        row = DRUM_ROW.get(note.pitch)
        if row is None:
            dropped[note.pitch] += 1
            continue
        index = grid.at(note.start)
        bar = grid.bars[index]
        offset = note.start - bar.start
        step = _step(offset, song)
        bar_steps = floor(bar.length * STEPS_PER_BEAT / song.ticks_per_beat)
        if step >= bar_steps - EARLY_STEPS:
            index, step, offset = index + 1, 0, offset - bar.length
            counts["early downbeats"] += 1
        if index < len(grid.bars) and grid.bars[index].usable:
            found[index].append(_hit(song, note, row, step, offset=offset, length=note.end - note.start))
        else:
            counts["drum hits outside 4/4"] += 1
    return found


def _bass_notes(song: MidiSong, grid: BarGrid, bass: Iterable[Heard]) -> dict[int, list[Hit]]:
    """Bar -> its bass notes, each with its MIDI note in place of the row: the root is not known yet."""
    found: defaultdict[int, list[Hit]] = defaultdict(list)
    for note in bass:
        index = grid.at(note.start)
        bar = grid.bars[index]
        offset = note.start - bar.start
        step = _step(offset, song)
        if step >= floor(bar.length * STEPS_PER_BEAT / song.ticks_per_beat):
            index, step, offset = index + 1, 0, offset - bar.length
        while index < len(grid.bars):
            bar = grid.bars[index]
            if bar.usable:
                length = min(note.end - bar.start, bar.length) - offset
                found[index].append(_hit(song, note, note.pitch, step, offset=offset, length=length))
            index, step, offset = index + 1, 0, 0.0
            if _step(note.end - bar.start - bar.length, song) <= 0:
                break
    return found


def _hit(song: MidiSong, note: Heard, row: int, step: int, *, offset: float, length: float) -> Hit:
    end = _step(offset + length, song)
    return Hit(
        step=step,
        steps=max(end - step, 1),
        row=row,
        velocity=note.velocity,
        start_ticks=_ticks(offset, song),
        length_ticks=max(_ticks(length, song), 1),
    )


def _step(offset: float, song: MidiSong) -> int:
    return floor(offset * STEPS_PER_BEAT / song.ticks_per_beat + 0.5)


def _ticks(offset: float, song: MidiSong) -> int:
    return floor(offset * TICKS_PER_BEAT / song.ticks_per_beat + 0.5)


def _rooted(line: Sequence[Hit], counts: Counter[str]) -> tuple[int, list[Hit]]:
    """The bar's root and its bass notes on the roll's rows."""
    if not line:
        return NO_ROOT, []
    first = min(hit.step for hit in line)
    weights: Counter[int] = Counter()
    for hit in line:
        weights[hit.row % 12] += hit.steps * (FIRST_NOTE_WEIGHT if hit.step == first else 1)
    lowest = {hit.row % 12: hit.row for hit in sorted(line, key=lambda hit: -hit.row)}
    root = lowest[min(weights, key=lambda name: (-weights[name], lowest[name]))]
    folded: list[Hit] = []
    for hit in line:
        above = hit.row - root
        if not 0 <= above < PITCHES:
            counts["bass notes folded"] += 1
        folded.append(hit._replace(row=BASS_ROW + _fold(above)))
    counts["bass notes"] += len(folded)
    return root, folded


def _fold(above: int) -> int:
    """The nearest octave of an interval that lies in the sixteen rows."""
    if above < 0:
        return above % 12
    return above if above < PITCHES else above - 12 * -(-(above - PITCHES + 1) // 12)


def _shaped(hits: Iterable[Hit], shortest: int, counts: Counter[str]) -> list[Hit]:
    """Hits by row and step: merged where they are one, as long as the roll shows them."""
    shaped: list[Hit] = []
    rows: defaultdict[int, list[Hit]] = defaultdict(list)
    for hit in sorted(hits, key=lambda hit: (hit.row, hit.step, hit.start_ticks, -hit.velocity, hit.steps)):
        row = rows[hit.row]
        if row and hit.step - row[-1].step < MERGE_STEPS:
            row[-1] = _one(row[-1], hit)
            counts["hits merged"] += 1
        else:
            row.append(hit)
    for row in rows.values():
        for hit, following in zip(row, (*row[1:], None), strict=True):
            end = hit.step + max(hit.steps, shortest)
            if following is not None:
                apart = following.step - hit.step
                end = min(end, following.step - (1 if apart > MIN_DRUM_STEPS else 0))
            shaped.append(hit._replace(steps=min(end, STEPS_PER_BAR) - hit.step))
    return shaped


def _one(first: Hit, second: Hit) -> Hit:
    """Two hits that are one: at the first's step, played as the louder."""
    louder = max(first, second, key=lambda hit: hit.velocity)
    end = max(first.step + first.steps, second.step + second.steps)
    return louder._replace(step=first.step, steps=end - first.step)
