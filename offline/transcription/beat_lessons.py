"""Lessons in beats: the features of pieces whose beats are known, and of sound that has none.

Conventions: a target is 1 in the frame of a beat, and half of that in the frames beside it.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.jobs import write_atomically
from offline.transcription.beat_features import beat_features
from offline.transcription.beat_path import FASTEST_BPM, SLOWEST_BPM
from offline.transcription.lesson_drummer import draw_touch, played_drums
from offline.transcription.lesson_kits import draw_kit
from offline.transcription.lesson_score import DrumNote
from offline.transcription.lesson_songs import tempo_of
from offline.transcription.lessons import PIECE_S, Material, make_lesson

EVERY: Final = 16
"""One lesson in so many has no beat."""
_BESIDE: Final = 0.5
_PITCHES: Final = (36, 38, 37, 39, 42, 46, 49, 51, 45, 56, 63, 76)


@dataclass(frozen=True, slots=True, eq=False)
class BeatLesson:
    """Features ``float16 [frames, COLUMNS]`` of a piece, and its truth in seconds."""

    features: NDArray[np.float16]
    beats_s: NDArray[np.float64]
    bars_s: NDArray[np.float64]


def marked(at_frames: NDArray[np.float64], frames: int) -> NDArray[np.float32]:
    """What should be told of each frame, where the moments are given in frames."""
    marks = np.zeros(frames + 2, np.float32)
    at = np.round(at_frames).astype(np.int64) + 1
    at = at[(at > 0) & (at <= frames)]
    marks[at - 1] = marks[at + 1] = _BESIDE
    marks[at] = 1.0
    return marks[1:-1]


def beat_lesson(material: Material, seed: int, cache: Path) -> BeatLesson | None:
    """One lesson, read if it was made before; none where its tempo is out of range."""
    path = cache / "beats" / f"{'train' if material.train else 'valid'}-{seed}.npz"
    if not path.is_file():
        lesson = _beatless(material, seed) if seed % EVERY == 0 else _with_beats(material, seed, cache)
        file = io.BytesIO()
        np.savez(file, features=lesson.features, beats=lesson.beats_s, bars=lesson.bars_s)
        write_atomically(path, file.getvalue())
    with np.load(path, allow_pickle=False) as held:
        lesson = BeatLesson(held["features"], held["beats"], held["bars"])
    in_range = SLOWEST_BPM <= tempo_of(lesson.beats_s.tolist()) <= FASTEST_BPM
    return lesson if in_range or not len(lesson.beats_s) else None


def _with_beats(material: Material, seed: int, cache: Path) -> BeatLesson:
    piece = make_lesson(material, seed, cache)
    features = beat_features(piece.mix).astype(np.float16)
    return BeatLesson(features, np.array(piece.beats_s), np.array(piece.bars_s))


def _beatless(material: Material, seed: int) -> BeatLesson:
    """Strokes at any moment, noise, both or nothing."""
    draw = np.random.default_rng((seed, int(material.train)))
    sound = _noise(draw) * np.float32(draw.random() < 0.7)
    if draw.random() < 0.7:
        count = round(PIECE_S * math.exp(draw.uniform(math.log(0.2), math.log(12.0))))
        times = np.sort(draw.uniform(0.0, PIECE_S, count))
        notes = [DrumNote(float(at), int(draw.choice(_PITCHES)), float(draw.uniform(0.1, 1.0))) for at in times]
        sound += played_drums(notes, draw_kit(material.sounds, draw), draw_touch(draw), PIECE_S, draw)
    none = np.zeros(0)
    return BeatLesson(beat_features(sound).astype(np.float16), none, none)


def _noise(draw: np.random.Generator) -> Wave:
    """Of any colour, swelling and falling."""
    frames = round(PIECE_S * RATE)
    spectrum = np.fft.rfft(draw.standard_normal(frames))
    spectrum /= np.maximum(np.arange(len(spectrum)), 100) ** draw.uniform(0.0, 1.2)
    noise = np.fft.irfft(spectrum, frames)
    knots = np.exp(draw.normal(0.0, draw.uniform(0.0, 1.2), round(PIECE_S * draw.uniform(0.2, 4.0)) + 2))
    swell = np.interp(np.linspace(0, len(knots) - 1, frames), np.arange(len(knots)), knots)
    noise *= swell * 10 ** (draw.uniform(-60.0, -15.0) / 20) / max(float(np.abs(noise).max()), 1e-12)
    return noise.astype(np.float32)
