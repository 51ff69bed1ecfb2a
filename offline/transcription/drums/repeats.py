"""What a bar before and after says of a hit: drums repeat, so that a masked hit is heard where its neighbours are.

The length after which the drums of a stretch repeat best (a bar, or half or two of them) is found by autocorrelation.
What the network says of a frame is then drawn a little towards what it says so many times that length away: the less,
the less the drums repeat.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from offline.transcription.drums.peaks import REACH, Activations
from offline.transcription.drums.spectrum import FPS

LENGTHS_S: Final = (1.0, 2.6)
AWAY: Final = (-2, -1, 1, 2)
SHARE: Final = 0.35
"""How far a frame is drawn where the drums repeat perfectly."""
_HITS: Final = 1.3
"""Frames: width of what counts as a hit of the same moment."""
_LEAST: Final = 1e-3

Floats = NDArray[np.float64]


def steadied(onsets: Activations) -> Activations:
    """What the network says of every frame and lane, in the light of what it says of other bars."""
    if len(onsets) < 2 * LENGTHS_S[1] * FPS:
        return onsets
    length, likeness = repeats(onsets)
    said = _logit(onsets.astype(np.float64))
    around = _logit(_greatest_near(onsets.astype(np.float64)))
    total, count = np.zeros_like(said), np.zeros((len(said), 1))
    for bars in AWAY:
        where = np.arange(len(said)) + bars * length
        there = (where >= 0) & (where < len(said))
        total[there] += around[where[there]]
        count[there] += 1
    elsewhere = np.where(count > 0, total / np.maximum(count, 1), around)
    return (1.0 / (1.0 + np.exp(-(said + SHARE * likeness * (elsewhere - around))))).astype(np.float32)


def repeats(onsets: Activations) -> tuple[int, float]:
    """After how many frames the drums repeat best, and how well: 0..1."""
    shape = np.exp(-0.5 * (np.arange(-3, 4) / _HITS) ** 2)
    lanes = scipy.ndimage.convolve1d(onsets - onsets.mean(axis=0), shape, axis=0, mode="constant")
    power = (np.abs(np.fft.rfft(lanes, 2 * len(lanes), axis=0)) ** 2).sum(axis=1)
    alike = np.fft.irfft(power)[: len(lanes)] / np.arange(len(lanes), 0, -1)
    lengths = np.arange(*(int(each * FPS) for each in LENGTHS_S))
    twice = np.minimum(2 * lengths, len(lanes) - 1)
    score = (alike[lengths] + 0.5 * alike[twice]) / max(1.5 * alike[0], 1e-12)
    best = int(score.argmax())
    return int(lengths[best]), float(np.clip(score[best], 0.0, 1.0))


def _greatest_near(onsets: Floats) -> Floats:
    padded = np.pad(onsets, ((REACH, REACH), (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=0).max(axis=-1)


def _logit(share: Floats) -> Floats:
    return np.log((share + _LEAST) / (1.0 - share + _LEAST))
