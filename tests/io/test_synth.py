"""The built-in sounds, listened to with numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hitloopd.io.synth import cache as sound_cache
from hitloopd.io.synth.cache import SoundCache, cache_key
from hitloopd.io.synth.dsp import finished, noise
from hitloopd.io.synth.recipes import RECIPES, Bass
from hitloopd.io.synth.voices import render
from tests.io.audio_helpers import RATE

KITS = ("house", "techno", "hiphop", "dnb", "trap")


@cache
def sound(name: str, rate: int = RATE, pitch: int = 36) -> np.ndarray:
    return render(RECIPES[name], rate, pitch)


def share(x: np.ndarray, low: float, high: float, rate: int = RATE) -> float:
    """Of the energy, how much lies between."""
    power, hz = np.abs(np.fft.rfft(x)) ** 2, np.fft.rfftfreq(len(x), 1 / rate)
    return float(power[(hz >= low) & (hz < high)].sum() / power.sum())


def rms_db(x: np.ndarray, seconds: float = 0.1) -> float:
    piece = x[: round(seconds * RATE)].astype(np.float64)
    return float(10 * np.log10(np.sum(piece**2) / (seconds * RATE)))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_no_sound_can_click(name, rate):
    x = sound(name, rate)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()
    assert abs(x[0]) < 1e-6
    assert abs(x[-1]) < 1e-6
    assert abs(float(x.astype(np.float64).mean())) < 1e-6
    assert np.abs(x).max() == pytest.approx(RECIPES[name].peak, rel=1e-4)
    assert len(x) == round(RECIPES[name].length_s * rate)


@pytest.mark.parametrize("kit", KITS)
def test_every_lane_lives_in_its_part_of_the_spectrum(kit):
    assert share(sound(f"{kit}/kick"), 20, 150) > 0.5
    assert share(sound(f"{kit}/snare"), 150, 16_000) > 0.9
    assert share(sound(f"{kit}/snare"), 1000, 12_000) > 0.2
    assert share(sound(f"{kit}/hihat"), 5000, 24_000) > 0.9
    assert share(sound(f"{kit}/cymbal"), 5000, 24_000) > 0.9
    assert share(sound(f"{kit}/bass"), 30, 400) > 0.7


@pytest.mark.parametrize("kit", KITS)
def test_the_lanes_are_balanced(kit):
    loud = {lane: rms_db(sound(f"{kit}/{lane}")) for lane in ("kick", "snare", "hihat", "cymbal", "bass")}
    assert loud["kick"] == max(loud.values())
    assert loud["kick"] - 11 < loud["snare"] < loud["kick"] - 1
    assert loud["kick"] - 10 < loud["bass"] < loud["kick"]
    assert loud["kick"] - 26 < loud["hihat"] < loud["kick"] - 8


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("pitch", [28, 36, 51, 60])
def test_the_bass_is_in_tune(kit, pitch):
    x = sound(f"{kit}/bass", RATE, pitch)[round(0.15 * RATE) : round(0.7 * RATE)].astype(np.float64)
    spectrum = np.fft.rfft(x, 4 * len(x))
    likeness = np.fft.irfft(np.abs(spectrum) ** 2)
    hz = 440 * 2 ** ((pitch - 69) / 12)
    low, high = int(RATE / (hz * 1.3)), int(RATE / (hz * 0.77))
    found = RATE / (low + int(np.argmax(likeness[low:high])))
    assert 1200 * np.log2(found / hz) == pytest.approx(0, abs=20)


@pytest.mark.parametrize("pitch", [0, 127])
def test_the_ends_of_the_midi_range_can_be_played(pitch):
    assert np.abs(sound("house/bass", RATE, pitch)).max() > 0.1


def test_same_recipe_same_bytes():
    for name in ("dnb/snare", "techno/bass"):
        assert render(RECIPES[name], RATE, 40).tobytes() == render(RECIPES[name], RATE, 40).tobytes()
    assert not np.array_equal(noise(100, 1), noise(100, 2))


def test_silence_stays_silence():
    assert not finished(np.zeros(1000), RATE, 0.5).any()


def test_the_cache_gives_the_same_sound_and_makes_it_once(tmp_path):
    cached = SoundCache(tmp_path / "new")
    first = cached.sound(RECIPES["trap/kick"], RATE)
    again = SoundCache(tmp_path / "new")
    assert np.array_equal(again.sound(RECIPES["trap/kick"], RATE), first)
    assert (cached.made, again.made) == (1, 0)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", None])
def test_a_broken_cache_file_is_made_again(tmp_path, damage):
    SoundCache(tmp_path).sound(RECIPES["trap/kick"], RATE)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    cached = SoundCache(tmp_path)
    assert np.array_equal(cached.sound(RECIPES["trap/kick"], RATE), render(RECIPES["trap/kick"], RATE))
    assert cached.made == 1
    assert SoundCache(tmp_path).sound(RECIPES["trap/kick"], RATE).any()
    assert [p.suffix for p in tmp_path.iterdir()] == [".npz"]


def test_a_cache_folder_that_cannot_be_written_only_costs_time(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert SoundCache(tmp_path / "file" / "cache").sound(RECIPES["trap/kick"], RATE).any()


def test_the_key_follows_everything_the_sound_does(monkeypatch):
    recipe = RECIPES["house/bass"]
    assert isinstance(recipe, Bass)
    keys = {cache_key(recipe, RATE, 36), cache_key(recipe, 44_100, 36), cache_key(recipe, RATE, 37)}
    keys.add(cache_key(RECIPES["techno/bass"], RATE, 36))
    monkeypatch.setattr(sound_cache, "VERSION", "next")
    assert len(keys | {cache_key(recipe, RATE, 36)}) == 5
