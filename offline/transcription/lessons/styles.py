"""Electronic pieces to learn from, made by the rules of the daemon's styles, with chords and a lead of their own."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import mido
import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import Lane, Pattern
from hitloopd.core.request import MAX_SEED, Request
from hitloopd.core.time import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT
from hitloopd.generate.rules import Rules
from hitloopd.generate.scales import SCALES
from hitloopd.generate.styles import STYLES
from offline.transcription.heard import BassNote
from offline.transcription.lessons.score import DrumNote, Score
from offline.transcription.lessons.songs import as_file

BACKBEATS: Final = (38, 38, 40, 39, 39, 37)
TOPS: Final = (46, 46, 46, 51)
CRASH: Final = 49
EXTRAS: Final = (54, 56, 63, 70, 75, 76, 45, 41)
"""Percussion and toms: what a transcriber must leave out."""
HANDS: Final = (54, 56, *range(60, 71), 73, 75, 76, 77)
TOMS: Final = (41, 43, 45, 47, 48, 50)
EXTRA: Final = 0.06
"""Chance of each of them in a piece."""
SECTION_BARS: Final = (2, 4, 8)
LOWEST_ROOTS: Final = (24, 44)
PADS: Final = (*range(8), *range(16, 24), *range(48, 56), *range(80, 104))
PLUCKED: Final = (*range(32), *range(40, 48), *range(56, 80), *range(80, 88), *range(98, 104))
_TRIADS: Final = ((0, 3, 7), (0, 4, 7), (0, 5, 7), (0, 3, 7, 10), (0, 4, 7, 11), (0, 7))


def style_score(length_s: float, draw: np.random.Generator) -> Score:
    """Bars of one style: sections that repeat a bar, other bars at their ends, extra percussion."""
    style = STYLES[str(draw.choice(sorted(STYLES)))]
    bpm = float(np.clip(draw.uniform(*style.bpm) * draw.uniform(0.95, 1.05), 60, 200))
    bar_s = 60.0 * BEATS_PER_BAR / bpm
    lead_in = draw.uniform(0.0, bar_s)
    count = int(length_s / bar_s) + 1
    root = int(draw.integers(*LOWEST_ROOTS))
    bars = _bars(style.name, root, count, draw)
    tick_s = bar_s / TICKS_PER_BAR
    backbeat, top = int(draw.choice(BACKBEATS)), int(draw.choice(TOPS))
    pitches = {Lane.KICK: 36, Lane.SNARE: backbeat, Lane.HIHAT: 42, Lane.CYMBAL: top}
    drums: list[DrumNote] = []
    bass: list[BassNote] = []
    for number, bar in enumerate(bars):
        start_s = lead_in + number * bar_s
        for note in bar.at(1.0).notes:
            at_s = max(start_s + note.start_ticks * tick_s, 0.0)
            if note.lane is Lane.BASS:
                end_s = at_s + note.length_ticks * tick_s
                bass.append(BassNote(at_s, end_s, root + note.pitch, note.velocity, 1.0))
            else:
                drums.append(DrumNote(at_s, pitches[note.lane], note.velocity))
    drums += _extras(count, lead_in, bar_s, draw)
    lines = tuple(lead_in + number * bar_s for number in range(count))
    beats = tuple(line + beat * bar_s / BEATS_PER_BAR for line in lines for beat in range(BEATS_PER_BAR))
    return Score(tuple(sorted(drums)), tuple(sorted(bass)), beats, lines, lead_in + count * bar_s).piece(0.0, length_s)


def _bars(style: str, root: int, count: int, draw: np.random.Generator) -> list[Pattern]:
    """Sections; in some a lane is silent."""
    rules = Rules()
    scale = str(draw.choice(sorted(SCALES)))
    seeds = [int(draw.integers(MAX_SEED)) for _ in range(3)]
    temperature = draw.uniform(0.6, 1.5)
    out: list[Pattern] = []
    while len(out) < count:
        energy = draw.uniform(0.25, 0.95)
        silent = {lane for lane in Lane if draw.random() < 0.08}
        seed = seeds[int(draw.integers(len(seeds)))]
        section = int(draw.choice(SECTION_BARS))
        for number in range(section):
            other = number == section - 1 and draw.random() < 0.6
            bar_seed = int(draw.integers(MAX_SEED)) if other else seed
            request = Request("rules", bar_seed, style, temperature=temperature, root=root, scale=scale)
            bar = rules.generate(request).at(energy)
            out.append(Pattern(tuple(note for note in bar.notes if note.lane not in silent), bar.root, bar.provenance))
    return out[:count]


def _extras(count: int, lead_in: float, bar_s: float, draw: np.random.Generator) -> list[DrumNote]:
    """Crashes at the head of sections, and a line of percussion or toms now and then."""
    found: list[DrumNote] = []
    if draw.random() < 0.5:
        every = int(draw.choice((2, 4, 8)))
        found += [DrumNote(lead_in + bar * bar_s, CRASH, 0.9) for bar in range(0, count, every)]
    for pitch in EXTRAS:
        if draw.random() < EXTRA:
            cells = np.flatnonzero(draw.random(16) < draw.uniform(0.05, 0.4))
            force = draw.uniform(0.3, 1.0)
            where = [bar for bar in range(count) if draw.random() < 0.7]
            found += [DrumNote(lead_in + (bar + cell / 16) * bar_s, pitch, force) for bar in where for cell in cells]
    return found


def percussion_notes(length_s: float, draw: np.random.Generator) -> list[DrumNote]:
    """Hands on congas, bells, shakers or toms: a bar's pattern that repeats, and changes now and then."""
    cell_s = 15.0 / draw.uniform(75.0, 180.0)
    among = TOMS if draw.random() < 0.25 else HANDS
    played = draw.choice(among, int(draw.integers(1, 5)), replace=False)
    found: list[DrumNote] = []
    cells: dict[int, NDArray[np.float64]] = {}
    for number, start in enumerate(np.arange(0, length_s - cell_s, 16 * cell_s)):
        for pitch in map(int, played):
            if number % 4 == 0 and (not number or draw.random() < 0.5):
                there = draw.random(16) < draw.uniform(0.1, 0.55)
                cells[pitch] = there * np.where(draw.random(16) < 0.4, 1.0, draw.uniform(0.3, 0.9))
            at = start + np.arange(16) * cell_s
            found += [DrumNote(float(a), pitch, float(v)) for a, v in zip(at, cells[pitch], strict=True) if v]
    return sorted(note for note in found if note.time_s < length_s)


