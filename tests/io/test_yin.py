"""The pitch of a user's bass sample, and where the pattern's pitches move it."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.io.kit_sounds import FARTHEST, bass_moves
from hitloopd.io.yin import fundamental


def plucked(hz: float, rate: int, seconds: float = 0.8) -> np.ndarray:
    """Eight falling harmonics, the second one louder than the first, and a click before."""
    t = np.arange(round(seconds * rate)) / rate
    levels = (0.5, 0.8, 0.4, 0.3, 0.2, 0.15, 0.1, 0.1)
    sound = sum(level * np.sin(2 * np.pi * hz * k * t) for k, level in enumerate(levels, 1)) * np.exp(-2 * t)
    sound[: rate // 200] += np.random.default_rng(1).normal(0, 0.5, rate // 200)
    return sound


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("hz", [32.7, 55.0, 98.0, 196.0, 440.0])
def test_the_pitch_is_right_within_ten_cents_at_any_rate(hz, rate):
    found = fundamental(plucked(hz, rate), rate)
    assert abs(1200 * np.log2(found / hz)) < 10


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(48_000),
        np.random.default_rng(2).normal(0, 0.3, 48_000),
        np.sin(np.cumsum(np.linspace(0.005, 0.1, 48_000))),
        np.ones(100),
        np.zeros(0),
    ],
    ids=["silence", "noise", "glide", "too short", "nothing"],
)
def test_what_has_no_steady_pitch_has_none(sound):
    assert fundamental(sound, 48_000) == 0.0


def test_a_sample_is_moved_to_the_patterns_pitch_or_its_nearest_octave():
    assert bass_moves(65.406, [36, 43], 0.0) == pytest.approx({36: 0.0, 43: 7.0}, abs=0.01)
    assert bass_moves(65.406, [36], -2.0) == pytest.approx({36: -2.0}, abs=0.01)
    for hz in (30.0, 500.0, 999.0):
        for pitch, move in bass_moves(hz, range(20, 60), 0.0).items():
            assert abs(move) <= FARTHEST
            landed = 69 + 12 * np.log2(hz / 440) + move
            assert (landed - pitch + 6) % 12 - 6 == pytest.approx(0.0, abs=1e-5)


def test_without_a_pitch_every_note_is_the_sample_as_it_is():
    assert bass_moves(0.0, [36, 40], 3.0) == {36: 3.0, 40: 3.0}
