"""Lessons as the drum network reads them: levels instead of sound, small enough to keep thousands.

The levels of the drums and of all else are kept apart: power adds up, so that each training step can mix drums and
accompaniment anew, in other proportions or from other lessons, for almost nothing.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import DRUM_LANES
from offline.audio import Wave
from offline.jobs import job_key, write_atomically
from offline.transcription.drums.spectrum import BANDS, FPS, HOP, log_power
from offline.transcription.lessons import make as lessons
from offline.transcription.lessons import whole
from offline.transcription.lessons.make import Lesson, Material, Places
from offline.transcription.lessons.score import DrumNote, hits_of

KINDS: Final[Mapping[str, tuple[int, ...]]] = {
    "rim": (37,),
    "clap": (39,),
    "open hat": (46,),
    "crash": (49, 52, 55, 57),
    "ride": (51, 53, 59),
    "tom": (41, 43, 45, 47, 48, 50),
}
"""What the network is taught to tell beside the lanes, so that it knows one thing from the other."""
PERCUSSION: Final = "percussion"
OUTPUTS: Final = (*(lane.value for lane in DRUM_LANES), *KINDS, PERCUSSION)
LANES: Final = len(DRUM_LANES)
Piece = Callable[[Material, int], tuple[Wave, tuple[DrumNote, ...]]]
_TOLD_BY_LANE: Final = (35, 36, 38, 40, 42, 44)
_VERSION: Final = 1
_ALONE: Final = 2  # version of what drums alone are
_REPORT_S: Final = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One lesson.

    Args:
        mix: logarithm of the power of the bands, ``float16 [frames, SIZE]``.
        drums: of the drums alone.
        rest: of all else.
        strokes: second, output, velocity; a stroke may stand under two outputs.
    """

    mix: NDArray[np.float16]
    drums: NDArray[np.float16]
    rest: NDArray[np.float16]
    strokes: NDArray[np.float32]

    def packed(self) -> bytes:
        """The page as a file."""
        file = io.BytesIO()
        np.savez(file, mix=self.mix, drums=self.drums, rest=self.rest, strokes=self.strokes)
        return file.getvalue()

    @classmethod
    def unpacked(cls, path: Path) -> Page:
        """Read what ``packed`` gave."""
        with np.load(path, allow_pickle=False) as held:
            return cls(held["mix"], held["drums"], held["rest"], held["strokes"])


def page_of(lesson: Lesson) -> Page:
    """A lesson as levels."""
    parts = (lesson.mix, lesson.drums, lesson.bass + lesson.other)
    return Page(*(log_power(part).astype(np.float16) for part in parts), _strokes(lesson.strokes))


def _strokes(notes: Iterable[DrumNote]) -> NDArray[np.float32]:
    every = list(notes)
    found = [(hit.time_s, DRUM_LANES.index(hit.lane), hit.velocity) for hit in hits_of(every)]
    output = {pitch: OUTPUTS.index(name) for name, pitches in KINDS.items() for pitch in pitches}
    other = OUTPUTS.index(PERCUSSION)
    plain = (note for note in every if note.pitch not in _TOLD_BY_LANE)
    found += [(note.time_s, output.get(note.pitch, other), note.velocity) for note in plain]
    return np.array(sorted(found), np.float32).reshape(-1, 3)


def pages(places: Places, seeds: Iterable[int], cache: Path, *, train: bool = True) -> Iterator[Page]:
    """The pages of some seeds, with progress; what was made before is read from the cache.

    Args:
        places: where the material of the lessons lies; it is read when the first lesson is missing.
        seeds: of the lessons.
        cache: folder for pages and rendered songs.
        train: lessons to learn from, or those to validate with.
    """

    def made(material: Material, seed: int) -> Iterator[Page]:
        yield page_of(lessons.make_lesson(material, seed, cache))

    return _kept(_Making(places, cache, "pages", (lessons.VERSION, _VERSION), 1, train=train), seeds, made)


