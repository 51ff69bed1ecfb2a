"""Mel power of a sound in fine frames: what the onset detector and the shapes look at.

Conventions: frame ``t`` is centred on frame ``t * HOP`` of the sound; power is ``float32 [frames, ALL_BANDS]``: first
``BANDS`` bands over the whole range with a short window, then ``LOW_BANDS`` below 370 Hz with a long one, which tell a
kick's fall from a tom's tone. The paper's own features are in ``spectral``, on librosa's grid.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from offline.audio import RATE, Wave

WINDOW: Final = 1024
HOP: Final = 256
BANDS: Final = 40
LOWEST_HZ: Final = 27.5
HIGHEST_HZ: Final = 18_000.0
LOW_BANDS: Final = 12
ALL_BANDS: Final = BANDS + LOW_BANDS
LOW_STEP: Final = 16
"""The low bands are taken from every 16th frame of the low-passed sound."""
LOW_WINDOW: Final = 128
LOW_FFT: Final = 256
LOW_EDGES_HZ: Final = (25.0, 370.0)
FRAMES_AT_ONCE: Final = 512
FLOOR: Final = np.float32(1e-9)
"""Power of the quietest thing that counts (-90 dBFS): nothing is learned from what dither is made of."""

Power = NDArray[np.float32]


def mel_power(sound: Wave, *, bands: int = BANDS, hop: int = HOP) -> Power:
    """Power in all bands every ``hop`` frames: ``float32 [1 + len // hop, bands + LOW_BANDS]``.

    Args:
        sound: mono.
        bands: over the whole range; those below 370 Hz come on top.
        hop: a multiple of ``LOW_STEP``.
    """
    count = 1 + len(sound) // hop
    out = np.empty((count, bands + LOW_BANDS), np.float32)
    padded = np.pad(sound, WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop][:count]
    _fill(out[:, :bands], windows, _hann(WINDOW), WINDOW, _bank(bands))
    low = np.pad(_decimated(sound), (LOW_WINDOW // 2, LOW_WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(low, LOW_WINDOW)[:: hop // LOW_STEP][:count]
    _fill(out[:, bands:], windows, _hann(LOW_WINDOW), LOW_FFT, _low_bank())
    out += FLOOR
    return out


def glances(pieces: Power) -> Power:
    """Power over the whole range in each of many pieces, as if each stood alone in the middle of a window.

    Args:
        pieces: ``float32 [pieces, frames]``, at most ``WINDOW`` frames.

    Returns:
        ``float32 [pieces, BANDS]``.
    """
    spare = WINDOW - pieces.shape[1]
    out = np.empty((len(pieces), BANDS), np.float32)
    _fill(out, np.pad(pieces, ((0, 0), (spare // 2, spare - spare // 2))), _hann(WINDOW), WINDOW, _bank(BANDS))
    return out + FLOOR


def _fill(out: Power, windows: Power, shape: Power, size: int, bank: Power) -> None:
    for first in range(0, len(out), FRAMES_AT_ONCE):  # pieces that stay in the cache
        spectrum = scipy.fft.rfft(windows[first : first + FRAMES_AT_ONCE] * shape, size, axis=1)
        out[first : first + FRAMES_AT_ONCE] = (spectrum.real**2 + spectrum.imag**2) @ bank


def _decimated(sound: Wave) -> Wave:
    """Every 16th frame of the sound below 1 kHz."""
    taps = _low_pass()
    return scipy.signal.upfirdn(taps, np.pad(sound, (0, len(taps))), down=LOW_STEP)[len(taps) // 2 // LOW_STEP :]


@functools.cache
def _low_pass() -> NDArray[np.float32]:
    return scipy.signal.firwin(16 * LOW_STEP + 1, 700.0, fs=RATE).astype(np.float32)


@functools.cache
def _low_bank() -> NDArray[np.float32]:
    """Triangles, evenly spaced."""
    edges = np.linspace(*LOW_EDGES_HZ, LOW_BANDS + 2)
    bins = np.fft.rfftfreq(LOW_FFT, LOW_STEP / RATE)
    bank = 1.0 - np.abs(bins[:, None] - edges[1:-1]) / (edges[1] - edges[0])
    bank = np.clip(bank, 0.0, None)
    return (bank / bank.sum(axis=0)).astype(np.float32)


@functools.cache
def _hann(size: int) -> NDArray[np.float32]:
    window = scipy.signal.get_window("hann", size)
    return (window / np.sqrt((window**2).sum())).astype(np.float32)


@functools.cache
def _bank(bands: int) -> NDArray[np.float32]:
    """Triangles, evenly spaced on the mel scale above 300 Hz and nearly so below, each with a sum of one."""
    mels = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), bands + 2)
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
