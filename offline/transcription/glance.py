"""How loud each part of the spectrum is, coarse enough to be kept for a song of hours: for the picture only."""

from __future__ import annotations

import functools
import math
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from offline.audio import RATE, Wave

PER_S: Final = 25
LOWEST_HZ: Final = 27.5
BANDS_PER_OCTAVE: Final = 10
BANDS: Final = 90  # nine octaves, up to 14.1 kHz
QUIETEST_DB: Final = -90.0
WINDOW: Final = 4096
_STEP: Final = RATE // PER_S
_AT_ONCE: Final = 512


def glance(sound: Wave) -> NDArray[np.uint8]:
    """Levels in ``BANDS`` bands, ten to the octave, ``PER_S`` times a second: 0 is -90 dB, 255 is 0 dB."""
    count = -(-len(sound) // _STEP)
    padded = np.pad(sound, (WINDOW // 2, WINDOW // 2 + _STEP))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::_STEP][:count]
    rows = [_levels(windows[first : first + _AT_ONCE]) for first in range(0, count, _AT_ONCE)]
    return np.concatenate(rows) if rows else np.zeros((0, BANDS), np.uint8)


def band_of(hz: float) -> float:
    """The band in which a frequency lies, with a fraction."""
    return BANDS_PER_OCTAVE * math.log2(hz / LOWEST_HZ)


def _levels(windows: NDArray[np.float32]) -> NDArray[np.uint8]:
    spectrum = scipy.fft.rfft(windows * _hann(), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) @ _bank()
    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    return np.round(np.clip(1 - decibels / QUIETEST_DB, 0, 1) * 255).astype(np.uint8)


@functools.cache
def _hann() -> NDArray[np.float32]:
    window = np.hanning(WINDOW)
    return (window * (2 / window.sum())).astype(np.float32)


@functools.cache
def _bank() -> NDArray[np.float32]:
    """Triangles over the bins, each at least as wide as a bin, so that no low band is left without one."""
    bins_hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    middle_hz = LOWEST_HZ * 2.0 ** (np.arange(BANDS) / BANDS_PER_OCTAVE)
    wide_hz = np.maximum(middle_hz * (2.0 ** (1 / BANDS_PER_OCTAVE) - 1), RATE / WINDOW)
    apart = np.abs(bins_hz[:, None] - middle_hz[None]) / wide_hz[None]
    return np.maximum(1 - apart, 0).astype(np.float32)
