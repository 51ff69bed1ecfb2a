"""Onsets are found where sounds begin, and the attack to the millisecond."""

from __future__ import annotations

import numpy as np
import pytest

from offline.extraction.mel import mel_power
from offline.extraction.onsets import find_onsets, refine
from tests.offline.extraction_sounds import RATE, bass, cymbal, hat, kick, noise, recording, snare

PLACES = {0.5: kick(), 1.1: snare(), 1.7: hat(), 2.3: bass(), 3.2: cymbal()}


def _begins(sound: np.ndarray) -> np.ndarray:
    return refine(sound, find_onsets(mel_power(sound)).frames) / RATE


def test_every_planted_sound_is_found_within_two_milliseconds():
    found = _begins(recording(PLACES, 5.0))
    for at in PLACES:
        assert np.abs(found - at).min() < 0.002, at


def test_a_kick_in_rumble_is_found_where_it_starts():
    rumble = np.cumsum(noise(3.0, 0.02)).astype(np.float32)
    rumble -= np.convolve(rumble, np.ones(4000) / 4000, "same").astype(np.float32)
    rumble[round(1.5 * RATE) :][: len(kick())] += 2.0 * kick()
    assert np.abs(_begins(rumble) - 1.5).min() < 0.005


@pytest.mark.parametrize("gain", [0.02, 1.9])
def test_level_changes_nothing(gain):
    found = _begins(recording(PLACES, 5.0) * np.float32(gain))
    for at in PLACES:
        assert np.abs(found - at).min() < 0.002, at


@pytest.mark.parametrize("sound", [np.zeros(RATE, np.float32), np.zeros(10, np.float32)], ids=["silence", "nothing"])
def test_where_nothing_begins_nothing_is_found(sound):
    assert len(_begins(sound)) == 0


def test_no_more_than_so_many_a_second():
    clicks = np.zeros(2 * RATE, np.float32)
    clicks[:: RATE // 25] = 1.0
    assert len(find_onsets(mel_power(clicks + noise(2.0, 1e-3)), per_second=5).frames) <= 10
