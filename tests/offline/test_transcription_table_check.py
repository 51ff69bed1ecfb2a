"""Tables of onsets that lack sounds are found out; whole ones are not."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from offline.audio import RATE
from offline.transcription.judging.table_check import ENOUGH, complete_lanes, share_told

BPM = 120.0
BEATS = [0.5 * beat for beat in range(1, 16)]


def kick(level: float = 0.5, hz: float = 90.0):
    at = np.arange(RATE // 5) / RATE
    return (level * np.sin(2 * np.pi * hz * at) * np.exp(-12 * at)).astype(np.float32)


def hat(level: float = 0.2):
    draw = np.random.default_rng(2)
    noise = draw.normal(0, level, RATE // 10)
    return (np.diff(noise, prepend=0.0) * np.exp(-40 * np.arange(len(noise)) / RATE)).astype(np.float32)


def played(*sounds):
    out = np.zeros(9 * RATE, np.float32)
    for sound, times in sounds:
        for time in times:
            out[round(time * RATE) : round(time * RATE) + len(sound)] += sound
    return out


def test_a_whole_table_is_whole_whatever_else_plays() -> None:
    offbeats = [beat + 0.25 for beat in BEATS]
    sound = played((kick(), BEATS), (hat(), offbeats))
    assert complete_lanes(sound, {Lane.KICK: BEATS, Lane.HIHAT: offbeats}, BPM) == {Lane.KICK: 1.0, Lane.HIHAT: 1.0}


def test_sounds_that_are_not_in_the_table_are_counted() -> None:
    sound = played((kick(), BEATS))
    assert share_told(sound, Lane.KICK, BEATS[::3], BPM) == pytest.approx(1 / 3)
    assert share_told(sound, Lane.KICK, BEATS[:-1], BPM) > ENOUGH


def test_a_much_softer_sound_is_another() -> None:
    sound = played((kick(), BEATS[::2]), (kick(0.1), BEATS[1::2]))
    assert share_told(sound, Lane.KICK, BEATS[::2], BPM) == 1.0
