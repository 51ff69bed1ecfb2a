"""Sounds for the transcription tests: plucked and held tones, kicks, and a line of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from offline.audio import RATE, Wave


def tone(pitch: float, length_s: float, *, harmonics: int = 5, decay_s: float = 0.6) -> Wave:
    """A plucked string: harmonics that fall off, a soft edge at either end."""
    time = np.arange(round(length_s * RATE)) / RATE
    hz = 440.0 * 2 ** ((pitch - 69) / 12)
    sound = sum(np.sin(2 * np.pi * hz * n * time) / n for n in range(1, harmonics + 1)) * np.exp(-time / decay_s)
    edge = np.minimum(np.minimum(time, time[::-1]) / 0.004, 1.0)
    return (0.3 * sound * edge).astype(np.float32)


def kick() -> Wave:
    """A falling sine with a click."""
    time = np.arange(round(0.25 * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(45 + 110 * np.exp(-time / 0.02)) / RATE
    return (0.7 * np.sin(phase) * np.exp(-time / 0.06)).astype(np.float32)


def noise_hit(seed: int) -> Wave:
    """A snare without its drum."""
    time = np.arange(round(0.2 * RATE)) / RATE
    return (0.4 * np.random.default_rng(seed).standard_normal(len(time)) * np.exp(-time / 0.04)).astype(np.float32)


def laid(sounds: Sequence[tuple[float, Wave]], length_s: float) -> Wave:
    """Sounds at their seconds, added up."""
    out = np.zeros(round(length_s * RATE), np.float32)
    for start_s, sound in sounds:
        first = round(start_s * RATE)
        part = sound[: max(len(out) - first, 0)]
        out[first : first + len(part)] += part
    return out
