"""Mel power of a sound in fine frames: what the onset detector and the shapes look at.

Conventions: frame ``t`` begins at ``t * HOP`` minus half a window, so that it is centred on that frame of the sound;
power is ``float32 [frames, bands]``. The paper's own features are in ``spectral``, on librosa's grid.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from offline.extraction.audio import RATE, Wave

WINDOW: Final = 1024
HOP: Final = 256
BANDS: Final = 40
LOWEST_HZ: Final = 27.5
HIGHEST_HZ: Final = 18_000.0
FRAMES_AT_ONCE: Final = 512
FLOOR: Final = np.float32(1e-9)
"""Power of the quietest thing that counts (-90 dBFS): nothing is learned from what dither is made of."""

Power = NDArray[np.float32]


def mel_power(sound: Wave) -> Power:
    """Power in ``BANDS`` bands every ``HOP`` frames: ``float32 [1 + len // HOP, BANDS]``."""
    padded = np.pad(sound, WINDOW // 2)
    count = 1 + len(sound) // HOP
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    out = np.empty((count, BANDS), np.float32)
    shape, bank = _hann(), _bank()
    for first in range(0, count, FRAMES_AT_ONCE):  # pieces that stay in the cache
        spectrum = scipy.fft.rfft(windows[first : first + FRAMES_AT_ONCE] * shape, axis=1)
        out[first : first + FRAMES_AT_ONCE] = (spectrum.real**2 + spectrum.imag**2) @ bank
    return out + FLOOR


@functools.cache
def _hann() -> NDArray[np.float32]:
    window = scipy.signal.get_window("hann", WINDOW)
    return (window / np.sqrt((window**2).sum())).astype(np.float32)


@functools.cache
def _bank() -> NDArray[np.float32]:
    """Triangles, evenly spaced on the mel scale above 300 Hz and nearly so below, each with a sum of one."""
    mels = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)
    edges = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    bank = np.clip(np.minimum(rising, falling), 0.0, None)
    # a band narrower than a bin would be empty: it takes the nearest one
    empty = bank.sum(axis=0) == 0
    bank[np.abs(bins[:, None] - edges[1:-1]).argmin(axis=0)[empty], np.nonzero(empty)[0]] = 1.0
    return (bank / bank.sum(axis=0)).astype(np.float32)


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))
