"""Swapping kits while they sound: to the frame, and never a cut voice."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from hitloopd.io.sampler import Sampler
from hitloopd.io.sound_set import KNOWN_MAX, RINGING_MAX, SoundSet
from tests.io.audio_helpers import BASS, KICK, SNARE, bank_of, largest_step, rendered, sine

BLOCK = 128


def sampler(hz: float, seconds: float = 0.5, **slots) -> Sampler:
    return Sampler(bank_of(dict.fromkeys((Lane.KICK, Lane.SNARE, Lane.BASS), sine(hz, seconds)), **slots), BLOCK)


def play(sounds, notes, blocks: int) -> np.ndarray:
    """``notes``: block -> (offset, lane, number) before it is rendered."""
    out = []
    for block in range(blocks):
        for offset, lane, number in notes.get(block, ()):
            sounds.of(number).note_on(offset, lane, 0.9, 40)
        out.append(np.zeros((BLOCK, 2), dtype=np.float32))
        sounds.render(out[-1])
    return np.concatenate(out)


def alone(hz: float, notes, blocks: int) -> np.ndarray:
    return play(SoundSet(sampler(hz), BLOCK), notes, blocks)


def test_a_swap_is_the_sum_of_what_each_kit_plays_alone():
    sounds = SoundSet(sampler(100), BLOCK)
    sounds.offer(7, sampler(150))
    old = {0: [(5, KICK, 1)], 20: [(77, SNARE, 1)], 42: [(3, KICK, 1)]}
    new = {40: [(31, KICK, 7)], 60: [(0, SNARE, 7)]}
    both = {block: old.get(block, []) + new.get(block, []) for block in (*old, *new)}
    expected = alone(100, old, 300) + alone(150, new, 300)
    # number 1 is unknown: it plays what plays, so block 42's hit comes from the new kit
    expected += alone(150, {42: [(3, KICK, 0)]}, 300) - alone(100, {42: [(3, KICK, 0)]}, 300)
    np.testing.assert_allclose(play(sounds, both, 300), expected, atol=1e-5)


def test_late_notes_of_the_bar_before_still_get_its_kit():
    sounds = SoundSet(sampler(50), BLOCK)
    sounds.offer(1, sampler(100))
    sounds.offer(2, sampler(150))
    notes = {0: [(0, KICK, 1)], 10: [(0, SNARE, 2)], 11: [(9, SNARE, 1)], 12: [(9, KICK, 2)]}
    out = play(sounds, notes, 300)
    expected = alone(100, {0: notes[0], 11: notes[11]}, 300) + alone(150, {10: notes[10], 12: notes[12]}, 300)
    np.testing.assert_allclose(out, expected, atol=1e-5)
    assert sounds.current is sounds.of(2)


def test_at_once_means_notes_on_their_way_too():
    sounds = SoundSet(sampler(50), BLOCK)
    sounds.offer(1, sampler(100))
    play(sounds, {0: [(0, KICK, 1)]}, 2)
    sounds.offer(2, sampler(150))
    sounds.play(2)
    assert sounds.of(1) is sounds.of(0) is sounds.of(2) is sounds.current
    assert sounds.active == 1, "and what sounds rings out"
    play(sounds, {}, 300)
    assert sounds.active == 0
    assert len(sounds._spent) >= 2
    sounds.clear_spent()
    assert not sounds._spent


def test_back_to_a_kit_that_still_rings():
    first, second = sampler(100), sampler(150)
    sounds = SoundSet(first, BLOCK)
    sounds.offer(1, first)
    sounds.offer(2, second)
    head = play(sounds, {0: [(0, KICK, 1)], 4: [(0, KICK, 2)]}, 10)
    sounds.offer(1, first)
    tail = play(sounds, {2: [(0, SNARE, 1)]}, 290)
    assert sounds.current is first
    old, new = {0: [(0, KICK, 0)], 12: [(0, SNARE, 0)]}, {4: [(0, KICK, 0)]}
    np.testing.assert_allclose(np.concatenate((head, tail)), alone(100, old, 300) + alone(150, new, 300), atol=1e-5)


def test_note_off_reaches_the_bass_of_the_old_kit():
    sounds = SoundSet(sampler(100), BLOCK)
    play(sounds, {0: [(0, BASS, 0)]}, 2)
    sounds.offer(2, sampler(150))
    sounds.play(2)
    sounds.each(lambda one: one.note_off(0, BASS, 40))
    out = play(sounds, {}, 20)
    assert largest_step(out) < 0.02
    assert sounds.active == 0


@pytest.mark.parametrize("at_once", [True, False])
def test_many_swaps_in_a_row_neither_click_nor_pile_up(at_once):
    sounds = SoundSet(sampler(60, 2.0), BLOCK)
    out = []
    for number in range(1, 40):
        sounds.offer(number, sampler(60, 2.0))
        if at_once:
            sounds.play(number)
        out.append(play(sounds, {0: [(11, KICK, number)]}, 3))
        assert len(sounds._known) <= KNOWN_MAX
        assert len(sounds._ringing) <= RINGING_MAX + 6
    assert largest_step(np.concatenate(out)) < 0.06
    assert sum(1 for one in sounds._all() if one.active) <= KNOWN_MAX + RINGING_MAX + 6


def test_more_pitches_keep_settings_and_place():
    sounds = SoundSet(sampler(100), BLOCK)
    sounds.set("set_gain", KICK, -12.0)
    sounds.offer(3, sampler(150))
    sounds.of(3)
    bigger = sampler(150)
    sounds.replace(3, bigger)
    assert sounds.current is bigger
    assert sounds.of(3) is bigger
    assert bigger._gain_db[KICK] == -12.0
    sounds.replace(99, sampler(1))
    assert sounds.current is bigger


def test_rendering_in_one_go_is_rendering_in_blocks():
    sounds = SoundSet(sampler(100), BLOCK)
    sounds.current.note_on(3, KICK, 1.0)
    same = sampler(100)
    same.note_on(3, KICK, 1.0)
    np.testing.assert_array_equal(play(sounds, {}, 4), rendered(same, 4 * BLOCK))
