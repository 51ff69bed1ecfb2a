from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from hitloopd.io.sampler import CHOKE_S, RELEASE_S, SPARE, Sampler
from tests.io.audio_helpers import (
    BASS,
    CYMBAL,
    HIHAT,
    KICK,
    RATE,
    SNARE,
    bank_of,
    largest_step,
    ones,
    rendered,
    sine,
)

CENTRE = np.sqrt(0.5)


def test_a_voice_starts_at_its_frame_inside_the_block():
    sampler = Sampler(bank_of({Lane.KICK: ones(300)}), 128)
    rendered(sampler, 128)
    sampler.note_on(37, KICK, 1.0)
    out = rendered(sampler, 512)
    assert np.flatnonzero(out[:, 0]).tolist() == list(range(37, 337))
    assert out[37:337] == pytest.approx(CENTRE)
    assert sampler.active == 0


@pytest.mark.parametrize("block", [1, 17, 64, 128, 500])
def test_the_block_length_does_not_change_the_sound(block):
    whole, cut = (Sampler(bank_of({Lane.KICK: sine(60, 0.1), Lane.HIHAT: sine(9000, 0.03)}), 1000) for _ in range(2))
    for sampler in (whole, cut):
        sampler.note_on(0, KICK, 0.9)
        sampler.note_on(0, HIHAT, 0.5)
    np.testing.assert_allclose(rendered(cut, 2000, block), rendered(whole, 2000, 1000), atol=1e-6)


def test_louder_hits_are_louder_and_follow_the_power_law():
    levels = []
    for velocity in (0.25, 0.5, 1.0):
        sampler = Sampler(bank_of({Lane.KICK: ones(64)}), 64)
        sampler.note_on(0, KICK, velocity)
        levels.append(rendered(sampler, 64, 64).max())
    assert levels == pytest.approx([CENTRE * v**1.5 for v in (0.25, 0.5, 1.0)])


@pytest.mark.parametrize("pan", [-1.0, -0.3, 0.0, 0.5, 1.0])
def test_pan_keeps_the_power(pan):
    sampler = Sampler(bank_of({Lane.KICK: ones(64)}, kick={"pan": pan}), 64)
    sampler.note_on(0, KICK, 1.0)
    left, right = rendered(sampler, 64, 64)[10]
    assert left**2 + right**2 == pytest.approx(1.0, rel=1e-5)
    assert (left > right) == (pan < 0) or pan == 0


def test_the_hats_cut_each_other_off_without_a_click():
    bank = bank_of(
        {Lane.HIHAT: sine(700, 0.02), Lane.CYMBAL: sine(500, 1.0)}, hihat={"choke": "h"}, cymbal={"choke": "h"}
    )
    sampler = Sampler(bank, 128)
    sampler.note_on(0, CYMBAL, 1.0)
    rendered(sampler, 128 * 20)
    sampler.note_on(50, HIHAT, 1.0)
    out = rendered(sampler, 128 * 20)
    after = 50 + round((0.02 + CHOKE_S) * RATE)
    assert np.abs(out[after:]).max() == 0.0
    assert np.abs(out[:50]).max() > 0.2
    assert largest_step(out) < 0.08
    assert sampler.active == 0


def test_hits_of_one_moment_do_not_cut_each_other_off():
    bank = bank_of({Lane.HIHAT: ones(64), Lane.CYMBAL: ones(6000)}, hihat={"choke": "h"}, cymbal={"choke": "h"})
    sampler = Sampler(bank, 128)
    sampler.note_on(5, CYMBAL, 1.0)
    sampler.note_on(5, HIHAT, 1.0)
    assert rendered(sampler, 4000)[3000, 0] == pytest.approx(CENTRE)


def test_note_off_releases_the_bass_of_that_pitch_and_no_drum():
    sampler = Sampler(bank_of({Lane.KICK: sine(60, 0.5), Lane.BASS: sine(80, 0.5)}), 128)
    sampler.note_on(0, KICK, 1.0)
    sampler.note_on(0, BASS, 1.0, 40)
    rendered(sampler, 1280)
    sampler.note_off(3, BASS, 41)
    sampler.note_off(3, KICK, 60)
    rendered(sampler, 1280)
    assert sampler.active == 2
    sampler.note_off(64, BASS, 40)
    out = rendered(sampler, 1280)
    assert sampler.active == 1
    assert largest_step(out) < 0.02
    assert rendered(sampler, 128)[0, 0] != 0.0
    assert RELEASE_S * RATE < 1280