def backing_file(score: Score, draw: np.random.Generator) -> mido.MidiFile:
    """Chords, a pattern of single notes and a lead, each there or not, over the bars of a score."""
    bars_s = [*score.bars_s, score.length_s]
    root = int(draw.integers(48, 60))
    shifts = [int(draw.choice((0, 0, 3, 5, 7, 8, 10, -2))) for _ in range(4)]
    triad = _TRIADS[int(draw.integers(len(_TRIADS)))]
    events: list[tuple[int, int, mido.Message | mido.MetaMessage]] = [
        (0, 0, mido.MetaMessage("set_tempo", tempo=500_000))
    ]
    cells, pitches = np.flatnonzero(draw.random(16) < draw.uniform(0.15, 0.8)), draw.integers(0, 4, 16)
    lead = np.flatnonzero(draw.random(16) < draw.uniform(0.1, 0.4))
    with_pad, with_pattern, with_lead = draw.random() < 0.8, draw.random() < 0.7, draw.random() < 0.5
    for channel, among in enumerate((PADS, PLUCKED, PLUCKED)):
        program = int(draw.choice(among))
        events.append((0, 1, mido.Message("program_change", channel=channel, program=program)))
    degree = 0
    for number, (start_s, end_s) in enumerate(pairwise(bars_s)):
        chord = [root + shifts[number % len(shifts)] + step for step in triad]
        cell_s = (end_s - start_s) / 16
        if with_pad:
            events += [event for pitch in chord for event in _note(0, pitch, 75, start_s, end_s - 0.02)]
        if with_pattern:
            for cell in cells:
                pitch = chord[int(pitches[cell]) % len(chord)] + 12 * (int(pitches[cell]) // 3)
                events += _note(1, pitch, 85, start_s + cell * cell_s, start_s + (cell + 0.9) * cell_s)
        if with_lead:
            for cell in lead:
                degree = int(np.clip(degree + draw.integers(-2, 3), 0, 7))
                pitch = root + 12 + (0, 2, 3, 5, 7, 8, 10, 12)[degree]
                events += _note(2, pitch, 90, start_s + cell * cell_s, start_s + (cell + 2.5) * cell_s)
    return as_file(events, TICKS_PER_BEAT)


def bass_file(notes: tuple[BassNote, ...], program: int) -> mido.MidiFile:
    """A bass line on one instrument."""
    events: list[tuple[int, int, mido.Message | mido.MetaMessage]] = [
        (0, 0, mido.MetaMessage("set_tempo", tempo=500_000)),
        (0, 1, mido.Message("program_change", channel=0, program=program)),
    ]
    for note in notes:
        velocity = min(max(round(note.velocity * 127), 1), 127)
        events += _note(0, note.pitch, velocity, note.start_s, note.end_s)
    return as_file(events, TICKS_PER_BEAT)


def _note(channel: int, pitch: int, velocity: int, start_s: float, end_s: float) -> list[tuple[int, int, mido.Message]]:
    start = round(start_s * 2 * TICKS_PER_BEAT)  # 120 BPM: two beats a second
    end = max(round(end_s * 2 * TICKS_PER_BEAT), start + 1)
    return [
        (start, 3, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)),
        (end, 2, mido.Message("note_off", channel=channel, note=pitch)),
    ]
