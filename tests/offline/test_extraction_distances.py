"""The shared spectrum finds what librosa finds when it computes every window anew."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from offline.extraction.distances import Grid, between, template
from offline.extraction.spectral import HOP, spectra
from tests.offline.extraction_sounds import RATE, hat, kick, noise, recording, snare


def _anew(window: np.ndarray) -> list[np.ndarray]:
    return [
        librosa.power_to_db(librosa.feature.melspectrogram(y=window, sr=RATE, center=False)),
        librosa.feature.spectral_contrast(y=window, sr=RATE, center=False),
        librosa.feature.spectral_bandwidth(y=window, sr=RATE, center=False),
    ]


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(float).ravel(), b.astype(float).ravel()
    return 1 - a @ b / np.sqrt((a @ a) * (b @ b))


def _sound(kind: str) -> np.ndarray:
    sound = recording({0.3: kick(), 0.9: snare(), 1.3: hat()}, 2.0)
    if kind == "deep":  # low-passed as by a lossy codec: windows are deeper than the 80 dB of the floor
        spectrum = np.fft.rfft(sound)
        spectrum[len(spectrum) // 3 :] = 0
        sound = np.fft.irfft(spectrum, len(sound)).astype(np.float32)
    if kind == "silent edges":
        sound[: RATE // 2] = 0
    return sound


@pytest.mark.parametrize("kind", ["plain", "deep", "silent edges"])
@pytest.mark.parametrize("reference", [kick(), snare(), hat()[:1500]], ids=["kick", "snare", "shorter than a frame"])
def test_distances_agree_with_librosa_window_by_window(kind, reference):
    sound, one = _sound(kind), template(reference)
    found = Grid(spectra(sound)).distances([one])[0]
    own = _anew(np.pad(reference, (0, max(2048 - len(reference), 0))))
    for window in range(0, len(found), max(len(found) // 6, 1)):
        start = window * one.stride * HOP
        features = _anew(sound[start : start + one.length])
        if not np.any(sound[start : start + one.length]):
            continue  # librosa's features of nothing have no direction
        wanted = [_cosine(a, b) for a, b in zip(features, own, strict=True)]
        assert found[window] == pytest.approx(wanted, abs=1e-6)


def test_references_of_one_length_are_compared_together_with_the_same_result():
    grid = Grid(spectra(_sound("deep")))
    several = [template(kick()), template(kick(70)), template(snare())]
    together = grid.distances(several)
    for one, found in zip(several, together, strict=True):
        assert np.allclose(grid.distances([one])[0], found, atol=5e-7)


def test_one_pair_is_what_the_grid_says_of_that_window():
    sound, one = _sound("plain"), template(kick())
    found = Grid(spectra(sound)).distances([one])[0]
    start = 3 * one.stride * HOP
    assert list(between(sound[start:], one).values()) == pytest.approx(list(found[3]), abs=1e-6)


def test_a_sound_is_at_distance_nothing_from_itself():
    assert sum(between(kick(), template(kick())).values()) < 1e-6


def test_a_recording_shorter_than_a_reference_has_no_windows():
    assert len(Grid(spectra(noise(0.1))).distances([template(kick())])[0]) == 0