def percussion_pages(places: Places, seeds: Iterable[int], cache: Path) -> Iterator[Page]:
    """Pages of percussion alone, to be mixed under others in training."""
    return _alone(places, seeds, cache, "percussion", lessons.percussion_piece)


def kit_pages(places: Places, seeds: Iterable[int], cache: Path) -> Iterator[Page]:
    """Pages of drums alone on many kits, to be mixed with accompaniments in training."""
    return _alone(places, seeds, cache, "kits", lessons.kit_piece)


def _alone(places: Places, seeds: Iterable[int], cache: Path, name: str, piece: Piece) -> Iterator[Page]:
    def made(material: Material, seed: int) -> Iterator[Page]:
        sound, notes = piece(material, seed)
        log = log_power(sound).astype(np.float16)
        yield Page(log, log, np.zeros((0, log.shape[1]), np.float16), _strokes(notes))

    return _kept(_Making(places, cache, name, (name, lessons.VERSION, _ALONE, _VERSION), 1), seeds, made)


def song_pages(places: Places, seeds: Iterable[int], cache: Path, *, train: bool = True) -> Iterator[Page]:
    """Pages of whole songs on kits of all sorts, several of each seed; the rest is as for ``pages``."""

    def made(material: Material, seed: int) -> Iterator[Page]:
        yield from map(page_of, whole.whole_songs(material, material.sounds, seed, cache, varied=True))

    version = ("whole", lessons.VERSION, whole.VERSION, _VERSION)
    return _kept(_Making(places, cache, "whole", version, whole.TIMES, train=train), seeds, made)


@dataclass(frozen=True, slots=True)
class _Making:
    """How pages of one kind are kept.

    Args:
        places: where the material lies.
        cache: folder.
        name: of the kind, and of its folder.
        version: whatever decides, with the seed, what they are.
        times: pages of each seed.
        train: to learn from, or to validate with.
    """

    places: Places
    cache: Path
    name: str
    version: tuple[object, ...]
    times: int
    train: bool = True

    def paths(self, seed: int) -> list[Path]:
        """Where those of a seed are kept."""
        key = job_key(*self.version, BANDS, HOP, self.train, seed)
        tails = [""] if self.times == 1 else [f"-{number}" for number in range(self.times)]
        return [self.cache / self.name / f"{key}{tail}.npz" for tail in tails]


def _kept(how: _Making, seeds: Iterable[int], made: Callable[[Material, int], Iterator[Page]]) -> Iterator[Page]:
    """Pages, from their files if they were made before; several processes may fill one folder."""
    every = list(seeds)
    told = time.monotonic()
    material: Material | None = None
    for number, seed in enumerate(every):
        paths = how.paths(seed)
        if not all(path.is_file() for path in paths):
            material = material or Material.load(how.places, train=how.train)
            for path, page in zip(paths, made(material, seed), strict=True):
                write_atomically(path, page.packed())
            if time.monotonic() - told > _REPORT_S:
                told = time.monotonic()
                print(f"{how.name}: {number + 1} of {len(every)}", file=sys.stderr, flush=True)
        yield from map(Page.unpacked, paths)


def targets(page: Page, first: int, frames: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the network should say of a stretch: onsets, smeared over some frames, and velocities where there are any.

    Args:
        page: whence.
        first: frame.
        frames: how many.

    Returns:
        ``float32 [frames, OUTPUTS]`` and ``float32 [frames, LANES]``; the velocity is 0 where nothing begins.
    """
    onsets = np.zeros((frames, len(OUTPUTS)), np.float32)
    forces = np.zeros((frames, LANES), np.float32)
    for time_s, number, velocity in page.strokes:
        at = time_s * FPS - first
        if not -2 <= at < frames + 2:
            continue
        output, nearest = int(number), round(float(at))
        for frame in range(max(nearest - 2, 0), min(nearest + 3, frames)):
            near = np.exp(-0.5 * (frame - at) ** 2)
            onsets[frame, output] = max(onsets[frame, output], near)
            if output < LANES and abs(frame - nearest) <= 1:
                forces[frame, output] = velocity
    return onsets, forces
