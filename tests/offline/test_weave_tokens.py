from __future__ import annotations

import numpy as np

from hitloopd.core.energy import measure
from hitloopd.generate import weave_energy
from hitloopd.generate.roll import pattern_from_roll
from offline.dataset.store import Events
from offline.training import weave_tokens as tokens
from offline.training.weave_data import energy_parts, tags_of


def roll(*hits: tuple[int, int, int, int]) -> np.ndarray:
    """One bar of (row, step, steps, velocity)."""
    bar = np.zeros((1, 128, 20), dtype=np.uint8)
    for row, step, steps, velocity in hits:
        bar[0, step : step + steps, row] = velocity
    return bar


BAR = roll((0, 0, 5, 100), (0, 33, 4, 90), (1, 30, 2, 40), (1, 32, 6, 110), (6, 8, 16, 80), (4, 24, 100, 70))


def test_bars_come_back_from_their_tokens():
    assert np.array_equal(tokens.rolls_of(tokens.hits_of(BAR)), BAR)


def test_hits_lie_in_their_nearest_cell_with_place_velocity_and_length():
    hits = tokens.hits_of(BAR)[0]
    assert hits[0, 0, 0].tolist() == [4, 0, 100, 5, tokens.ON_THE_STEP]
    assert hits[4, 0, 0, :4].tolist() == [5, 0, 90, 4]
    assert hits[4, 1, :, :4].tolist() == [[2, 0, 40, 2], [4, 0, 110, 6], [-1, 0, 0, 0]]
    assert hits[1, 4, 0, :4].tolist() == [4, 2, 80, 16]
    assert tokens.chords(tokens.hits_of(BAR))[0, [0, 1, 4]].tolist() == [1, 16, 3]


def test_when_a_hit_was_played_is_kept_to_the_tick():
    events = Events(*(np.array(values) for values in ([0, 0, 0], [0, 0, 1], [-9, 500, 446], [9, 9, 9], [1, 1, 1])))
    hits = tokens.hits_of(BAR, events)[0]
    assert hits[0, 0, 0, tokens.FINE] == 18 - 9
    assert hits[4, 0, 0, tokens.FINE] == 18 + 5
    assert hits[4, 1, 0, tokens.FINE] == 18 - 4
    assert hits[4, 1, 1, tokens.FINE] == 18


def test_a_hit_looks_back_at_its_lane():
    found = tokens.context(tokens.hits_of(BAR))
    assert found.velocity[0, 4, 0, 0].tolist() == [100, 0, 100, 0]
    assert found.length[0, 4, 1, 1].tolist() == [2, 0, 0, 0]
    assert found.pitch[0, 3, 4, 0].tolist() == [3, 0, 0, 0]
    assert found.held[0, 1].tolist() == [1, 0, 0, 0, 0]
    assert found.held[0, 2].tolist() == [0, 0, 0, 0, 12]


def test_energies_are_those_of_the_core():
    rng = np.random.default_rng(4)
    cells = rng.random((30, 16, 20)) < 0.15
    cells[:, :, 5:] = False  # more than three notes of a lane in a cell are not kept
    bars = np.zeros((30, 128, 20), dtype=np.uint8)
    for bar, cell, row in np.argwhere(cells):
        bars[bar, cell * 8 : cell * 8 + rng.integers(4, 8), row] = rng.integers(20, 127)
    own = weave_energy.reached(energy_parts(tokens.hits_of(bars)).sum((1, 2)))
    core = [measure(pattern_from_roll(bar.astype(np.float32) / 127, 36).notes).value for bar in bars]
    assert np.allclose(own, core, atol=1e-5)


def test_tags_are_full_names_where_there_are_enough_bars():
    tags = tags_of(["rock"] * 5 + ["rock/shuffle"] * 9 + ["rock/rare"] + ["blues/x"] + [""] * 3, 8)
    assert tags.of("rock/shuffle") != tags.of("rock") == tags.of("rock/rare") == tags.of("blues/x") == tags.of("blues")
    assert tags.of("") != tags.of("rock")
    assert tags.of("polka") == tags.count == 3
