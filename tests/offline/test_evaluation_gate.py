"""Known failures are what they say, and the gate stops them."""

import numpy as np
import pytest

from offline.evaluation.baselines import NEGATIVES, REFERENCES, make
from offline.evaluation.gate import CHECKS, calibrate, figure, passes
from offline.evaluation.knn import copies
from offline.grid import grid
from tests.offline.evaluation_bars import held

MATERIAL = held().material


@pytest.mark.parametrize("name", [*REFERENCES, *NEGATIVES])
def test_a_seed_gives_the_same_bars_and_another_seed_others(name):
    first, again, other = (make(name, MATERIAL, 40, seed) for seed in (1, 1, 2))
    assert first.shape == (40, 128, 20)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("name", "exact", "near"), [("memoriser", 1.0, 1.0), ("near-memoriser", 0.0, 1.0)])
def test_memorisers_copy_as_much_as_they_say(name, exact, near):
    got = copies(grid(make(name, MATERIAL, 100, 0)), MATERIAL.grids)
    assert got.exact == pytest.approx(exact, abs=0.02)
    assert got.near == near


def test_a_tenth_of_the_mixture_is_copied():
    known = {bar.tobytes() for bar in MATERIAL.training}
    assert sum(bar.tobytes() in known for bar in make("10 % copies", MATERIAL, 200, 0)) == 20


def test_the_collapsed_one_knows_twenty_bars():
    assert len({bar.tobytes() for bar in make("20 bars", MATERIAL, 300, 0)}) <= 20


def test_independent_cells_keep_the_frequencies_and_borrow_the_rest():
    bars = make("independent cells", MATERIAL, 2000, 0)
    assert np.abs(grid(bars).mean(axis=0) - MATERIAL.grids.mean(axis=0)).max() < 0.06
    lent = {(row, *hit) for row, hit in hits_of(bars)}
    assert lent <= {(row, *hit) for row, hit in hits_of(MATERIAL.training)}


def hits_of(bars):
    from offline.evaluation.hits import Hits

    return [(int(row), (int(step), int(velocity))) for _, step, row, _, velocity in Hits.of(bars).rows]


def test_the_chain_makes_only_steps_that_the_data_made():
    codes = (MATERIAL.grids * (1 << np.arange(5))).sum(axis=2)
    drawn = (grid(make("markov", MATERIAL, 200, 0)) * (1 << np.arange(5))).sum(axis=2)
    for cell in range(1, 16):
        made = set(zip(codes[:, cell - 1].tolist(), codes[:, cell].tolist(), strict=True))
        assert set(zip(drawn[:, cell - 1].tolist(), drawn[:, cell].tolist(), strict=True)) <= made


def test_rowmix_takes_every_lane_from_a_real_bar():
    bars = make("rowmix", MATERIAL, 50, 0)
    for rows in (*(slice(lane, lane + 1) for lane in range(4)), slice(4, None)):
        real = {lane.tobytes() for lane in MATERIAL.training[:, :, rows]}
        assert all(lane.tobytes() in real for lane in bars[:, :, rows])


def portrait(**changes):
    """A good one, but for ``changes`` by the check's name."""
    values = {"precision": 0.8, "density": 1.0, "coverage": 0.7, "duplicates": 4.0}
    values |= {"exact copies": 0.03, "near copies": 0.2, "AUC hits": 0.62, "AUC full": 0.66} | changes
    out = {}
    for check in CHECKS:
        place = out
        for step in check.path[:-1]:
            place = place.setdefault(step, {})
        value = values[check.name]
        place[check.path[-1]] = {"trees": value - 0.1, "net": value} if check.path[0] == "auc" else value
    return out


REAL = {"real": [portrait(precision=0.8 + 0.01 * seed) for seed in range(5)], "others": [portrait(precision=0.9)] * 5}


def test_a_threshold_stands_between_the_worst_real_bars_and_the_nearest_failure():
    found = calibrate(REAL, {"noise": [portrait(precision=0.1)] * 5, "near": [portrait(precision=0.6)] * 5})
    threshold = next(t for t in found.thresholds if t.check.name == "precision")
    assert threshold.limit == pytest.approx(0.7)
    assert (threshold.real, set(threshold.caught)) == (0.8, {"noise", "near"})
    assert found.sound
    assert found.passed == {"real": 5, "others": 5, "noise": 0, "near": 0}
    assert found.blind == {"others": 5}
    assert found.failed(portrait(precision=0.69)) == ["precision"]
    assert passes(found, [portrait(), portrait(coverage=0.1)]) == 1


def test_a_failure_that_looks_real_makes_the_calibration_unsound():
    found = calibrate(REAL, {"noise": [portrait(density=0.0)] * 5, "perfect": [portrait()] * 5})
    assert not found.sound
    assert found.passed["perfect"] == 5


def test_of_the_two_judges_the_higher_counts():
    check = next(check for check in CHECKS if check.name == "AUC full")
    assert figure(portrait(), check) == 0.66


def test_real_songs_that_the_first_ones_do_not_stand_for_are_told():
    real = {**REAL, "others": [portrait(coverage=0.3)] * 5}
    found = calibrate(real, {"collapse": [portrait(coverage=0.1)] * 5})
    assert found.blind == {"others": 0}
    assert found.passed == {"real": 5, "others": 5, "collapse": 0}
    assert found.sound
