"""Lessons in bar lines: what the bar network is shown of a piece's beats as they are found, and their true places.

Made of the lessons in beats. A piece whose beats are found at half or twice the tempo, or somewhere else, teaches
nothing. Conventions: a place that is not known, as of a beat that is none or of a bar of 3/4, is -1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.transcription.beats.bar_lines import COMMON
from offline.transcription.beats.bar_sight import CHANNELS, LANES, SENSED, Sight
from offline.transcription.beats.bars import found_beats
from offline.transcription.beats.lessons import BeatLesson
from offline.transcription.beats.times import Times
from offline.transcription.judging.scores import LINE_S

BEATS: Final = 160
"""Of a stretch."""
SIZE: Final = 24
ENOUGH: Final = 0.8
"""Share of the beats that must lie on true ones, and share of those that must follow each other as the true ones do."""
FEWEST: Final = 16
HEADS: Final = 0.3
"""Share of the stretches that are the head of a lesson: songs mostly begin on a first beat."""
DEAF: Final = 0.1
"""Chance that a lane is not heard in a stretch; so that none is relied upon."""
SENSELESS: Final = 0.25
"""Chance that the beat network has nothing to say of bar lines."""
LOST: Final = 0.05
"""Chance that one of the cues is missing."""

Places = NDArray[np.int64]
Batch = tuple[NDArray[np.float32], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class BarLesson:
    """A sight ``[CHANNELS, beats]`` and the place of each beat."""

    sight: Sight
    places: Places


def bar_lessons(lessons: Iterable[BeatLesson]) -> Iterator[BarLesson]:
    """Those of the lessons whose beats are found."""
    for lesson in lessons:
        if len(lesson.bars_s):
            told = bar_lesson(lesson)
            if told is not None:
                yield told


def bar_lesson(lesson: BeatLesson) -> BarLesson | None:
    """A lesson in beats as one in bar lines; none where its beats are not found."""
    found = found_beats(lesson.features.astype(np.float32), lesson.hits, lesson.notes)
    if found is None or len(found.times) < FEWEST:
        return None
    places = true_places(found.times, lesson.beats_s, lesson.bars_s)
    return BarLesson(found.sight, places) if _followed(places) else None


def true_places(times: Times, beats_s: Times, bars_s: Times) -> Places:
    """The place of each found beat in a true bar of 4/4."""
    nearest = _nearest(times, beats_s)
    firsts = np.searchsorted(beats_s, bars_s - 1e-4)
    lengths = np.diff(np.append(firsts, len(beats_s)))
    bar = np.searchsorted(firsts, nearest, side="right") - 1
    inside = np.maximum(bar, 0)
    known = (np.abs(beats_s[nearest] - times) < LINE_S) & (bar >= 0) & (lengths[inside] == COMMON)
    return np.where(known, nearest - firsts[inside], -1)


def _nearest(times: Times, beats_s: Times) -> Places:
    after = np.clip(np.searchsorted(beats_s, times), 1, len(beats_s) - 1)
    return np.where(times - beats_s[after - 1] < beats_s[after] - times, after - 1, after)


def _followed(places: Places) -> bool:
    known = (places[:-1] >= 0) & (places[1:] >= 0)
    right = (places[1:] - places[:-1]) % COMMON == 1
    return bool(known.mean() >= ENOUGH and right[known].mean() >= ENOUGH)


def batch(lessons: Sequence[BarLesson], draw: np.random.Generator) -> Batch:
    """Sights ``[n, CHANNELS, BEATS]`` and which places are possible, ``[n, 4, BEATS]``: all where nothing is known."""
    sights = np.zeros((SIZE, CHANNELS, BEATS), np.float32)
    possible = np.ones((SIZE, COMMON, BEATS), np.bool_)
    for sight, allowed in zip(sights, possible, strict=True):
        lesson = lessons[int(draw.integers(len(lessons)))]
        last = max(len(lesson.places) - BEATS, 0)
        first = 0 if draw.random() < HEADS else int(draw.integers(last + 1))
        places = lesson.places[first : first + BEATS]
        sight[:, : len(places)] = lesson.sight[:, first : first + BEATS]
        known = np.flatnonzero(places >= 0)
        allowed[:, known] = np.arange(COMMON)[:, None] == places[known]
        _deafen(sight, draw)
    return sights, possible


def _deafen(sight: Sight, draw: np.random.Generator) -> None:
    """Take cues away, in place."""
    for lane in LANES:
        if draw.random() < DEAF:
            sight[lane] = 0.0
    if draw.random() < SENSELESS:
        sight[SENSED] = 0.0
    sight[draw.random(CHANNELS) < LOST] = 0.0
