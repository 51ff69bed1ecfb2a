"""Bars found in songs whose beats are known."""

from __future__ import annotations

import numpy as np
import pytest

from offline.audio import RATE
from offline.transcription.beat_features import FPS, HOP, REACH_S, beat_features
from offline.transcription.beats import find_bars
from offline.transcription.heard import FoundBar
from tests.offline.beat_songs import drifting, song, steady

PRECISE_S = 0.006


def found(sound: np.ndarray) -> list[FoundBar]:
    return list(find_bars(beat_features(sound), [], [], len(sound) / RATE))


def strays(bars: list[FoundBar], beats_s: np.ndarray) -> np.ndarray:
    """How far each found beat is from a true one."""
    heard = np.array([beat for bar in bars if not bar.reason.startswith("the song") for beat in bar.beats_s])
    return np.abs(heard[:, None] - beats_s).min(axis=1)


def test_features_of_a_stretch_are_those_of_the_whole() -> None:
    sound = song(steady(120, 16), [4] * 4)
    whole = beat_features(sound)
    first, reach = 200, round(REACH_S * FPS)
    part = beat_features(sound[first * HOP :])
    np.testing.assert_allclose(
        part[reach:400], whole[first + reach : first + 400], atol=0.02
    )  # the slow sound has its frames elsewhere


@pytest.mark.parametrize(("bpm", "start_s"), [(120, 0.0), (128, 0.437), (140, 0.2)])
def test_house_is_found_at_its_tempo_and_bar_lines(bpm: float, start_s: float) -> None:
    beats_s = steady(bpm, 64, start_s)
    bars = found(song(beats_s, [4] * 16, floor=True))
    whole = [bar for bar in bars if not bar.reason]
    assert len(whole) >= 12
    for bar in whole:
        assert len(bar.beats_s) == 4
        assert np.abs(beats_s[:-1:4] - bar.start_s).min() < PRECISE_S
        assert bar.end_s - bar.start_s == pytest.approx(240 / bpm, abs=PRECISE_S)


def test_beats_follow_a_drifting_tempo() -> None:
    beats_s = drifting(110, 130, 96, 0.2)
    bars = found(song(beats_s, [4] * 24))
    assert len(bars) >= 23
    assert np.percentile(strays(bars, beats_s), 95) < PRECISE_S


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_has_no_bars(level: float) -> None:
    assert found(np.random.default_rng(1).normal(0, level, 20 * RATE).astype(np.float32)) == []


@pytest.mark.parametrize("length", [0, 1, RATE // 10, RATE])
def test_what_is_too_short_has_no_bars(length: int) -> None:
    assert found(np.ones(length, np.float32)) == []
