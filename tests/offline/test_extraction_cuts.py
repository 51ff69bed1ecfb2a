"""Cuts a producer can use: no lost attack, no click, no offset, equal loudness."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from offline.extraction.choice import choose
from offline.extraction.cuts import PREROLL, cut, fundamental, loudness, matched_gains
from offline.extraction.found import Found, without_doubles
from offline.extraction.wav import wav_bytes
from tests.offline.extraction_sounds import RATE, bass, hat, kick, noise, snare


def _around(sound: np.ndarray, level: float = 1e-4, tail_s: float = 0.4) -> np.ndarray:
    whole = np.concatenate([np.zeros(PREROLL), sound, np.zeros(round(tail_s * RATE))])
    return (whole + noise(len(whole) / RATE, level)[: len(whole)]).astype(np.float32)


def test_the_attack_is_whole_and_the_start_is_quiet():
    found = cut(_around(snare()), "snare")
    assert -88 <= found.offset <= 0  # at most 2 ms before the attack
    assert abs(found.sound[0]) < 1e-3
    peak = np.abs(snare()[:400]).max()
    assert np.abs(found.sound[: 400 - found.offset]).max() > 0.7 * peak


def test_the_tail_ends_where_the_sound_does():
    found = cut(_around(hat(), tail_s=1.0), "hihat")
    assert 0.04 < len(found.sound) / RATE < 0.25
    assert np.abs(found.sound[-5:]).max() < 1e-3


def test_it_ends_before_the_next_onset():
    found = cut(_around(bass()), "bass", next_onset=4000)
    assert len(found.sound) < 4000 + 100


def test_no_offset_and_no_rumble():
    t = np.arange(PREROLL + RATE) / RATE
    found = cut(
        (_around(snare(), tail_s=0.8)[: len(t)] + 0.2 + 0.2 * np.sin(2 * np.pi * 12 * t)).astype(np.float32), "snare"
    )
    assert abs(found.sound.mean()) < 2e-3
    assert np.abs(found.sound[-200:]).max() < 0.05


def test_a_window_of_the_paper_keeps_its_length():
    around = _around(kick())
    assert len(cut(around, "kick", keep_length=True).sound) == pytest.approx(len(around) - PREROLL, abs=90)


def test_samples_of_a_lane_are_equally_loud_and_none_clips():
    sounds = [kick(), 0.1 * kick(70), 0.5 * kick(90)]
    gains = matched_gains(sounds, "kick")
    done = [s * np.float32(10 ** (g / 20)) for s, g in zip(sounds, gains, strict=True)]
    levels = [loudness(s) for s in done]
    assert max(levels) - min(levels) < 0.1
    assert max(np.abs(s).max() for s in done) <= 10 ** (-1 / 20) + 1e-6


def test_loudness_of_a_full_scale_kilohertz():
    tone = np.sin(2 * np.pi * 997 * np.arange(RATE) / RATE).astype(np.float32)
    assert loudness(tone) == pytest.approx(-3.01, abs=0.1)  # BS.1770's reference


def test_the_pitch_of_a_bass_and_of_none():
    assert fundamental(bass(55.0)) == pytest.approx(55.0, rel=0.02)
    assert fundamental(noise(0.5, 0.3)) is None


def test_wav_has_24_bits_and_says_where_it_is_from(tmp_path):
    sound = kick()
    data = wav_bytes(sound, RATE, {"INAM": "pack kick-1", "IART": "Zoë"}, description="from a tram", time_reference=99)
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    back, rate = soundfile.read(path, dtype="float32")
    assert soundfile.info(path).subtype == "PCM_24"
    assert rate == RATE
    assert np.abs(back - np.clip(sound, -1, 1)).max() < 2e-7
    assert b"bext" in data
    assert b"from a tram" in data
    assert "Zoë".encode() in data
    with soundfile.SoundFile(path) as file:
        assert file.title == "pack kick-1"


def _found(start: int, confidence: float, outline: list[float], lane: str = "kick") -> Found:
    unit = np.array(outline, np.float32) / np.linalg.norm(outline)
    return Found(start, 100, lane, lane, confidence, 0, unit)


def test_the_same_sound_twice_is_chosen_once_and_being_different_counts():
    candidates = [
        _found(0, 0.9, [1, 0, 0]),
        _found(9000, 0.89, [1, 0.01, 0]),
        _found(18000, 0.85, [1, 0.4, 0]),
        _found(27000, 0.7, [0, 1, 0]),
    ]
    assert choose(candidates, 2, "onset") == [0, 3]
    assert choose(candidates, 4, "onset") == [0, 3, 2]
    assert choose([], 3, "onset") == []


def test_the_default_method_takes_nothing_it_is_not_sure_of():
    candidates = [_found(0, 0.9, [1, 0]), _found(9000, 0.3, [0, 1])]
    assert choose(candidates, 2, "onset") == [0]
    assert choose(candidates, 2, "threshold") == [0, 1], "its threshold has decided already"


def test_the_most_confident_of_close_ones_stays():
    found = without_doubles([_found(0, 0.5, [1]), _found(50, 0.9, [1]), _found(500, 0.3, [1])], 100)
    assert [one.start for one in found] == [50, 500]
