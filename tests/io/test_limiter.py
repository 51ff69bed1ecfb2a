from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitloopd.io.limiter import CEILING, KNEE, Limiter
from tests.io.audio_helpers import RATE, largest_step


def through(x: np.ndarray, block: int = 128) -> np.ndarray:
    limiter, out = Limiter(RATE, block), x.astype(np.float32)
    for at in range(0, len(out), block):
        limiter.process(out[at : at + block])
    return out


def stereo(level: float, hz: float = 100.0, seconds: float = 0.2) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return np.repeat((level * np.sin(2 * np.pi * hz * t))[:, None], 2, axis=1).astype(np.float32)


def test_below_three_db_nothing_changes():
    x = stereo(KNEE * 0.999)
    assert np.array_equal(through(x), x)


@settings(max_examples=60, deadline=None)
@given(levels=st.lists(st.floats(0.0, 40.0), min_size=1, max_size=12), block=st.sampled_from([16, 128, 333]))
def test_nothing_ever_exceeds_the_ceiling(levels, block):
    x = np.concatenate([stereo(level, 300.0, 0.01) for level in levels])
    assert np.abs(through(x, block)).max() <= CEILING + 1e-6


@pytest.mark.parametrize("level", [1.0, 2.0, 8.0])
def test_blocks_join_without_a_click(level):
    x = np.concatenate([stereo(0.3), stereo(level), stereo(0.3)])
    assert largest_step(through(x)) <= largest_step(x) * 1.05


def test_it_lets_go_again():
    out = through(np.concatenate([stereo(4.0), stereo(0.5, seconds=1.5)]))
    assert np.abs(out[-RATE // 10 :]).max() == pytest.approx(0.5, rel=0.01)
