"""Nearest neighbours: the definitions, against what they say word by word."""

import numpy as np
import pytest

from offline.evaluation.knn import copies, duplicates, nearest, neighbourhood, squared_distances


def in_words(real, drawn, k):
    """Precision, recall, density, coverage by loops."""

    def apart(a, b):
        return float(((a.astype(float) - b.astype(float)) ** 2).sum())

    def reach(rows, index):
        return sorted(apart(rows[index], row) for other, row in enumerate(rows) if other != index)[k - 1]

    balls = [reach(real, index) for index in range(len(real))]
    theirs = [reach(drawn, index) for index in range(len(drawn))]
    inside = [[apart(r, d) <= ball for d in drawn] for r, ball in zip(real, balls, strict=True)]
    precision = np.mean([any(row[j] for row in inside) for j in range(len(drawn))])
    recall = np.mean([any(apart(r, d) <= ball for d, ball in zip(drawn, theirs, strict=True)) for r in real])
    return precision, recall, np.sum(inside) / k / len(drawn), np.mean([any(row) for row in inside])


@pytest.mark.parametrize("seed", range(4))
def test_the_four_figures_are_what_their_definitions_say(seed):
    rng = np.random.default_rng(seed)
    real, drawn = rng.random((30, 3, 4)) < 0.4, rng.random((25, 3, 4)) < 0.5
    got = neighbourhood(real, drawn, k=3)
    flat = [x.reshape(len(x), -1) for x in (real, drawn)]
    assert (got.precision, got.recall, got.density, got.coverage) == pytest.approx(in_words(*flat, 3))


def test_equal_bars_lie_in_balls_without_size():
    real = np.zeros((10, 6), dtype=bool)
    assert neighbourhood(real, real[:4]).precision == 1.0
    assert neighbourhood(real, ~real[:4]).precision == 0.0


def test_distances_of_bools_count_the_cells_that_differ():
    rng = np.random.default_rng(1)
    left, right = rng.random((5, 16, 5)) < 0.5, rng.random((4, 16, 5)) < 0.5
    expected = [[(a ^ b).sum() for b in right] for a in left]
    np.testing.assert_allclose(squared_distances(left, right), expected, atol=1e-3)


def test_nearest_takes_the_first_of_equals():
    rows = np.array([[0.0], [5.0], [5.0]])
    index, distance = nearest(np.array([[4.0], [0.5]]), rows)
    assert index.tolist() == [1, 0]
    np.testing.assert_allclose(distance, [1.0, 0.25], atol=1e-4)


@pytest.mark.parametrize(("flipped", "exact", "near"), [(0, 1.0, 1.0), (1, 0.0, 1.0), (2, 0.0, 1.0), (3, 0.0, 0.0)])
def test_copies_are_exact_or_within_two_cells(flipped, exact, near):
    training = np.zeros((3, 16, 5), dtype=bool)
    training[1], training[2, ::2] = True, True
    drawn = training[1:2].copy()
    drawn.reshape(-1)[:flipped] ^= True
    got = copies(drawn, training)
    assert (got.exact, got.near) == (exact, near)


def test_duplicates_are_counted_per_hundred():
    grids = np.random.default_rng(0).random((200, 16, 5)) < 0.5
    grids[1] = grids[0]
    grids[150:153] = grids[149]
    assert duplicates(grids) == 2.0  # one in the first hundred, three in the second
