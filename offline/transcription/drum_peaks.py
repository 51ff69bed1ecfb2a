"""From what the drum network says of every frame to hits: peaks, their time within a frame, their velocity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import DRUM_LANES
from offline.transcription.drum_spectrum import FPS
from offline.transcription.heard import DrumHit

REACH: Final = 2
"""A peak is the greatest of so many frames on either side: hits of one lane are at least 30 ms apart."""
SOFTEST: Final = 1 / 127

Activations = NDArray[np.float32]


class Peaks(NamedTuple):
    """Of one lane, by time: frames (with a fraction) and heights 0..1."""

    frames: NDArray[np.float64]
    heights: NDArray[np.float64]


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


def hits(onsets: Activations, forces: Activations, thresholds: Sequence[float]) -> list[DrumHit]:
    """The hits of a stretch, by time.

    Args:
        onsets: probability that a hit begins, ``[frames, lanes]``.
        forces: its velocity if it does, ``[frames, lanes]``.
        thresholds: of each lane.
    """
    found: list[DrumHit] = []
    for number, lane in enumerate(DRUM_LANES):
        peaks = find_peaks(onsets[:, number], thresholds[number])
        for frame, height in zip(peaks.frames, peaks.heights, strict=True):
            force = float(np.clip(forces[round(float(frame)), number], SOFTEST, 1.0))
            found.append(DrumHit(max(float(frame) / FPS, 0.0), lane, force, float(height)))
    return sorted(found, key=lambda hit: (hit.time_s, hit.lane))
