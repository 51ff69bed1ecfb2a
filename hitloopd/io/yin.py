"""The pitch of a bass sample, where nobody wrote it down: YIN (de Cheveigné and Kawahara 2002) in a few lines of numpy.

What it is for: a user's own WAV as a bass. Packs bring the fundamental with them, estimated offline by pYIN.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.floating[Any]]

LOWEST_HZ: Final = 27.5
HIGHEST_HZ: Final = 1000.0
THRESHOLD: Final = 0.15  # the share of the power that may be aperiodic: the paper's 0.1, and some room for recordings
FRAME_S: Final = 0.1
HOP_S: Final = 0.025
RATE: Final = 8000  # enough for 1 kHz, and six times quicker than 48 kHz
LOUD: Final = 0.25  # of the loudest frame: the attack before it and the tail after it have no steady pitch
AGREE: Final = 0.06  # frames within a semitone of the median have the same pitch
LEAST_SHARE: Final = 0.5
LEAST_FRAMES: Final = 3


def fundamental(x: Sound, rate: int) -> float:
    """The fundamental in Hz, or 0 where the sound has no steady one.

    Args:
        x: mono.
        rate: frames per second.

    Thread: any but the callback's. Real-time: no.
    """
    x, rate = _reduced(x, rate)
    length, hop = round(FRAME_S * rate), round(HOP_S * rate)
    window = length // 2
    if len(x) < length:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(x, length)[::hop]
    power = np.sqrt((frames**2).mean(axis=1))
    frames = frames[power > LOUD * max(float(power.max()), 1e-9)]
    found = np.array([hz for frame in frames if (hz := _of_frame(frame, window, rate))])
    if len(found) < max(min(LEAST_FRAMES, len(frames)), LEAST_SHARE * len(frames), 1):
        return 0.0
    middle = float(np.median(found))
    agreeing = found[np.abs(np.log2(found / middle)) < AGREE]
    return float(np.median(agreeing)) if len(agreeing) >= LEAST_SHARE * len(frames) else 0.0


def _reduced(x: Sound, rate: int) -> tuple[Sound, int]:
    """At most some 8 kHz: means of whole groups of frames, which is low-pass enough below 1 kHz."""
    step = max(rate // RATE, 1)
    whole = len(x) // step * step
    return x[:whole].reshape(-1, step).mean(axis=1), rate // step


def _of_frame(frame: Sound, window: int, rate: int) -> float:
    """YIN's steps 2 to 5 on one frame of twice the window; 0 where no period is good enough."""
    shortest, longest = int(rate / HIGHEST_HZ), min(int(rate / LOWEST_HZ), window)
    size = 1 << (2 * window).bit_length()
    head = np.fft.rfft(frame[:window], size)
    product = np.fft.irfft(head.conj() * np.fft.rfft(frame, size), size)[: longest + 1]
    energy = np.concatenate(([0.0], np.cumsum(frame**2)))
    moved = energy[window : window + longest + 1] - energy[: longest + 1]
    difference = np.maximum(energy[window] + moved - 2.0 * product, 0.0)
    lags = np.arange(longest + 1)
    running = np.cumsum(difference[1:])
    normal = np.ones(longest + 1)
    normal[1:] = difference[1:] * lags[1:] / np.maximum(running, 1e-12)
    under = np.flatnonzero(normal[shortest:longest] < THRESHOLD)
    if not len(under):
        return 0.0
    lag = int(under[0]) + shortest
    while lag + 1 < longest and normal[lag + 1] < normal[lag]:
        lag += 1
    return rate / _vertex(normal, lag)


def _vertex(values: Sound, at: int) -> float:
    """Where the parabola through a minimum and its neighbours is lowest."""
    before, here, after = values[at - 1], values[at], values[at + 1]
    bend = before - 2.0 * here + after
    return at + (0.5 * (before - after) / bend if bend > 0 else 0.0)
