"""The paper's measures, against their definitions spelt out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.measures import (
    cosine_distances,
    density,
    empty_ratio,
    pairs,
    paper_measures,
    quantiles,
    sample,
    unqualified_notes,
)


def some_bars(seed: int, n: int = 4, share: float = 0.3) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (draw.random((n, 128, 20)) < share).astype(np.uint8) * 90


def runs(row) -> list[int]:
    lengths, count = [], 0
    for on in [*row, 0]:
        if on:
            count += 1
        elif count:
            lengths.append(count)
            count = 0
    return lengths


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from((0.02, 0.3, 0.8, 0.97)))
def test_unqualified_notes_are_runs_shorter_than_four_summed_over_rows(seed, share):
    rolls = some_bars(seed, 2, share)
    expected = [sum(length < 4 for row in range(20) for length in runs(roll[:, row] > 0)) for roll in rolls]
    assert unqualified_notes(rolls).tolist() == expected


@pytest.mark.parametrize(("start", "steps", "count"), [(0, 3, 1), (0, 4, 0), (124, 4, 0), (125, 3, 1), (127, 1, 1)])
def test_the_bar_line_ends_a_run(start, steps, count):
    roll = np.zeros((1, 128, 20), dtype=np.float32)
    roll[0, start : start + steps, 7] = 1.0
    assert unqualified_notes(roll).tolist() == [count]


def test_the_empty_ratio_is_the_share_of_steps_in_which_no_row_sounds():
    rolls = np.zeros((3, 128, 20), dtype=np.float32)
    rolls[1, 0:32, 0] = rolls[1, 16:48, 9] = 0.8
    rolls[2, :, 2] = 0.8
    assert empty_ratio(rolls).tolist() == [1.0, 0.625, 0.0]


def test_distances_are_those_of_the_formula_and_silence_is_far_from_all_but_silence():
    rolls = some_bars(3, 3)
    rolls = np.concatenate([rolls, rolls[:1], np.zeros((2, 128, 20), dtype=np.uint8)])
    found = cosine_distances(rolls)
    flat = (rolls > 0).reshape(6, -1).astype(float)
    assert found[0, 1] == pytest.approx(1 - flat[0] @ flat[1] / np.linalg.norm(flat[0]) / np.linalg.norm(flat[1]))
    assert found[0, 3] == pytest.approx(0, abs=1e-12)
    assert found[4, 5] == 0
    assert found[0, 4] == 1
    assert np.array_equal(found, found.T)
    assert len(pairs(found)) == 15


def test_velocity_plays_no_part():
    loud = some_bars(5)
    soft = (loud > 0).astype(np.float32) * 0.2
    assert paper_measures(loud) == paper_measures(soft)


def test_a_collapse_to_one_bar_has_no_distance():
    one = np.repeat(some_bars(1, 1), 120, axis=0)
    assert paper_measures(one)["cosine distance"]["mean"] == pytest.approx(0, abs=1e-9)


def test_a_sample_follows_from_its_seed_and_repeats_nothing():
    assert sample(1000, 100, 3).tolist() == sample(1000, 100, 3).tolist()
    assert sample(1000, 100, 3).tolist() != sample(1000, 100, 4).tolist()
    assert len(set(sample(1000, 100, 3).tolist())) == 100
    assert sample(7, 100, 3).tolist() == list(range(7))


def test_density_counts_onsets_by_lane_and_a_chord_once():
    roll = np.zeros((1, 128, 20), dtype=np.uint8)
    roll[0, 0:4, 0] = roll[0, 32:36, 0] = roll[0, 8:12, 2] = roll[0, 0:8, 4] = roll[0, 0:8, 11] = 80
    assert {lane: int(count[0]) for lane, count in density(roll).items()} == {
        "kick": 2,
        "snare": 0,
        "hihat": 1,
        "cymbal": 0,
        "bass": 1,
    }


def test_nothing_has_no_measures():
    assert paper_measures(np.zeros((0, 128, 20), dtype=np.uint8)) == {}
    assert quantiles(np.array([])) == {}
