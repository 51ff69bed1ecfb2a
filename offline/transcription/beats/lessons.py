"""Lessons in beats: the features of songs and pieces whose beats are known, and of sound that has none.

Each also holds what the networks of drums and bass heard in it, for those who learn to tell the bar line from that.
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

from hitloopd.core.pattern import Lane
from offline.audio import RATE, Wave
from offline.jobs import job_key, write_atomically
from offline.transcription import parts
from offline.transcription.beats.features import beat_features
from offline.transcription.beats.path import FASTEST_BPM, SLOWEST_BPM
from offline.transcription.heard import BassNote, DrumHit, Stems
from offline.transcription.lessons.drummer import draw_touch, played_drums
from offline.transcription.lessons.kits import draw_kit
from offline.transcription.lessons.make import PIECE_S, Material, make_lesson, song_lesson
from offline.transcription.lessons.score import DrumNote
from offline.transcription.lessons.songs import tempo_of

VERSION: Final = 2
"""Of what the seeds mean."""
LONGEST_S: Final = 90.0
EVERY: Final = 16
"""One lesson in so many has no beat."""
_BESIDE: Final = 0.5
_PITCHES: Final = (36, 38, 37, 39, 42, 46, 49, 51, 45, 56, 63, 76)


@dataclass(frozen=True, slots=True, eq=False)
class BeatLesson:
    """A piece.

    Args:
        features: ``float16 [frames, COLUMNS]``.
        beats_s: its beats in seconds; none where it has no beat.
        bars_s: its bar lines.
        hits: of the drums, as heard.
        notes: of the bass, as heard.
    """

    features: NDArray[np.float16]
    beats_s: NDArray[np.float64]
    bars_s: NDArray[np.float64]
    hits: tuple[DrumHit, ...] = ()
    notes: tuple[BassNote, ...] = ()

    def packed(self) -> bytes:
        """The lesson as a file."""
        file = io.BytesIO()
        lanes = list(Lane)
        np.savez(
            file,
            features=self.features,
            beats=self.beats_s,
            bars=self.bars_s,
            hits=np.array(
                [(hit.time_s, lanes.index(hit.lane), hit.velocity, hit.confidence) for hit in self.hits]
            ).reshape(-1, 4),
            notes=np.array(self.notes).reshape(-1, 5),
        )
        return file.getvalue()

    @classmethod
    def unpacked(cls, path: Path) -> BeatLesson:
        """Read what ``packed`` gave."""
        lanes = list(Lane)
        with np.load(path, allow_pickle=False) as held:
            return cls(
                held["features"],
                held["beats"],
                held["bars"],
                tuple(DrumHit(float(at), lanes[int(lane)], float(v), float(c)) for at, lane, v, c in held["hits"]),
                tuple(BassNote(float(a), float(b), int(p), float(v), float(c)) for a, b, p, v, c in held["notes"]),
            )


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
    path = cache / "beats" / f"{'train' if material.train else 'valid'}-{job_key(VERSION, seed)}.npz"
    if not path.is_file():
        lesson = _beatless(material, seed) if seed % EVERY == 0 else _with_beats(material, seed, cache)
        write_atomically(path, lesson.packed())
    lesson = BeatLesson.unpacked(path)
    in_range = SLOWEST_BPM <= tempo_of(lesson.beats_s.tolist()) <= FASTEST_BPM
    return lesson if in_range or not len(lesson.beats_s) else None


def _with_beats(material: Material, seed: int, cache: Path) -> BeatLesson:
    """Long stretches of songs, which tell where they begin and what follows what, in turn with pieces of all kinds."""
    long = seed % 2 == 0
    piece = song_lesson(material, seed // 2, cache, LONGEST_S) if long else make_lesson(material, seed, cache)
    ears = parts.ears(parts.Choice())
    stems = Stems(piece.mix, piece.mix, piece.mix)
    return BeatLesson(
        beat_features(piece.mix).astype(np.float16),
        np.array(piece.beats_s),
        np.array(piece.bars_s),
        tuple(sorted(ears.drums.hear_drums(stems).hits)),
        tuple(sorted(ears.bass.bass_notes(stems))),
    )


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
