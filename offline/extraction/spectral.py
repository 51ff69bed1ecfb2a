"""The paper's three features, exactly as librosa gives them window by window, from one shared spectrum.

Conventions: frames of 2048 every 512, *not* centred, so that a window that begins on the grid has the very frames that
librosa computes for it alone. A window's mel spectrogram and contrast are in decibels with a floor 80 dB below that
window's own top, as ``librosa.power_to_db`` does it, so the floor is applied per window and never to the whole.
Magnitudes are ``float32 [frames, 1025]``.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import librosa
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from offline.audio import RATE, Wave

WINDOW: Final = 2048
HOP: Final = 512
BINS: Final = WINDOW // 2 + 1
MELS: Final = 128
FLOOR_DB: Final = 80.0
LOWEST_HZ: Final = 200.0
OCTAVES: Final = 6
QUANTILE: Final = 0.02
_TINY: Final = np.float32(1e-10)
_AT_ONCE: Final = 64  # a megabyte of frames: what the cache holds
_MELS_AT_ONCE: Final = 16

Track = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectra:
    """What every window shares.

    Args:
        mel: decibels without a floor, ``float32 [frames, 128]``.
        peaks: the contrast's peaks in decibels, ``float32 [frames, 7]``.
        valleys: its valleys.
        bandwidth: Hz, ``float64 [frames]``.
        flatness: 0 tone .. 1 noise, ``float32 [frames]``; empty where it wasn't asked for.
    """

    mel: Track
    peaks: Track
    valleys: Track
    bandwidth: NDArray[np.float64]
    flatness: Track

    def __len__(self) -> int:
        return len(self.mel)

    def window(self, start: int, frames: int) -> Features:
        """The three features of the window of ``frames`` that begins at frame ``start``."""
        part = slice(start, start + frames)
        return Features(
            _floored(self.mel[part]).ravel(),
            (_floored(self.peaks[part]) - _floored(self.valleys[part])).ravel(),
            self.bandwidth[part].copy(),
        )


@dataclass(frozen=True, slots=True)
class Features:
    """Mel spectrogram, spectral contrast and bandwidth of one window, each in a row, frame after frame."""

    mel: NDArray[Any]
    contrast: NDArray[Any]
    bandwidth: NDArray[Any]


def frame_count(length: int) -> int:
    """Frames of a window of ``length``; one that is shorter than a frame is padded with silence."""
    return 1 + max(length - WINDOW, 0) // HOP


def spectra(sound: Wave, *, flatness: bool = True) -> Spectra:
    """The features of every frame, in one pass that stays in the processor's cache."""
    if len(sound) < WINDOW:
        sound = np.pad(sound, (0, WINDOW - len(sound)))
    count = frame_count(len(sound))
    windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    out = Spectra(
        np.empty((count, MELS), np.float32),
        np.empty((count, OCTAVES + 1), np.float32),
        np.empty((count, OCTAVES + 1), np.float32),
        np.empty(count),
        np.empty(count if flatness else 0, np.float32),
    )
    hann = _hann()
    for first in range(0, count, _AT_ONCE):
        part = slice(first, min(first + _AT_ONCE, count))
        # in double precision, as librosa does: the contrast's valleys reach down to the rounding of a single one
        magnitude = np.abs(scipy.fft.rfft(windows[part] * hann, axis=1).astype(np.complex64))
        power = magnitude**2
        out.mel[part] = _mel(power)
        out.bandwidth[part] = _bandwidth(magnitude)
        out.peaks[part], out.valleys[part] = _contrast(magnitude)
        if flatness:
            np.maximum(power, _TINY, out=power)
            mean = power.mean(axis=1)
            out.flatness[part] = np.exp(np.log(power, out=power).mean(axis=1)) / mean
    return out


def _mel(power: NDArray[np.float32]) -> Track:
    out = np.empty((len(power), MELS), np.float32)
    for number, (low, high, bank) in enumerate(_mel_banks()):
        out[:, number * _MELS_AT_ONCE : (number + 1) * _MELS_AT_ONCE] = power[:, low:high] @ bank
    return _decibels(out)


def _bandwidth(magnitude: NDArray[np.float32]) -> NDArray[np.float64]:
    moments = magnitude.astype(np.float64) @ _frequency_moments()
    total = np.where(moments[:, 0] > np.finfo(np.float32).tiny, moments[:, 0], np.inf)
    centroid = moments[:, 1] / total
    return np.sqrt(np.maximum(moments[:, 2] / total - centroid**2, 0.0))


def _contrast(magnitude: NDArray[np.float32]) -> tuple[Track, Track]:
    peaks, valleys = (np.empty((len(magnitude), OCTAVES + 1), np.float32) for _ in range(2))
    for number, (low, high, take) in enumerate(_octaves()):
        band = magnitude[:, low:high]
        if take == 1:
            peaks[:, number], valleys[:, number] = band.max(axis=1), band.min(axis=1)
            continue
        ordered = np.sort(band, axis=1)  # a third of the time of a partition: sorting short rows is vectorised
        peaks[:, number] = ordered[:, -take:].mean(axis=1)
        valleys[:, number] = ordered[:, :take].mean(axis=1)
    return _decibels(peaks), _decibels(valleys)


def _decibels(power: NDArray[np.float32]) -> Track:
    return 10.0 * np.log10(np.maximum(power, _TINY))


def _floored(decibels: Track) -> Track:
    return np.maximum(decibels, decibels.max() - np.float32(FLOOR_DB))


@functools.cache
def _hann() -> NDArray[np.float64]:
    return np.asarray(librosa.filters.get_window("hann", WINDOW, fftbins=True), np.float64)


@functools.cache
def _mel_banks() -> Sequence[tuple[int, int, NDArray[np.float32]]]:
    """First bin, bin after the last, and the filters in between, some at a time: most of the whole bank is zeros."""
    whole = librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=MELS).T
    found: list[tuple[int, int, NDArray[np.float32]]] = []
    for first in range(0, MELS, _MELS_AT_ONCE):
        some = whole[:, first : first + _MELS_AT_ONCE]
        reached = np.flatnonzero(some.any(axis=1))
        low, high = int(reached[0]), int(reached[-1]) + 1
        found.append((low, high, np.ascontiguousarray(some[low:high])))
    return found


@functools.cache
def _frequency_moments() -> NDArray[np.float64]:
    hz = librosa.fft_frequencies(sr=RATE, n_fft=WINDOW)
    return np.stack([np.ones_like(hz), hz, hz**2], axis=1)


@functools.cache
def _octaves() -> Sequence[tuple[int, int, int]]:
    """First bin, bin after the last, and how many count as peak and as valley: librosa's bands, neighbours shared."""
    hz = librosa.fft_frequencies(sr=RATE, n_fft=WINDOW)
    edges = np.concatenate([[0.0], LOWEST_HZ * 2.0 ** np.arange(OCTAVES + 1)])
    found: list[tuple[int, int, int]] = []
    for number in range(OCTAVES + 1):
        inside = np.flatnonzero((hz >= edges[number]) & (hz <= edges[number + 1]))
        low, high = int(inside[0]), int(inside[-1]) + 1
        low -= number > 0
        high = BINS if number == OCTAVES else high
        take = max(round(QUANTILE * (high - low)), 1)
        found.append((low, high if number == OCTAVES else high - 1, take))
    return found
