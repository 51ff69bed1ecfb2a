"""The distance that a run is watched by."""

from __future__ import annotations

import numpy as np
import pytest

from offline.training.distance import energy_distance


def grooves(n, seed, jitter=2):
    dice = np.random.default_rng(seed)
    rolls = np.zeros((n, 128, 20), np.float32)
    for roll in rolls:
        for beat in range(4):
            step = beat * 32 + dice.integers(0, jitter) * 8
            roll[step : step + 4, beat % 2] = dice.uniform(0.5, 1)
    return rolls


def test_likeness_orders_noise_collapse_and_the_real_thing():
    real = grooves(100, 1)
    same = energy_distance(grooves(100, 2), real)
    collapsed = energy_distance(np.repeat(grooves(1, 3), 100, axis=0), real)
    noise = energy_distance(np.random.default_rng(4).random((100, 128, 20)).astype(np.float32), real)
    assert abs(same) < 0.05
    assert same < collapsed / 5 < noise / 5


def test_what_is_too_faint_to_be_a_note_is_not_heard():
    real = grooves(20, 1)
    assert energy_distance(np.where(real > 0, real, 0.09).astype(np.float32), real) == pytest.approx(0, abs=1e-9)
