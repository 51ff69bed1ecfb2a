"""The few formulas that all built-in sounds are made of: oscillators, noise, filters, envelopes, saturation.

Conventions: ``t`` is ``float64 [frames]`` in seconds from the hit; results are ``float64 [frames]``. Filters work on
the spectrum, so they are exact, fast in numpy and need no sample-by-sample loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating[Any]]

TAU: Final = 2.0 * np.pi
HARMONIC_FLOOR: Final = 3e-5  # partials below -90 dB are not worth their sine
SEGMENT: Final = 1024  # frames over which a partial's level moves in a straight line


def seconds(length_s: float, rate: int) -> Signal:
    """The time axis of a sound of ``length_s``."""
    return np.arange(max(round(length_s * rate), 64), dtype=np.float64) / rate


def decay(t: Signal, fall_s: float) -> Signal:
    """An exponential fall to -60 dB after ``fall_s``; zero before time zero."""
    return np.where(t < 0.0, 0.0, np.exp(-6.908 * np.maximum(t, 0.0) / fall_s))


def attack(t: Signal, rise_s: float) -> Signal:
    """A rise from 0 to 1 in ``rise_s`` without a corner at either end; zero before time zero."""
    x = np.clip(t / max(rise_s, 1e-6), 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def swept_sine(t: Signal, start_hz: float, end_hz: float, sweep_s: float, *, phase: float = 0.0) -> Signal:
    """A sine whose pitch falls exponentially from ``start_hz`` to ``end_hz``: every kick's body."""
    turns = end_hz * t + (start_hz - end_hz) * sweep_s * (1.0 - np.exp(-t / sweep_s))
    return np.sin(TAU * turns + phase)


def square(t: Signal, hz: float, rate: int) -> Signal:
    """A square wave whose corners are rounded over one sample each (polynomial band-limited step)."""
    phase = (t * hz) % 1.0
    step = hz / rate
    out = np.where(phase < 0.5, 1.0, -1.0)
    return out + _corner(phase, step) - _corner((phase + 0.5) % 1.0, step)


def _corner(phase: Signal, step: float) -> Signal:
    early, late = phase / step, (phase - 1.0) / step
    return np.where(
        phase < step,
        early + early - early * early - 1.0,
        np.where(phase > 1.0 - step, late * late + late + late + 1.0, 0.0),
    )


def partials(phase_turns: Signal, levels: Signal) -> Signal:
    """A sum of harmonics whose levels move with time: a filtered oscillator without aliasing.

    Args:
        phase_turns: ``[frames]`` of the fundamental, in turns.
        levels: ``[harmonics, points]`` with one point every ``SEGMENT`` frames, the last at or past the end.
    """
    out = np.zeros(len(phase_turns))
    theta = (TAU * (phase_turns % 1.0)).astype(np.float32)
    number = np.arange(1, levels.shape[0] + 1, dtype=np.float32)[:, None]
    for point, begin in enumerate(range(0, len(out), SEGMENT)):
        left, right = levels[:, point], levels[:, point + 1]
        count = int(np.flatnonzero(np.maximum(left, right) > HARMONIC_FLOOR).max(initial=-1)) + 1
        if not count:
            continue
        piece = slice(begin, min(begin + SEGMENT, len(out)))
        sines = np.sin(number[:count] * theta[piece])
        ramp = np.arange(piece.stop - begin) / SEGMENT
        out[piece] = left[:count] @ sines + ramp * ((right - left)[:count] @ sines)
    return out


def lowpass_level(hz: Signal, cutoff_hz: Signal, resonance: float) -> Signal:
    """How much a four-pole low-pass lets through at ``hz``; arguments broadcast. Resonance 0.7 flat .. 8 whistling."""
    w2 = (hz / cutoff_hz) ** 2
    peak = 1.0 / np.sqrt((1.0 - w2) ** 2 + w2 / resonance**2)
    return peak / np.sqrt((1.0 - w2) ** 2 + w2 / 0.5412**2) * 0.7


def filtered(x: Signal, rate: int, *, low_hz: float = 0.0, high_hz: float = 0.0, order: int = 4) -> Signal:
    """``x`` between ``low_hz`` and ``high_hz`` (0: open end), with Butterworth slopes of ``order`` poles.

    The response has the phase of the analogue filter, so nothing rings before the hit.
    """
    size = 1 << (2 * len(x) - 1).bit_length()
    s = 1j * np.fft.rfftfreq(size, 1.0 / rate)
    response = np.ones(len(s), dtype=np.complex128)
    if low_hz > 0.0:
        response *= _butterworth((low_hz / np.where(s == 0, 1e-9, s)).astype(np.complex128), order)
    if high_hz > 0.0:
        response *= _butterworth((s / high_hz).astype(np.complex128), order)
    return np.fft.irfft(np.fft.rfft(x, size) * response, size)[: len(x)]


def _butterworth(s: NDArray[np.complex128], order: int) -> NDArray[np.complex128]:
    out = np.ones(len(s), dtype=np.complex128)
    for k in range(order // 2):
        out /= s * s + 2.0 * np.sin(np.pi * (2 * k + 1) / (2 * order)) * s + 1.0
    return out


def noise(frames: int, seed: int) -> Signal:
    """White noise, the same for the same seed."""
    return np.random.default_rng(seed).uniform(-1.0, 1.0, frames)


def saturate(x: Signal, drive: float) -> Signal:
    """Warmth: 0 leaves it alone, 1 rounds the peaks, 4 and more is distortion. Peaks at 1 stay at 1."""
    return x if drive <= 0.0 else np.tanh(drive * x) / np.tanh(drive)


def worn(x: Signal, rate: int, hold_hz: float, bits: int) -> Signal:
    """What an old sampler makes of it: held at ``hold_hz`` and rounded to ``bits``; 0 leaves it alone."""
    if hold_hz > 0.0:
        step = rate / hold_hz
        held = np.floor(np.floor(np.arange(len(x)) / step) * step).astype(np.int64)
        x = x[held]
    return x if bits <= 0 else np.round(x * 2.0 ** (bits - 1)) / 2.0 ** (bits - 1)


def mixed(parts: Sequence[Signal]) -> Signal:
    """The sum of sounds of one length."""
    return np.sum(np.stack(list(parts)), axis=0)


def finished(x: Signal, rate: int, peak: float, *, fade_in_s: float = 0.0003, fade_out_s: float = 0.01) -> Signal:
    """A sound that begins and ends at zero, has no DC and peaks at ``peak``: it cannot click."""
    frames = len(x)
    rise, fall = max(round(fade_in_s * rate), 8), min(max(round(fade_out_s * rate), 8), frames // 2)
    x = x.astype(np.float64)
    x[:rise] *= attack(np.arange(rise) / rise, 1.0)
    x[frames - fall :] *= attack(np.arange(fall, 0, -1) / fall - 1.0 / fall, 1.0)
    bell = np.hanning(frames)
    x -= bell * (x.sum() / bell.sum())
    top = float(np.abs(x).max())
    return (x * (peak / top) if top > 0.0 else x).astype(np.float32)
