"""Sounds of moments, and what those that sound alike say of each other."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from offline.transcription.drums.alike import (
    FEWEST,
    SEEN,
    TOLD,
    UTMOST,
    Alike,
    Moments,
    heard_again,
    likelihood,
    with_told,
)
from offline.transcription.drums.bar_grid import ABOUT, CELLS, CHANNELS, LANES, NONE
from offline.transcription.drums.sounds import LENGTH, STEPS, as_array, with_sounds
from offline.transcription.drums.spectrum import FPS, SIZE
from offline.transcription.heard import DrumHit

MOMENTS = 240


def hit(frame: float, lane: Lane = Lane.SNARE) -> DrumHit:
    return DrumHit(frame / FPS, lane, 0.5, 0.5)


def test_a_sound_is_its_attack_how_it_rose_and_what_is_left():
    seen = np.zeros((40, SIZE), np.float32)
    seen[:, 3] = 0.25  # something else that goes on
    seen[20:22, 5], seen[22:30, 5] = 1.0, 0.5
    (one,) = with_sounds([hit(20.2)], seen)
    assert one == hit(20.2)._replace(sound=one.sound)
    attack, rose, later = as_array([one.sound])[0].reshape(3, SIZE)
    assert attack[[3, 5]].tolist() == [STEPS // 4, STEPS]
    assert rose[[3, 5]].tolist() == [0, STEPS]
    assert later[[3, 5]].tolist() == [STEPS // 4, STEPS // 2]
    assert not np.delete(attack, [3, 5]).any()


def test_sounds_at_the_ends_of_a_stretch_are_heard_as_far_as_it_goes():
    seen = np.full((3, SIZE), 9.0, np.float32)
    heard = with_sounds([hit(0), hit(2), hit(3.4)], seen)
    assert as_array([one.sound for one in heard]).tolist() == [[255] * SIZE + [0] * SIZE + [255] * SIZE] * 3
    assert with_sounds([], seen) == []
    assert as_array([b"", heard[0].sound])[0].tolist() == [0] * LENGTH


@pytest.fixture(scope="module")
def kinds() -> tuple[np.ndarray, np.ndarray]:
    """Which moments are snares and which are bells, and their sounds under much else."""
    draw = np.random.default_rng(3)
    snares = np.arange(MOMENTS) % 3 == 0
    sounds = draw.integers(0, 160, (2, LENGTH))[snares.astype(int)] + draw.integers(0, 60, (MOMENTS, LENGTH))
    return snares, sounds.astype(np.uint8)


def thought(snares: np.ndarray) -> np.ndarray:
    """Half of the snares are taken for snares, and a fifth of the bells."""
    draw = np.random.default_rng(4)
    likely = np.full((len(snares), LANES), 0.1, np.float32)
    likely[:, ABOUT] = np.where(draw.random(len(snares)) < np.where(snares, 0.5, 0.2), 0.7, 0.2)
    return likely


def rightly(odds: np.ndarray, snares: np.ndarray) -> float:
    """Which share of those that are likeliest are snares."""
    return float(snares[np.argsort(-odds, kind="stable")[: snares.sum()]].mean())


def test_what_sounds_like_most_snares_is_one_and_what_does_not_is_none(kinds):
    snares, sounds = kinds
    likely = thought(snares)
    told = Alike(sounds).told(likely)
    assert told.shape == (MOMENTS, LANES)
    assert np.abs(told).max() <= UTMOST
    assert rightly(likely[:, ABOUT], snares) < 0.6
    assert rightly(told[:, ABOUT], snares) > 0.9
    assert (told[:, [lane for lane in range(LANES) if lane != ABOUT]] < -1.0).all()


def test_no_moment_is_told_what_was_thought_of_itself(kinds):
    snares, sounds = kinds
    alike, likely = Alike(sounds), thought(snares)
    other = likely.copy()
    other[7] = 0.95
    before, after = alike.told(likely), alike.told(other)
    assert np.array_equal(before[7], after[7])
    assert not np.array_equal(before[-1], after[-1])


def page(snares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sight with snares that may be at every fourth cell, and which sound they have."""
    rows = -(-4 * len(snares) // CELLS)
    sight, sounding = np.zeros((CHANNELS, rows, CELLS), np.float32), np.full((rows, CELLS), NONE)
    sight[LANES : 2 * LANES].reshape(LANES, -1)[:, : 4 * len(snares) : 4] = 1.0
    sounding.reshape(-1)[: 4 * len(snares) : 4] = np.arange(len(snares))
    return sight, sounding


def test_a_page_is_told_at_its_moments(kinds):
    snares, sounds = kinds
    sight, sounding = page(snares)
    likely = np.zeros((LANES, *sounding.shape), np.float32)
    likely.reshape(LANES, -1)[:, : 4 * MOMENTS : 4] = thought(snares).T
    told = Moments(sight[LANES + ABOUT] > 0, sounding, sounds).told(likely)
    assert told.shape == (TOLD, *sounding.shape)
    assert np.array_equal(told[-1] > 0, sounding != NONE)
    assert not told[:, sounding == NONE].any()
    np.testing.assert_allclose(told[:LANES, sounding != NONE].T, Alike(sounds).told(thought(snares)) / UTMOST)


@pytest.mark.parametrize(("count", "known"), [(FEWEST - 1, True), (MOMENTS, False)])
def test_few_moments_and_those_without_a_sound_are_told_nothing(kinds, count, known):
    snares, sounds = kinds
    sight, sounding = page(snares[:count])
    moments = Moments(sight[LANES + ABOUT] > 0, sounding if known else np.full_like(sounding, NONE), sounds)
    assert not moments.told(np.full((LANES, *sounding.shape), 0.5, np.float32)).any()


def test_what_is_heard_again_is_what_was_heard_with_what_the_sounds_said(kinds):
    snares, sounds = kinds
    sight, sounding = page(snares)
    moments = Moments(sight[LANES + ABOUT] > 0, sounding, sounds)
    seen: list[np.ndarray] = []

    def hear(one: np.ndarray) -> np.ndarray:
        seen.append(one)
        return np.full((LANES, *sounding.shape), 1.0 - len(seen), np.float32)

    odds = heard_again(hear, sight, moments, 2)
    assert (odds == -2.0).all()
    assert [one.shape for one in seen] == [(SEEN, *sounding.shape)] * 3
    assert np.array_equal(seen[0], with_told(sight))
    for number, one in enumerate(seen[1:]):
        likely = likelihood(np.full((LANES, *sounding.shape), -float(number), np.float32), sight)
        assert np.array_equal(one, with_told(sight, moments.told(likely)))
    assert likely[ABOUT].max() == pytest.approx(1 / (1 + np.e))
    assert not likely[:, sounding == NONE].any()
