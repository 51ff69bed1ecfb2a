from __future__ import annotations

import numpy as np
import pytest
import soundfile

from hitloopd.core.errors import ConfigError, DeviceError, UnknownNameError
from hitloopd.core.pattern import LANES, Lane
from hitloopd.io.kit_sounds import bass_pitches, build_bank
from hitloopd.io.kits import LoadedKit, find_kit, list_kits, load_kit, parse_kit
from hitloopd.io.samples import at_rate, read_sample
from hitloopd.io.synth.cache import SoundCache
from tests.io.audio_helpers import KITS, RATE, sine

SHIPPED = ("dnb", "hiphop", "house", "techno", "trap")


def pitch_of(x: np.ndarray, rate: int = RATE) -> float:
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 18))
    return float(np.argmax(spectrum) * rate / (1 << 18))


def kit_beside(tmp_path, text: str) -> LoadedKit:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return load_kit(str(path), [])


def test_the_shipped_kits_are_found_by_name():
    assert list_kits([KITS]) == SHIPPED
    assert find_kit("house", [KITS]) == KITS / "house.yaml"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_kit_has_all_lanes_a_hat_choke_group_and_provenance(name):
    kit = load_kit(name, [KITS]).kit
    assert set(kit.slots) == set(LANES)
    assert kit.slots[Lane.HIHAT].choke == kit.slots[Lane.CYMBAL].choke != ""
    assert all(slot.provenance for slot in kit.slots.values())
    assert kit.description


def test_an_unknown_kit_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"there are dnb.*Did you mean 'house'"):
        find_kit("hause", [KITS])


def test_all_mistakes_are_told_at_once_with_their_lines():
    text = """name: bad
slots:
  kick: {sample: "synth:house/kik", gain_db: 40}
  snare:
    sample: a.wav
    paan: 0.5
    pan: left
  hat: {sample: b.wav}
  bass: {gain_db: 0}
colour: red
"""
    with pytest.raises(ConfigError) as caught:
        parse_kit(text, "k.yaml")
    expected = {
        "k.yaml:3: slots.kick.gain_db: expected a number -60 to 12, got 40",
        "k.yaml:7: slots.snare.pan: expected a number -1 to 1, got 'left'",
        "k.yaml:9: slots.bass: expected a mapping with at least 'sample'",
    }
    problems = caught.value.problems
    assert expected <= set(problems)
    assert any(
        p.startswith("k.yaml:3: slots.kick.sample: there is no built-in drum") and "house/kick" in p for p in problems
    )
    assert any(p.startswith("k.yaml:6: slots.snare.paan: unknown key") and "'pan'" in p for p in problems)
    assert any(p.startswith("k.yaml:8: slots.hat: unknown key") and "hihat" in p for p in problems)
    assert any(p.startswith("k.yaml:10: colour: unknown key") for p in problems)
    assert len(problems) == 7


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "name: x", "name: x\nslots: 3", "name: [", "\x00", "name: 3\nslots: {}"]
)
def test_what_is_no_kit_is_a_config_error(text):
    with pytest.raises(ConfigError):
        parse_kit(text, "k.yaml")


def test_a_bass_slot_refuses_a_drum():
    with pytest.raises(ConfigError, match="built-in bass"):
        parse_kit("name: x\nslots: {bass: {sample: 'synth:house/kick'}}", "k.yaml")


@pytest.mark.parametrize(("suffix", "subtype"), [("wav", "PCM_24"), ("flac", "PCM_16"), ("ogg", "VORBIS")])
def test_samples_of_the_user_are_resampled_to_the_bank(tmp_path, suffix, subtype):
    t = np.arange(22_050) / 44_100
    soundfile.write(tmp_path / f"a.{suffix}", np.stack([0.5 * np.sin(2 * np.pi * 441 * t)] * 2, 1), 44_100, subtype)
    kit = kit_beside(tmp_path, f"name: mine\nslots: {{snare: {{sample: a.{suffix}}}}}")
    bank = build_bank(kit.kit, kit.folder, RATE, (), SoundCache(None)).bank
    start, length = int(bank.starts[1, 60]), int(bank.lengths[1, 60])
    sound = bank.data[start : start + length]
    assert length == pytest.approx(RATE / 2, abs=2)
    assert pitch_of(sound) == pytest.approx(441, abs=1)
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.02)
    assert bank.data[start - 1] == bank.data[start + length] == 0


@pytest.mark.parametrize("semitones", [-24, -5, 0, 7, 24])
def test_tuning_moves_pitch_and_length(semitones):
    out = at_rate(sine(440, 0.5), RATE, RATE, semitones)
    ratio = 2 ** (semitones / 12)
    assert pitch_of(out) == pytest.approx(440 * ratio, rel=0.003)
    assert len(out) == pytest.approx(0.5 * RATE / ratio, abs=1)


def test_a_bass_sample_is_played_at_every_pitch(tmp_path):
    soundfile.write(tmp_path / "b.wav", sine(65.4, 1.0), RATE)
    kit = kit_beside(tmp_path, "name: mine\nslots: {bass: {sample: b.wav}}")
    bank = build_bank(kit.kit, kit.folder, RATE, bass_pitches(36), SoundCache(None)).bank
    for pitch in (36, 43, 51):
        start, length = bank.starts[4, pitch], bank.lengths[4, pitch]
        assert pitch_of(bank.data[start : start + length]) == pytest.approx(65.4 * 2 ** ((pitch - 36) / 12), rel=0.01)


def test_a_missing_sample_silences_its_lane_only_and_is_told(tmp_path):
    kit = kit_beside(tmp_path, "name: mine\nslots: {kick: {sample: gone.wav}, snare: {sample: 'synth:dnb/snare'}}")
    result = build_bank(kit.kit, kit.folder, RATE, (), SoundCache(None))
    assert not result.bank.has(0)
    assert result.bank.has(1)
    assert len(result.problems) == 1
    assert "lane kick" in result.problems[0]
    assert "gone.wav" in result.problems[0]


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVEjunk", b"\xff" * 4000])
def test_a_broken_sample_is_a_device_error_with_its_name(tmp_path, content):
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(DeviceError, match=r"x\.wav"):
        read_sample(tmp_path / "x.wav")


def test_bass_pitches_stay_inside_midi():
    assert list(bass_pitches(36)) == list(range(36, 52))
    assert list(bass_pitches(120)) == list(range(120, 128))
