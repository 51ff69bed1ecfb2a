"""What a beat is found from: the spectrum on a fine grid of time, and the chroma of bass and chords.

Conventions: frame ``t`` is centred on frame ``t * HOP`` of the sound, 100 in a second, and looks no further than
``REACH_S`` on either side, so stretches that overlap by that can be joined at any frame. Columns: ``BANDS`` powers in
decibels from low to high, then twelve pitch classes of the bass and twelve of the chords, each with a sum of one where
it sounds.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from offline.audio import RATE, Wave

HOP: Final = 441
FPS: Final = RATE // HOP
WINDOW: Final = 2048
BANDS: Final = 36
LOWEST_HZ: Final = 30.0
CHROMA: Final = 12
BASS: Final = slice(BANDS, BANDS + CHROMA)
CHORDS: Final = slice(BANDS + CHROMA, BANDS + 2 * CHROMA)
COLUMNS: Final = BANDS + 2 * CHROMA
REACH_S: Final = 0.2
QUIETEST_DB: Final = -80.0
"""Power below this (of full scale) is silence: nothing is found in dither."""

_RATIO: Final = 1.16  # of the centres of bands: the highest ends at 15.9 kHz
_SLOW: Final = 8
"""Chroma is taken from every 8th frame of the low-passed sound."""
_SLOW_WINDOW: Final = 2048
_SLOW_SHAPE: Final = 1764  # 320 ms
_BASS_HZ: Final = (40.0, 220.0)
_CHORDS_HZ: Final = (160.0, 1500.0)
_AT_ONCE: Final = 512
_SEMITONE: Final = 0.5  # a bin counts for a pitch class when it is nearer than this to it

Features = NDArray[np.float32]


def beat_features(mix: Wave) -> Features:
    """The features of a stretch: ``float32 [1 + len // HOP, COLUMNS]``."""
    count = 1 + len(mix) // HOP
    out = np.empty((count, COLUMNS), np.float32)
    padded = np.pad(mix, (WINDOW // 2, WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    _fill(out[:, :BANDS], windows, _hann(WINDOW), WINDOW, _bank())
    floor = np.float32(10.0 ** (QUIETEST_DB / 10.0))
    out[:, :BANDS] = 10.0 * np.log10(out[:, :BANDS] + floor)
    _chroma(out, mix, count)
    return out


def loudest_db(features: Features) -> float:
    """The highest power in any band."""
    return float(features[:, :BANDS].max(initial=QUIETEST_DB))


def _chroma(out: Features, mix: Wave, count: int) -> None:
    slow = np.pad(_slowed(mix), (_SLOW_SHAPE // 2, _SLOW_SHAPE + HOP))
    windows = np.lib.stride_tricks.sliding_window_view(slow, _SLOW_SHAPE)
    starts = np.round(np.arange(count) * (HOP / _SLOW)).astype(np.int64)
    for columns, bank in ((BASS, _pitch_classes(*_BASS_HZ)), (CHORDS, _pitch_classes(*_CHORDS_HZ))):
        _fill(out[:, columns], windows[starts], _hann(_SLOW_SHAPE), _SLOW_WINDOW, bank)
        total = out[:, columns].sum(axis=1, keepdims=True)
        out[:, columns] /= total + np.float32(10.0 ** (QUIETEST_DB / 10.0))


def _fill(out: Features, windows: Features, shape: Features, size: int, bank: Features) -> None:
    for first in range(0, len(out), _AT_ONCE):  # pieces that stay in the cache
        spectrum = scipy.fft.rfft(windows[first : first + _AT_ONCE] * shape, size, axis=1)
        out[first : first + _AT_ONCE] = (spectrum.real**2 + spectrum.imag**2) @ bank


def _slowed(sound: Wave) -> Wave:
    taps = scipy.signal.firwin(16 * _SLOW + 1, 2000.0, fs=RATE).astype(np.float32)
    return scipy.signal.upfirdn(taps, sound, down=_SLOW)[len(taps) // 2 // _SLOW :].astype(np.float32)


@functools.cache
def _hann(size: int) -> Features:
    window = scipy.signal.get_window("hann", size)
    return (window / np.sqrt((window**2).sum())).astype(np.float32)


@functools.cache
def _bank() -> Features:
    """Triangles, each with a sum of one: as narrow as the window allows at the low end, a quarter octave above it."""
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    edges = [LOWEST_HZ]
    while len(edges) < BANDS + 2:
        edges.append(max(edges[-1] + bins[1], edges[-1] * _RATIO))
    wide = np.diff(edges)
    rising = 1.0 - (edges[1:-1] - bins[:, None]) / wide[:-1]
    falling = 1.0 - (bins[:, None] - edges[1:-1]) / wide[1:]
    bank = np.clip(np.minimum(rising, falling), 0.0, None)
    return (bank / bank.sum(axis=0)).astype(np.float32)


@functools.cache
def _pitch_classes(low_hz: float, high_hz: float) -> Features:
    """What each bin between two frequencies adds to each pitch class; all octaves alike."""
    bins = np.fft.rfftfreq(_SLOW_WINDOW, _SLOW / RATE)
    inside = (bins >= low_hz) & (bins <= high_hz)
    pitch = 69.0 + 12.0 * np.log2(np.maximum(bins, 1.0) / 440.0)
    apart = np.abs((pitch[:, None] - np.arange(CHROMA) + 6.0) % 12.0 - 6.0)
    bank = np.clip(1.0 - apart * _SEMITONE, 0.0, None) * inside[:, None] / np.maximum(bins, low_hz)[:, None]
    return bank.astype(np.float32)
