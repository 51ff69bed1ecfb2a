"""What is heard of drums and bass says of the beats: their places in the bar, and whether the playing keeps to them.

Conventions: frames of ``beat_features``; evidence is a log likelihood ratio against the mean of the four places.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from hitloopd.core.pattern import Lane
from offline.transcription.beats.features import FPS
from offline.transcription.beats.times import Times
from offline.transcription.heard import BassNote, DrumHit

COMMON: Final = 4
CHANGE: Final = "change"
RATES: Final[Mapping[str, tuple[float, float, float, float]]] = {
    Lane.KICK: (0.80, 0.25, 0.44, 0.28),
    Lane.SNARE: (0.08, 0.55, 0.24, 0.56),
    Lane.CYMBAL: (0.52, 0.43, 0.43, 0.48),
    Lane.BASS: (0.97, 0.74, 0.66, 0.77),
    CHANGE: (0.71, 0.17, 0.24, 0.30),
}
"""How often each begins on beats 1 to 4, and how often a bass note there has another pitch class than the one before:
counted in 4 481 bars of the corpus' training songs, long songs weighing little more than short ones."""
WEIGHT: Final = 0.3
"""Of the evidence: what is heard repeats itself from bar to bar and errs, so a bar says less than its hits would."""
NEAR_S: Final = 0.04
SILENT_AFTER_S: Final = 8.0
"""A lane that has nothing for so long does not play; its silence says nothing."""
SIXTEENTHS: Final = 4
"""Places of a beat on which hits lie where the beats are right: sixteenths."""
ON_GRID: Final = 0.16
"""Of a sixteenth: how far from its place a hit may lie."""

Evidence = NDArray[np.float32]


def place_evidence(drums: Sequence[DrumHit], bass: Sequence[BassNote], frames: int) -> Evidence:
    """What is heard around each frame, for each place in the bar: ``float32 [frames, 4]``, 0 where nothing plays."""
    total = np.zeros((frames, COMMON), np.float32)
    for cue, times in _cues(drums, bass).items():
        if not len(times):
            continue
        here = np.zeros(frames, np.bool_)
        here[np.clip(np.round(times * FPS).astype(np.int64), 0, frames - 1)] = True
        near = scipy.ndimage.binary_dilation(here, iterations=round(NEAR_S * FPS))
        plays = scipy.ndimage.maximum_filter1d(here, 2 * round(SILENT_AFTER_S * FPS) + 1, mode="constant")
        rates = np.array(RATES[cue])
        with_it, without = np.log(rates / rates.mean()), np.log((1.0 - rates) / (1.0 - rates.mean()))
        total += np.where(near[:, None], with_it, np.where(plays[:, None], without, 0.0)).astype(np.float32)
    return np.float32(WEIGHT) * (total - total.mean(axis=1, keepdims=True))


def _cues(drums: Sequence[DrumHit], bass: Sequence[BassNote]) -> Mapping[str, Times]:
    found: dict[str, Times] = {
        lane: np.array([hit.time_s for hit in drums if hit.lane == lane])
        for lane in (Lane.KICK, Lane.SNARE, Lane.CYMBAL)
    }
    changes = [
        note.start_s
        for before, note in itertools.pairwise(bass)
        if note.pitch % 12 != before.pitch % 12 and note.start_s - before.end_s < SILENT_AFTER_S
    ]
    return found | {Lane.BASS: np.array([note.start_s for note in bass]), CHANGE: np.array(changes)}


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """For each beat but the last: how much is struck until the next one, and how much of that on its sixteenths."""

    struck: Times
    fits: Times

    def kept(self, beats: slice, least: float) -> float:
        """The share that fits in a span of beats; 0 where less than ``least`` is struck."""
        struck = float(self.struck[beats].sum())
        return float(self.fits[beats].sum()) / struck if struck >= least else 0.0


def on_grid(times: Times, drums: Sequence[DrumHit], bass: Sequence[BassNote]) -> Grid:
    """How much of what was heard keeps to the sixteenths of some beats, each as much as it is sure."""
    at = np.array([hit.time_s for hit in drums] + [note.start_s for note in bass])
    weight = np.array([hit.confidence for hit in drums] + [note.confidence for note in bass])
    beat = np.searchsorted(times, at, side="right") - 1
    inside = (beat >= 0) & (beat < len(times) - 1)
    at, weight, beat = at[inside], weight[inside], beat[inside]
    place = SIXTEENTHS * (at - times[beat]) / (times[beat + 1] - times[beat])
    fits = np.abs(place - np.round(place)) <= ON_GRID
    size = max(len(times) - 1, 0)
    return Grid(np.bincount(beat, weight, size), np.bincount(beat, weight * fits, size))
