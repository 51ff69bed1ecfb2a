"""Lessons as the network for basses studies them: what it sees of each, and what it should say per frame."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import HitloopError
from offline.jobs import Job, Refused, job_key, run_jobs
from offline.transcription.bass.sight import HOP_S, LOWEST, PITCHES, SILENCE, spectra
from offline.transcription.heard import BassNote
from offline.transcription.lessons import make as lessons
from offline.transcription.lessons.make import Material, Places, make_lesson

VERSION: Final = 1
"""Of what is seen: pages kept by another version are made again."""
UNKNOWN: Final = -1
"""The pitch's index where nobody says: before a piece's first note, that of the note it was cut out of may sound."""
TOGETHER_S: Final = 0.02
SPREAD: Final = 0.7
"""How many frames an onset's target is wide, as the deviation of a bell."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A lesson, as ``float16 [frames, SIZE]`` spectra.

    Args:
        mix: all of it.
        bass: alone.
        rest: all but the bass.
        notes: ``float32 [notes, 3]``: start and end in seconds, MIDI note; one at a time.
    """

    mix: NDArray[np.float16]
    bass: NDArray[np.float16]
    rest: NDArray[np.float16]
    notes: NDArray[np.float32]


def pages(places: Places, seeds: Iterable[int], cache: Path, *, train: bool, workers: int = 1) -> Iterator[Page]:
    """The pages of some seeds; what was made before is read from the cache.

    Raises:
        HitloopError: one could not be made.
    """
    keys = [(seed, job_key(VERSION, lessons.VERSION, train, seed)) for seed in seeds]
    jobs = [Job(key, (places, seed, cache, train)) for seed, key in keys]
    done = run_jobs(_page, jobs, cache / "bass-pages", workers=workers, label="lessons for the bass")
    for _, page in done:
        if isinstance(page, Refused):
            raise HitloopError(page.reason)
        yield page


def _page(places: Places, seed: int, cache: Path, train: bool) -> Page:  # noqa: FBT001 - arguments of a job have no names
    lesson = make_lesson(_material(places, train), seed, cache)
    notes = [(note.start_s, note.end_s, note.pitch) for note in one_voice(lesson.notes)]
    seen = [spectra(sound).astype(np.float16) for sound in (lesson.mix, lesson.bass, lesson.drums + lesson.other)]
    return Page(*seen, np.array(notes, np.float32).reshape(-1, 3))


@functools.cache
def _material(places: Places, train: bool) -> Material:  # noqa: FBT001
    return Material.load(places, train=train)


def one_voice(notes: Sequence[BassNote]) -> list[BassNote]:
    """The line as one voice: of notes that begin together the lowest, each ended by the next."""
    line: list[BassNote] = []
    for note in sorted(notes, key=lambda note: (note.start_s, note.pitch)):
        if line and note.start_s - line[-1].start_s < TOGETHER_S:
            if note.pitch < line[-1].pitch:
                line[-1] = note._replace(start_s=line[-1].start_s)
            continue
        if line and line[-1].end_s > note.start_s:
            line[-1] = line[-1]._replace(end_s=note.start_s)
        line.append(note)
    return line


def targets(notes: NDArray[np.float32], frames: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What to say per frame: how near an onset is, 0..1, and the index of the pitch that sounds."""
    seconds = np.arange(frames) * HOP_S
    onset = np.zeros(frames, np.float32)
    pitch = np.full(frames, SILENCE, np.int64)
    for start, end, note in notes:
        near = slice(max(int(start / HOP_S) - 3, 0), int(start / HOP_S) + 5)
        off = (seconds[near] - start) / HOP_S
        onset[near] = np.maximum(onset[near], np.exp(-0.5 * (off / SPREAD) ** 2))
        index = int(note) - LOWEST
        first, last = round(start / HOP_S), max(round(end / HOP_S), round(start / HOP_S) + 1)
        pitch[first:last] = index if 0 <= index < PITCHES else UNKNOWN
    if len(notes):
        pitch[: round(notes[0, 0] / HOP_S)] = UNKNOWN
    return onset, pitch