def test_a_bass_line_at_full_speed_never_clicks():
    sampler = Sampler(bank_of({Lane.BASS: sine(60, 0.5)}, bass={"choke": "bass"}), 128)
    blocks = []
    for number in range(200):
        if number % 10 == 0:
            sampler.note_on(number % 128, BASS, 1.0, 36 + number % 16)
        if number % 10 == 8:
            sampler.note_off(number % 128, BASS, 36 + (number - 8) % 16)
        blocks.append(rendered(sampler, 128))
    assert largest_step(np.concatenate(blocks)) < 0.03


def test_the_voice_that_is_least_missed_makes_room_and_fades():
    sampler = Sampler(bank_of({Lane.KICK: sine(50, 2.0, 0.02)}), 128, voices=8)
    outs = []
    for number in range(40):
        sampler.note_on(number, KICK, 1.0)
        outs.append(rendered(sampler, 128))
    assert sampler.active <= 8 + SPARE
    assert sampler.stolen == 40 - 8
    assert largest_step(np.concatenate(outs)) < 0.01


def test_a_flood_in_one_block_neither_fails_nor_grows():
    sampler = Sampler(bank_of({Lane.SNARE: sine(200, 1.0, 0.01)}), 128)
    size = sampler._index.size
    for number in range(5000):
        sampler.note_on(number % 128, SNARE, 0.5)
    rendered(sampler, 128)
    assert sampler.active <= 64 + SPARE
    assert sampler._index.size == size


def test_gain_changes_glide_within_a_block():
    sampler = Sampler(bank_of({Lane.KICK: ones(4000)}), 128)
    sampler.note_on(0, KICK, 1.0)
    before = rendered(sampler, 128)
    sampler.set_gain(KICK, -6.0)
    out = rendered(sampler, 256)
    assert out[-1, 0] == pytest.approx(CENTRE * 10 ** (-6 / 20), rel=1e-4)
    assert largest_step(np.concatenate([before[64:], out])) < 0.005


def test_a_lane_without_a_sound_says_no():
    sampler = Sampler(bank_of({Lane.KICK: ones(64)}), 64)
    assert not sampler.note_on(0, SNARE, 1.0)
    assert not sampler.note_on(0, BASS, 1.0, 40)


def test_a_pitch_that_was_not_made_sounds_in_another_octave():
    bank = bank_of({Lane.BASS: ones(64)})
    assert [bank.nearest_pitch(BASS, p) for p in (36, 51, 52, 24, 63, 0, 127)] == [36, 51, 40, 36, 51, 36, 43]
    sampler = Sampler(bank, 64)
    assert sampler.note_on(0, BASS, 1.0, 60)


def test_mute_silences_tails():
    sampler = Sampler(bank_of({Lane.KICK: ones(9000)}), 128)
    sampler.note_on(0, KICK, 1.0)
    rendered(sampler, 128)
    sampler.set_mute(KICK, on=True)
    assert rendered(sampler, 256)[-1, 0] == 0.0


def test_gain_pan_and_choke_can_be_given_back_to_the_kit():
    sampler = Sampler(bank_of({Lane.KICK: ones(64)}, kick={"gain_db": -3.0, "pan": 0.5, "choke": "k"}), 128)
    before = sampler._lane_gain.copy()
    for change, value in ((sampler.set_gain, 6.0), (sampler.set_pan, -1.0), (sampler.set_choke, "")):
        change(KICK, value)
    assert not np.allclose(sampler._lane_gain, before)
    assert sampler._choke[KICK] == ""
    for change in (sampler.set_gain, sampler.set_pan, sampler.set_choke):
        change(KICK, None)
    np.testing.assert_allclose(sampler._lane_gain, before)
    assert sampler._choke[KICK] == "k"
