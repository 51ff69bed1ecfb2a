"""From what the drum network says of every frame to hits: peaks, their time within a frame, their velocity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import DRUM_LANES
from offline.transcription.drums.spectrum import FPS
from offline.transcription.heard import DrumHit

REACH: Final = 2
"""A peak is the greatest of so many frames on either side: hits of one lane are at least 30 ms apart."""
STRONG: Final = 0.8
"""Of the peaks above the floor are no higher than the strong ones."""
SOFTEST: Final = 1 / 127

Activations = NDArray[np.float32]


class Peaks(NamedTuple):
    """Of one lane, by time: frames (with a fraction) and heights 0..1."""

    frames: NDArray[np.float64]
    heights: NDArray[np.float64]


class Rule(NamedTuple):
    """Which peaks of a lane are hits.

    A song whose snares are masked has low peaks, but they still stand out among its others: so what is asked of a peak
    is a share of the stretch's strong peaks, within bounds.

    Args:
        floor: no peak below is a hit, so that a lane that doesn't play stays silent.
        share: of the height of the strong peaks.
        most: a peak above is always a hit.
    """

    floor: float
    share: float
    most: float

    def least(self, heights: NDArray[np.float64]) -> float:
        """How high a hit's peak has to be among the peaks of a stretch."""
        strong = heights[heights >= self.floor]
        if not len(strong):
            return self.floor
        return float(np.clip(self.share * np.quantile(strong, STRONG), self.floor, max(self.most, self.floor)))


ANY: Final = Rule(1.0 / (1.0 + math.exp(5.0)), 0.0, 0.0)
"""Any peak that isn't next to nothing: one in 150."""


def find_peaks(activation: Activations, least: float) -> Peaks:
    """The peaks of one lane's activation that are at least so high."""
    padded = np.pad(activation, REACH, constant_values=-1.0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1)
    # of equal neighbours the first is the peak
    first = windows.argmax(axis=1) == REACH
    frames = np.flatnonzero(first & (activation >= least))
    heights = activation[frames].astype(np.float64)
    return Peaks(frames + _within(padded, frames + REACH), heights)


def _within(activation: Activations, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where the top of a parabola through three frames lies: -0.5..0.5 frames from the middle one."""
    before, at, after = (np.maximum(activation[frames + shift], 0.0).astype(np.float64) for shift in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=bend < -1e-9)
    return np.clip(shift, -0.5, 0.5)


def hits(onsets: Activations, forces: Activations, rules: Sequence[Rule]) -> list[DrumHit]:
    """The hits of a stretch, by time.

    Args:
        onsets: probability that a hit begins, ``[frames, lanes]``.
        forces: its velocity if it does, ``[frames, lanes]``.
        rules: of each lane.
    """
    found: list[DrumHit] = []
    for number, lane in enumerate(DRUM_LANES):
        for frame, height in zip(*heard(onsets[:, number], rules[number]), strict=True):
            force = float(np.clip(forces[min(round(float(frame)), len(forces) - 1), number], SOFTEST, 1.0))
            found.append(DrumHit(max(float(frame) / FPS, 0.0), lane, force, float(min(height, 1.0))))
    return sorted(found, key=lambda hit: (hit.time_s, hit.lane))


def heard(activation: Activations, rule: Rule) -> Peaks:
    """The peaks of a lane that are hits."""
    peaks = find_peaks(activation, rule.floor)
    kept = peaks.heights >= rule.least(peaks.heights)
    return Peaks(peaks.frames[kept], peaks.heights[kept])
