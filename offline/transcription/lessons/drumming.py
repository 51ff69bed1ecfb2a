"""Drums alone on many kits: another one every few seconds, of more various sounds than those of whole lessons.

What is hardest to learn is that a snare may sound like much, and so may a hat; accompaniments vary enough as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from hitloopd.io.synth.dsp import worn
from hitloopd.io.synth.recipes import Drum, Hiss, Thump
from offline.audio import RATE, Wave
from offline.dataset.midi import MidiSong
from offline.extraction.classes import Reference
from offline.transcription.lessons.drummer import draw_touch, played_drums
from offline.transcription.lessons.kits import RECIPES, Manner, Recipe, draw_kit
from offline.transcription.lessons.score import DrumNote
from offline.transcription.lessons.songs import groove_strokes
from offline.transcription.lessons.styles import style_score

KIT_S: Final = 6.0
"""How long one kit is played."""
FADE: Final = 1024
"""Frames at its end, so that no click sounds like a stroke."""
GROOVE: Final = 0.4
"""Share of the kits that a human drummer plays; the others play a style."""
GHOSTS: Final = 0.35
"""Share of the kits with soft snares between the others."""
SYNTHESISED: Final = 0.5
REPITCHED: Final = 0.4
"""Share of the sounds at quite another pitch."""
REPITCHED_SEMITONES: Final = 6.0
WORN: Final = 0.25
"""Share of the sounds that went through an old sampler."""
NOISE: Final = 0.5
"""Share of the synthesised snares and hats that are a burst of noise, with or without a body."""


def drumming(
    sounds: Sequence[Reference], grooves: Sequence[MidiSong], length_s: float, draw: np.random.Generator
) -> tuple[Wave, tuple[DrumNote, ...]]:
    """The drums of a piece and their strokes, by time."""
    out = np.zeros(round(length_s * RATE), np.float32)
    notes: list[DrumNote] = []
    for start_s in np.arange(0.0, length_s - 1e-6, KIT_S):
        played = _strokes(grooves, draw)
        sound = played_drums(played, draw_kit(sounds, draw, MANNER), draw_touch(draw), KIT_S, draw)
        sound[-FADE:] *= np.linspace(1.0, 0.0, FADE, dtype=np.float32)
        first = round(float(start_s) * RATE)
        out[first : first + len(sound)] = sound[: len(out) - first]
        notes += [note._replace(time_s=note.time_s + float(start_s)) for note in played]
    return out, tuple(note for note in notes if note.time_s < length_s)


def _strokes(grooves: Sequence[MidiSong], draw: np.random.Generator) -> list[DrumNote]:
    if draw.random() < GROOVE:
        notes = _performed(grooves[int(draw.integers(len(grooves)))], draw)
    else:
        notes = list(style_score(KIT_S, draw).drums)
    if draw.random() < GHOSTS:
        cell_s = 15.0 / draw.uniform(75.0, 180.0)
        there = np.resize(draw.random(16) < draw.uniform(0.1, 0.5), int(KIT_S / cell_s))
        force = draw.uniform(0.25, 0.5)
        notes += [DrumNote(float(cell * cell_s), 38, force) for cell in np.flatnonzero(there)]
    return sorted(note for note in notes if note.time_s < KIT_S - 0.05)


def _performed(groove: MidiSong, draw: np.random.Generator) -> list[DrumNote]:
    """Some seconds of a performance."""
    beat_s = 60.0 / (groove.bpm_at(0) * draw.uniform(0.85, 1.2))
    strokes = groove_strokes(groove)
    end_s = groove.end / groove.ticks_per_beat * beat_s
    first_s = draw.uniform(0.0, max(end_s - KIT_S, 0.0))
    return [
        DrumNote(beat * beat_s - first_s, pitch, force) for beat, pitch, force in strokes if beat * beat_s >= first_s
    ]


def _log(draw: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(draw.uniform(np.log(low), np.log(high))))


def _snare(draw: np.random.Generator) -> Drum:
    """As drum machines have it: any body, under noise of any length and band."""
    if draw.random() >= NOISE:
        return RECIPES["snare"](draw)
    low = _log(draw, 110.0, 420.0)
    shell = Thump(low * _log(draw, 1.0, 2.5), low, _log(draw, 0.004, 0.03), _log(draw, 0.04, 0.4), draw.uniform(0.1, 1))
    second = Thump(*(2 * [low * draw.uniform(1.4, 2.2)]), 0.01, _log(draw, 0.03, 0.25), draw.uniform(0.0, 0.6))
    high_hz = _log(draw, 4_000.0, 18_000.0)
    wires = Hiss(_log(draw, 250.0, 3_500.0), high_hz, _log(draw, 0.05, 0.6), draw.uniform(0.2, 1.0), order=2)
    length_s = max(shell.fall_s, wires.fall_s) + 0.05
    return Drum(
        (shell, second, wires), length_s, 0.7, draw.uniform(0.0, 2.5), _log(draw, 40.0, 200.0), seed=_seed(draw)
    )


def _closed_hat(draw: np.random.Generator) -> Drum:
    """Noise as of an old drum machine: it begins lower than a hat of metal, and may be as long as a snare."""
    if draw.random() >= NOISE:
        return RECIPES["closed_hat"](draw)
    low_hz, high_hz = _log(draw, 1_500.0, 8_000.0), 0.0 if draw.random() < 0.5 else _log(draw, 9_000.0, 17_000.0)
    noise = Hiss(low_hz, high_hz, _log(draw, 0.03, 0.22), 1.0, order=2)
    return Drum((noise,), noise.fall_s + 0.03, 0.5, draw.uniform(0.0, 2.5), low_hz * 0.6, seed=_seed(draw))


def _seed(draw: np.random.Generator) -> int:
    return int(draw.integers(1, 1 << 30))


def aged(sound: Wave, draw: np.random.Generator) -> Wave:
    """The sound tuned up or down, and as a drum machine with little memory has it, each now and then."""
    if draw.random() < REPITCHED:
        ratio = 2.0 ** (draw.uniform(-REPITCHED_SEMITONES, REPITCHED_SEMITONES) / 12)
        count = max(int(len(sound) / ratio), 1)
        sound = np.interp(np.arange(count) * ratio, np.arange(len(sound)), sound).astype(np.float32)
    if draw.random() < WORN:
        peak = max(float(np.abs(sound).max()), 1e-9)
        sound = worn(sound / peak, RATE, _log(draw, 9_000, 26_000), int(draw.integers(7, 13))).astype(np.float32)
    return sound


_RECIPES: Final[Mapping[str, Recipe]] = {**RECIPES, "snare": _snare, "closed_hat": _closed_hat}
MANNER: Final = Manner(SYNTHESISED, _RECIPES, aged)
