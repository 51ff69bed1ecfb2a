"""The shape of a sound from its onset on: what the listener tells sounds apart by.

Conventions: a shape is ``float32 [2, SEGMENTS, ALL_BANDS]`` over 0.9 s, in segments growing from 6 ms at the attack to
0.35 s in the tail. Channel 0 is the power *above the background* relative to the sound's loudest place (0 for 40 dB
below it and less, 1 at it), channel 1 the power *over the background* (0 for equal, 1 for 30 dB more). The background
is what was there from 117 to 17 ms before the onset, so the shape of a sound stays what it is in rain and in a tram.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.extraction.mel import ALL_BANDS, Power

EDGES: Final = (0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 95, 155)
"""Frames from the onset at which a segment ends and the next begins."""
SEGMENTS: Final = len(EDGES) - 1
BACKGROUND: Final = (20, 3)
SIZE: Final = 2 * SEGMENTS * ALL_BANDS

_DEPTH: Final = 4.0  # decades: 40 dB
_OVER: Final = 3.0

Shapes = NDArray[np.float32]


def shapes(power: Power, frames: NDArray[np.int64]) -> Shapes:
    """The shapes of the sounds that begin at ``frames``: ``float32 [n, 2, SEGMENTS, ALL_BANDS]``.

    What lies outside the sound counts as what is nearest: before its start as no background, after its end as nothing.
    """
    if not len(frames):
        return np.zeros((0, 2, SEGMENTS, ALL_BANDS), np.float32)
    sums = np.concatenate([np.zeros((1, ALL_BANDS)), np.cumsum(power, axis=0, dtype=np.float64)])
    last = len(power)
    marks = np.clip(frames[:, None] + np.asarray(EDGES), 0, last)
    lengths = np.diff(np.asarray(EDGES))[None, :, None]
    quiet = float(power.min())
    missing = lengths - np.diff(marks, axis=1)[:, :, None]
    segments = (np.diff(sums[marks], axis=1) + missing * quiet) / lengths
    start, stop = np.clip(frames - BACKGROUND[0], 0, last), np.clip(frames - BACKGROUND[1], 0, last)
    known = (stop - start)[:, None]
    background = np.where(known > 0, (sums[stop] - sums[start]) / np.maximum(known, 1), quiet)[:, None, :]
    above = np.maximum(segments - background, 0.0)
    top = np.maximum(above.max(axis=(1, 2), keepdims=True), 1e-12)
    inside = np.log10(above / top + 10**-_DEPTH) / _DEPTH + 1.0
    over = np.clip(np.log10((segments + 1e-12) / (background + 1e-12)) / _OVER, -0.25, 1.0)
    return np.stack([inside, over], axis=1).astype(np.float32)
