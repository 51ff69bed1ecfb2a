"""The paper's method: thresholds of references, and which windows pass the gate."""

from __future__ import annotations

import numpy as np

from offline.extraction.distances import template
from offline.extraction.spectral import HOP, spectra
from offline.extraction.window_method import HIGHEST_THRESHOLD, LOWEST_THRESHOLD, gate, own_thresholds
from tests.offline.extraction_sounds import RATE, hat, kick, noise, snare


def test_thresholds_lie_in_the_originals_range_and_are_stricter_where_others_are_near():
    sounds = {"kick": kick(), "snare": snare(), "hihat": hat()}
    alone = own_thresholds([template(sound) for sound in sounds.values()], list(sounds))
    assert np.all((alone >= LOWEST_THRESHOLD) & (alone <= HIGHEST_THRESHOLD))
    rivals = own_thresholds([template(snare(1)), template(snare(2)), template(kick())], ["snare", "hihat", "kick"])
    assert rivals[0] == LOWEST_THRESHOLD, "the same sound in another lane"


def test_a_reference_without_rivals_has_the_middle():
    assert own_thresholds([template(kick())], ["kick"])[0] == (LOWEST_THRESHOLD + HIGHEST_THRESHOLD) / 2


def test_the_gate_keeps_noise_and_silence_out():
    t = np.arange(RATE) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
    sound = np.concatenate([np.zeros(RATE, np.float32), tone, noise(1.0, 0.2)])
    passed = gate(sound, spectra(sound))
    second = RATE // HOP
    assert not passed[: second // 2].any()
    assert passed[second + 10 : 2 * second - 10].all()
    assert not passed[2 * second + 10 :].any()
