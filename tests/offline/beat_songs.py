"""Short songs with known beats for the tests of the bars: synthetic drums and bass on beats as uneven as one likes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.offline.extraction_sounds import RATE, bass, cymbal, hat, kick, snare

BASS_HZ = (55.0, 55.0, 65.4, 49.0)
"""One for each bar, over and over: the bass tells where bars begin."""


def steady(bpm: float, beats: int, start_s: float = 0.0) -> np.ndarray:
    return start_s + np.arange(beats + 1) * 60.0 / bpm


def drifting(first_bpm: float, last_bpm: float, beats: int, start_s: float = 0.0) -> np.ndarray:
    steps = 60.0 / np.linspace(first_bpm, last_bpm, beats)
    return start_s + np.concatenate([[0.0], np.cumsum(steps)])


def song(beats_s: np.ndarray, meters: Sequence[int], *, floor: bool = False, tail_s: float = 0.5) -> np.ndarray:
    """Sound with a bar for each of the meters; ``beats_s`` has one more beat than they need.

    ``floor``: a kick on every beat and open hats between, as in house; otherwise kick on 1 and 3, snare on 2 and 4.
    """
    out = np.zeros(round((beats_s[-1] + tail_s) * RATE) + 2 * RATE, np.float32)
    noise = np.random.default_rng(5).normal(0, 0.001, len(out))
    beat = 0
    for number, meter in enumerate(meters):
        for place in range(meter):
            at, step = beats_s[beat], beats_s[beat + 1] - beats_s[beat]
            _beat(out, at, step, place, floor=floor)
            if place == 0:
                _add(out, at, bass(BASS_HZ[number % len(BASS_HZ)]), 0.5)
                if number % 4 == 0:
                    _add(out, at, cymbal(), 0.5)
            beat += 1
    return (out + noise)[: round((beats_s[-1] + tail_s) * RATE)].astype(np.float32)


def _beat(out: np.ndarray, at: float, step: float, place: int, *, floor: bool) -> None:
    if floor or place in {0, 2}:
        _add(out, at, kick(), 0.8)
    if place in {1, 3}:
        _add(out, at, snare(), 0.4 if floor else 0.7)
    if floor:
        _add(out, at + step / 2, hat(fall=20.0), 0.5)
    else:
        _add(out, at, hat(), 0.3)
        _add(out, at + step / 2, hat(), 0.3)
    if place == 3:
        _add(out, at + step / 2, kick(), 0.6)


def _add(out: np.ndarray, at_s: float, sound: np.ndarray, level: float) -> None:
    first = round(at_s * RATE)
    out[first : first + len(sound)] += level * sound[: max(len(out) - first, 0)]
