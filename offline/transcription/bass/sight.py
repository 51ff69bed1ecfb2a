"""What the network for basses sees of a sound: two spectra with bands a third of a semitone apart, and a coarse one.

The slow spectrum tells neighbouring low pitches apart, the quick one tells when a note begins, and the coarse one,
which reaches to the top, tells drums from basses. Conventions: a *frame* is a column of ``HOP_S``; arrays are
``float32 [frames, bands]``; frame ``n`` is centred on second ``n * HOP_S``.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import scipy.fft
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from offline.audio import RATE, Wave

STEP: Final = 10
LOW_RATE: Final = RATE // STEP
HOP: Final = 80
HOP_S: Final = HOP / LOW_RATE
"""18.1 ms: less than half of what two onsets of one event may be apart."""
SLOW: Final = 1280  # 290 ms
QUICK: Final = 320  # 73 ms
FULL: Final = 1024  # 23 ms at the full rate
TRANSFORM: Final = 2048
LOWEST: Final = 21
"""MIDI note of the lowest band, and the lowest that a bass may have."""
PITCHES: Final = 56
SILENCE: Final = PITCHES
"""The pitch's index that says that no bass sounds; others are semitones above ``LOWEST``."""
OCTAVES: Final = 6
PER_SEMITONE: Final = 3
BANDS: Final = OCTAVES * 12 * PER_SEMITONE
COARSE_HZ: Final = (60.0, 16_000.0)
COARSE: Final = 16
SIZE: Final = 2 * BANDS + COARSE
SILENT: Final = 1e-7
QUIETEST: Final = -4.5
"""Common logarithm of a mean amplitude below which a stretch counts as silent, and isn't made louder."""
DEPTH: Final = 2.0
"""Tens that a level may lie below the mean before it is as good as silence."""

Sight = NDArray[np.float32]


def spectra(sound: Wave) -> Sight:
    """A sound as ``float32 [frames, SIZE]``: slow bands, quick bands, coarse bands; common logarithms of amplitude."""
    low = soxr.resample(sound, RATE, LOW_RATE, "MQ").astype(np.float32)
    frames = len(sound) // (HOP * STEP) + 1
    slow = _magnitudes(low, SLOW, HOP, frames, TRANSFORM) @ _thirds()
    quick = _magnitudes(low, QUICK, HOP, frames, TRANSFORM) @ _thirds()
    coarse = _magnitudes(sound, FULL, HOP * STEP, frames, FULL) @ _coarse()
    return np.log10(np.maximum(np.concatenate([slow, quick, coarse], axis=1), SILENT))


def levels(seen: Sight) -> Sight:
    """Spectra as the network takes them: some 0 for silence, some 1 for what is as loud as most.

    Relative to the stretch's own level, so that a quiet recording looks like a loud one.
    """
    middle = np.float32(max(float(np.log10((10.0 ** seen[:, :BANDS]).mean())), QUIETEST))
    return np.maximum(seen - middle + DEPTH, 0.0) / np.float32(DEPTH)


def _magnitudes(sound: Wave, window: int, hop: int, frames: int, size: int) -> NDArray[np.float32]:
    """Amplitudes ``[frames, size / 2 + 1]``; a sine of amplitude 1 gives 1."""
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    shape *= 2.0 / shape.sum()
    after = max((frames - 1) * hop + window - len(sound) - window // 2, 0)
    padded = np.pad(sound, (window // 2, after))
    cut = sliding_window_view(padded, window)[::hop][:frames]
    return np.abs(scipy.fft.rfft(cut * shape, size, axis=1))


@functools.cache
def _thirds() -> NDArray[np.float32]:
    """Weights ``[bins, BANDS]``: triangles a third of a semitone apart, at least two bins of the transform wide."""
    bins_hz = np.arange(TRANSFORM // 2 + 1) * LOW_RATE / TRANSFORM
    centres = 440.0 * 2.0 ** ((LOWEST + np.arange(BANDS) / PER_SEMITONE - 69.0) / 12.0)
    width = np.maximum(centres * (2.0 ** (1 / (12 * PER_SEMITONE)) - 1.0), LOW_RATE / TRANSFORM)
    weights = np.maximum(1.0 - np.abs(bins_hz[:, None] - centres) / width, 0.0)
    return (weights / weights.sum(axis=0)).astype(np.float32)


@functools.cache
def _coarse() -> NDArray[np.float32]:
    """Weights ``[bins, COARSE]``: neighbouring rectangles, evenly spaced in the logarithm of their frequency."""
    bins_hz = np.fft.rfftfreq(FULL, 1 / RATE)
    edges = np.geomspace(*COARSE_HZ, COARSE + 1)
    weights = (bins_hz[:, None] >= edges[:-1]) & (bins_hz[:, None] < edges[1:])
    nearest = np.abs(bins_hz[:, None] - np.sqrt(edges[:-1] * edges[1:])).argmin(axis=0)
    weights[nearest, np.arange(COARSE)] = True  # low bands are narrower than a bin
    return (weights / weights.sum(axis=0)).astype(np.float32)
