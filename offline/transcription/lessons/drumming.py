"""Drums alone on many kits: another one every few seconds, of more various sounds than those of whole lessons.

Accompaniments vary enough as they are; what the drums sound like, and what they play together, does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from offline.audio import RATE, Wave
from offline.dataset.midi import MidiSong
from offline.extraction.classes import Reference
from offline.transcription.lessons.drummer import draw_touch, played_drums
from offline.transcription.lessons.kits import draw_kit
from offline.transcription.lessons.score import DrumNote
from offline.transcription.lessons.songs import Song, groove_strokes
from offline.transcription.lessons.styles import percussion_notes, style_score
from offline.transcription.lessons.various import STRANGE

KIT_S: Final = 6.0
"""How long one kit is played."""
FADE: Final = 1024
"""Frames at its end, so that no click sounds like a stroke."""
PLAYED: Final[Mapping[str, float]] = {"groove": 0.3, "song": 0.3, "style": 0.4}
"""Shares of the kits that a human drummer plays, the drums of a song, and a style."""
GHOSTS: Final = 0.3
"""Share of the kits with soft snares between the others."""
WITH_HANDS: Final = 0.3
"""Share of the kits with percussion."""
ON_TOP: Final = 0.35
"""Share of the kits on which something else keeps time than a closed hat."""
TOPS: Final = (46, 46, 51, 53, 49, 57)
CLOSED: Final = (42, 44)
JOINED: Final = 0.2
"""Share of the kits on which each snare has a cymbal with it."""
OTHER_SNARE: Final = 0.2
"""Share of the kits on which a rim or a clap plays what is the snare's."""
SNARES: Final = (38, 40)
_PACE: Final = (0.85, 1.2)


def drumming(
    sounds: Sequence[Reference],
    grooves: Sequence[MidiSong],
    songs: Sequence[Song],
    length_s: float,
    draw: np.random.Generator,
) -> tuple[Wave, tuple[DrumNote, ...]]:
    """The drums of a piece and their strokes, by time."""
    out = np.zeros(round(length_s * RATE), np.float32)
    notes: list[DrumNote] = []
    for start_s in np.arange(0.0, length_s - 1e-6, KIT_S):
        played = _strokes(grooves, songs, draw)
        sound = played_drums(played, draw_kit(sounds, draw, STRANGE), draw_touch(draw), KIT_S, draw)
        sound[-FADE:] *= np.linspace(1.0, 0.0, FADE, dtype=np.float32)
        first = round(float(start_s) * RATE)
        out[first : first + len(sound)] = sound[: len(out) - first]
        notes += [note._replace(time_s=note.time_s + float(start_s)) for note in played]
    return out, tuple(note for note in notes if note.time_s < length_s)


def _strokes(grooves: Sequence[MidiSong], songs: Sequence[Song], draw: np.random.Generator) -> list[DrumNote]:
    players: Mapping[str, Callable[[], list[DrumNote]]] = {
        "groove": lambda: _performed(grooves[int(draw.integers(len(grooves)))], draw),
        "song": lambda: _stretch(songs[int(draw.integers(len(songs)))], draw),
        "style": lambda: list(style_score(KIT_S, draw).drums),
    }
    notes = otherwise(players[str(draw.choice(list(PLAYED), p=list(PLAYED.values())))](), draw)
    if draw.random() < GHOSTS:
        cell_s = 15.0 / draw.uniform(75.0, 180.0)
        there = np.resize(draw.random(16) < draw.uniform(0.1, 0.5), int(KIT_S / cell_s))
        force = draw.uniform(0.25, 0.5)
        notes += [DrumNote(float(cell * cell_s), 38, force) for cell in np.flatnonzero(there)]
    if draw.random() < WITH_HANDS:
        notes += percussion_notes(KIT_S, draw)
    return sorted(note for note in notes if note.time_s < KIT_S - 0.05)


def otherwise(notes: Sequence[DrumNote], draw: np.random.Generator) -> list[DrumNote]:
    """The same part with other things of the kit now and then: what keeps time, what is the snare, what sounds with it.

    A snare that only ever sounds under an open hat is hard to hear, and quite usual.
    """
    out = list(notes)
    if draw.random() < ON_TOP:
        top = int(draw.choice(TOPS))
        out = [note._replace(pitch=top) if note.pitch in CLOSED else note for note in out]
    if draw.random() < JOINED:
        top = int(draw.choice(TOPS))
        out += [note._replace(pitch=top) for note in out if note.pitch in SNARES]
    if draw.random() < OTHER_SNARE:
        other = int(draw.choice((37, 39)))
        out = [note._replace(pitch=other) if note.pitch in SNARES else note for note in out]
    return sorted(out)


def _performed(groove: MidiSong, draw: np.random.Generator) -> list[DrumNote]:
    """Some seconds of a performance."""
    beat_s = 60.0 / (groove.bpm_at(0) * draw.uniform(*_PACE))
    return _from(
        [(beat * beat_s, pitch, force) for beat, pitch, force in groove_strokes(groove)],
        groove.end / groove.ticks_per_beat * beat_s,
        draw,
    )


def _stretch(song: Song, draw: np.random.Generator) -> list[DrumNote]:
    """Some seconds of a song."""
    pace = 1.0 / draw.uniform(*_PACE)
    return _from([(at_s * pace, *what) for at_s, *what in song.score.drums], song.score.length_s * pace, draw)


def _from(strokes: Sequence[tuple[float, int, float]], end_s: float, draw: np.random.Generator) -> list[DrumNote]:
    """Those from some moment on, counted from it."""
    first_s = draw.uniform(0.0, max(end_s - KIT_S, 0.0))
    return [
        DrumNote(at_s - first_s, pitch, force) for at_s, pitch, force in strokes if first_s <= at_s < first_s + KIT_S
    ]
