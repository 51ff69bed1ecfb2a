"""Batches for the beat network: stretches of lessons, faster and slower, duller and brighter than they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.transcription.beats.features import BANDS, FPS, QUIETEST_DB
from offline.transcription.beats.lessons import BeatLesson, marked
from offline.transcription.beats.path import FASTEST_BPM, SLOWEST_BPM
from offline.transcription.beats.sight import beat_sight
from offline.transcription.lessons.songs import tempo_of

STRETCH: Final = 20 * FPS
SIZE: Final = 12
PACE: Final = 1.3
"""A stretch is at most by this factor faster or slower than its lesson."""
TILT_DB: Final = 8.0
KNOTS: Final = 5
NARROWED: Final = 0.15
"""Share of the stretches that lose their lowest or highest bands."""

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


def batch(lessons: Sequence[BeatLesson], draw: np.random.Generator, size: int = SIZE) -> Batch:
    """Sights ``[n, CHANNELS, frames]`` and targets ``[n, 2, frames]``."""
    chosen = [lessons[int(index)] for index in draw.integers(len(lessons), size=size)]
    sights, targets = zip(*(_stretch(lesson, draw) for lesson in chosen), strict=True)
    return np.stack(sights), np.stack(targets)


def _stretch(lesson: BeatLesson, draw: np.random.Generator) -> Batch:
    pace = _pace(lesson, draw)
    needed = STRETCH * pace
    first = draw.uniform(0.0, max(len(lesson.features) - needed - 1, 0.0))
    at = np.minimum(first + pace * np.arange(STRETCH), len(lesson.features) - 1)
    whole = at.astype(np.int64)
    rest = (at - whole).astype(np.float32)[:, None]
    held = lesson.features[whole[0] : whole[-1] + 2].astype(np.float32)
    left = whole - whole[0]
    features = held[left] * (1.0 - rest) + held[np.minimum(left + 1, len(held) - 1)] * rest
    _colour(features[:, :BANDS], draw)
    targets = [marked((times * FPS - first) / pace, STRETCH) for times in (lesson.beats_s, lesson.bars_s)]
    return beat_sight(features), np.stack(targets)


def _pace(lesson: BeatLesson, draw: np.random.Generator) -> float:
    """How much faster; mostly not at all, and never out of the range of tempos."""
    if draw.random() < 0.3:
        return 1.0
    bpm = tempo_of(lesson.beats_s.tolist())
    return float(np.exp(draw.uniform(np.log(max(1 / PACE, SLOWEST_BPM / bpm)), np.log(min(PACE, FASTEST_BPM / bpm)))))


def _colour(power_db: NDArray[np.float32], draw: np.random.Generator) -> None:
    """Raise some bands and lower others, smoothly, in place; silence stays silent."""
    curve = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, KNOTS), draw.normal(0.0, TILT_DB / 2, KNOTS))
    if draw.random() < NARROWED:
        lost = int(draw.integers(1, BANDS // 3))
        curve[slice(0, lost // 3) if draw.random() < 0.4 else slice(BANDS - lost, None)] -= 40.0
    power_db += curve.astype(np.float32)
    np.maximum(power_db, QUIETEST_DB, out=power_db)
