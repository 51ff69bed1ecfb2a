"""Lessons in drum parts: what the drum network hears of whole songs, laid out in their bars, the sounds, and the truth.

Conventions: a truth is 1 where a cell's candidate is a hit, 0 where it is none, and says nothing where there is none.
In training the odds are bent: lesser ears, other sounds and denser mixes than those of the lessons are to be expected.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import DRUM_LANES
from offline.extraction.classes import Reference
from offline.jobs import job_key, write_atomically
from offline.transcription.drums.alike import Moments
from offline.transcription.drums.bar_grid import (
    ABOUT,
    CELLS,
    CELLS_PER_BEAT,
    CHANNELS,
    LANES,
    NONE,
    SURE,
    BarGrid,
    Indices,
    Laid,
    Sight,
    laid,
)
from offline.transcription.drums.sounds import Sounds, as_array
from offline.transcription.heard import DrumHit, FoundBar, Stems
from offline.transcription.judging.scores import ONSET_S, Tally, matches, onset_tally
from offline.transcription.lessons import make
from offline.transcription.lessons.make import Lesson, Material
from offline.transcription.lessons.whole import TIMES, whole_songs
from offline.transcription.ports import DrumTranscriber

VERSION: Final = 5
"""Of what the seeds mean."""
SAY_S: Final = 15.0
SIZE: Final = 8
"""Stretches of a batch."""
ROWS: Final = (8, 12, 16, 24, 32, 40)
"""How long the stretches of a batch are, one as likely as the other."""
BENT: Final = 0.9
"""Share of the stretches whose odds are bent."""
SCALES: Final = (0.7, 1.25)
SHIFT: Final = 1.6
"""How far the odds of a lane are off throughout a stretch (standard deviation)."""
CONFUSED: Final = 0.5
"""Share of the bent ones in which a lane is heard wherever another one plays; chance of each lane there."""
HEARD_AS: Final = 0.35
NOISE: Final = 0.8
LOST: Final = 0.06
"""Up to so many candidates are not there."""
SHIFTED: Final = 0.05
"""Share of the stretches whose bar lines are wrong by some beats."""

Truth = NDArray[np.bool_]
ODDS, THERE = slice(0, LANES), slice(LANES, 2 * LANES)


@dataclass(frozen=True, slots=True, eq=False)
class PartLesson:
    """A song.

    Args:
        sight: ``float32 [CHANNELS, rows, CELLS]``.
        sounding: which sound each cell has, ``[rows, CELLS]``; ``NONE`` where it has none.
        sounds: ``uint8 [sounds, LENGTH]``.
        truth: ``[LANES, rows, CELLS]``.
        missed: true hits of each lane of which there is no candidate.
        before: how well each lane was heard before the bars were known.
    """

    sight: Sight
    sounding: Indices
    sounds: Sounds
    truth: Truth
    missed: tuple[int, ...]
    before: tuple[Tally, ...]

    def packed(self) -> bytes:
        """The lesson as a file."""
        file = io.BytesIO()
        counts = {"missed": np.array(self.missed), "before": np.array(self.before)}
        sounds = {"sounding": self.sounding.astype(np.int32), "sounds": self.sounds}
        np.savez_compressed(file, sight=self.sight.astype(np.float16), truth=self.truth, **sounds, **counts)
        return file.getvalue()

    @classmethod
    def unpacked(cls, path: Path) -> PartLesson:
        """Read what ``packed`` gave."""
        with np.load(path, allow_pickle=False) as held:
            missed = tuple(int(count) for count in held["missed"])
            before = tuple(Tally(*map(int, counts)) for counts in held["before"])
            sounding = held["sounding"].astype(np.int64)
            return cls(held["sight"].astype(np.float32), sounding, held["sounds"], held["truth"], missed, before)

    def rows(self, first: int, count: int) -> PartLesson:
        """Some rows of it."""
        some = slice(first, first + count)
        return replace(self, sight=self.sight[:, some], sounding=self.sounding[some], truth=self.truth[:, some])

    def moved(self, cells: int) -> PartLesson:
        """As if the bar lines were so many cells further ahead; the last cells come first."""
        return replace(
            self,
            **{
                name: np.roll(page.reshape(-1, page.shape[-2] * CELLS), cells, axis=1).reshape(page.shape)
                for name, page in (("sight", self.sight), ("sounding", self.sounding), ("truth", self.truth))
            },
        )

    def moments(self) -> Moments:
        """Its moments and their sounds."""
        return Moments(self.sight[LANES + ABOUT] > 0, self.sounding, self.sounds)


def part_lessons(
    material: Material, strangers: Sequence[Reference], ear: DrumTranscriber, seeds: Iterable[int], cache: Path
) -> Iterator[PartLesson]:
    """The lessons of some seeds, several of each, with progress; read if they were made before.

    Args:
        material: of the songs.
        strangers: sounds for their kits that the ear has not learned from.
        ear: that hears them.
        seeds: of the lessons.
        cache: folder for lessons and what fluidsynth played.
    """
    told_s = time.monotonic()
    for seed in seeds:
        key = job_key(VERSION, make.VERSION, ear.name, material.train, seed)
        paths = [cache / "parts" / f"{key}-{number}.npz" for number in range(TIMES)]
        if not all(path.is_file() for path in paths):
            for path, song in zip(paths, whole_songs(material, strangers, seed, cache), strict=True):
                write_atomically(path, part_lesson(song, ear).packed())
            if time.monotonic() - told_s > SAY_S:
                told_s = time.monotonic()
                print(f"songs: {seed + 1}", file=sys.stderr, flush=True)
        lessons = map(PartLesson.unpacked, paths)
        yield from (lesson for lesson in lessons if lesson.sight.shape[1] >= ROWS[0])


def part_lesson(lesson: Lesson, ear: DrumTranscriber) -> PartLesson:
    """A song as the network is shown it."""
    heard = ear.hear_drums(Stems(lesson.mix, lesson.mix, lesson.mix))
    bars = bars_of(lesson)
    page = laid(BarGrid.of(bars), heard.candidates)
    truth, missed = true_cells(page, heard.candidates, lesson.hits)
    end_s = bars[-1].end_s if bars else 0.0
    before = tuple(
        onset_tally(*([hit.time_s for hit in hits if hit.lane is lane] for hits in (lesson.hits, heard.hits)), end_s)
        for lane in DRUM_LANES
    )
    known, sounding = np.unique(page.sounding, return_inverse=True)
    sounds = as_array([heard.candidates[one].sound for one in known if one != NONE])
    # NONE is the first of what is known, where there is a cell without a sound
    sounding = (sounding + len(sounds) - len(known)).reshape(-1, CELLS)
    sight, true = page.sight.reshape(CHANNELS, -1, CELLS), truth.T.reshape(LANES, -1, CELLS)
    return PartLesson(sight, sounding, sounds, true, missed, before)


def bars_of(lesson: Lesson) -> list[FoundBar]:
    """The bars of a song as they would be found if all went well; what is before the first bar line is left out."""
    beats, lines = np.array(lesson.beats_s), np.array(lesson.bars_s)
    found: list[FoundBar] = []
    for start, end in pairwise(lines):
        inside = beats[(beats >= start - 1e-6) & (beats < end - 1e-6)]
        if len(inside):
            found.append(FoundBar(float(start), float(end), tuple(map(float, inside)), 1.0))
    return found


def true_cells(page: Laid, candidates: Sequence[DrumHit], hits: Sequence[DrumHit]) -> tuple[Truth, tuple[int, ...]]:
    """Which cells hold a true hit, ``[cells, LANES]``, and how many hits of each lane no candidate answers to."""
    truth = np.zeros(page.held.shape, np.bool_)
    missed: list[int] = []
    for number, lane in enumerate(DRUM_LANES):
        cells = np.flatnonzero(page.held[:, number] != NONE)
        at = np.array([candidates[index].time_s for index in page.held[cells, number]], np.float64)
        order = np.argsort(at, kind="stable")
        true = np.array([hit.time_s for hit in hits if hit.lane is lane], np.float64)
        pairs = matches(true, at[order], ONSET_S)
        truth[cells[order[[found for _, found in pairs]]], number] = True
        missed.append(len(true) - len(pairs))
    return truth, tuple(missed)


def batch(lessons: Sequence[PartLesson], draw: np.random.Generator) -> list[PartLesson]:
    """``SIZE`` stretches of lessons, equally long."""
    rows = int(draw.choice(ROWS))
    enough = [lesson for lesson in lessons if lesson.sight.shape[1] >= rows] or list(lessons)
    rows = min(rows, *(lesson.sight.shape[1] for lesson in enough))
    return [_stretch(enough[int(draw.integers(len(enough)))], rows, draw) for _ in range(SIZE)]


def _stretch(lesson: PartLesson, rows: int, draw: np.random.Generator) -> PartLesson:
    part = lesson.rows(int(draw.integers(lesson.sight.shape[1] - rows + 1)), rows)
    if draw.random() < BENT:
        part = replace(part, sight=bent(part.sight, draw))
    if draw.random() < SHIFTED:
        part = part.moved(int(draw.integers(1, CELLS // CELLS_PER_BEAT)) * CELLS_PER_BEAT)
    return part


def bent(sight: Sight, draw: np.random.Generator) -> Sight:
    """A sight with the odds that other ears might give."""
    odds = SURE * sight[ODDS]
    there = sight[THERE] > 0
    odds = odds * draw.uniform(*SCALES) + draw.normal(0.0, SHIFT, (LANES, 1, 1))
    if draw.random() < CONFUSED:
        odds, there = _confused(odds, there, draw)
    odds = odds + draw.normal(0.0, draw.uniform(0.0, NOISE), odds.shape)
    there = there & (draw.random(odds.shape) >= draw.uniform(0.0, LOST))
    out = sight.copy()
    out[ODDS] = np.where(there, np.clip(odds, -SURE, SURE), -SURE) / SURE
    out[THERE] = there
    return out


def _confused(odds: NDArray[np.float32], there: Truth, draw: np.random.Generator) -> tuple[NDArray[np.float32], Truth]:
    """A lane is heard, more or less, wherever another one plays."""
    odds, there = odds.copy(), there.copy()
    strong = np.where(there, np.maximum(odds + 1.0, 0.0), 0.0)
    for lane in range(LANES):
        other = int(draw.integers(LANES))
        if draw.random() >= HEARD_AS or other == lane:
            continue
        heard = strong[other] * draw.uniform(0.0, 0.9) - 1.0 + draw.normal(0.0, 0.5, strong[other].shape)
        new = (strong[other] > 0) & (heard > -SURE)
        odds[lane] = np.where(new, np.maximum(np.where(there[lane], odds[lane], -SURE), heard), odds[lane])
        there[lane] |= new
    return odds, there
