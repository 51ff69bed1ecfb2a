"""Figures of a set of bars, and how they add up."""

import json

import numpy as np
import pytest

from offline.evaluation.portrait import added, mean_distances, paper_sums, portrait, song_errors
from offline.evaluation.verdict import paper, row
from offline.measures import cosine_distances
from tests.offline.evaluation_bars import bars, held


def test_mean_distances_are_those_of_all_pairs():
    rolls = bars().rolls[:60].copy()
    rolls[3] = rolls[40] = 0
    table = cosine_distances(rolls)
    np.testing.assert_allclose(mean_distances(rolls), table.sum(axis=1) / (len(rolls) - 1), atol=1e-5)


def test_two_halves_add_up_to_the_whole():
    rolls = bars().rolls[np.random.default_rng(0).permutation(960)]
    whole, halves = added([paper_sums(rolls)]), added([paper_sums(rolls[:480]), paper_sums(rolls[480:])])
    assert halves["bars"] == whole["bars"] == 960
    assert halves["mean"]["empty"] == pytest.approx(whole["mean"]["empty"])
    assert halves["mean"]["distance"] == pytest.approx(whole["mean"]["distance"], abs=0.01)


def test_the_error_of_the_distance_is_what_new_draws_show():
    rolls, rng = bars().rolls, np.random.default_rng(0)
    draws = [paper_sums(rolls[rng.integers(len(rolls), size=200)]) for _ in range(60)]
    shown = np.std([part["mean"]["distance"] for part in draws])
    assert added(draws[:1])["error"]["distance"] == pytest.approx(shown, rel=0.4)


def test_songs_vary_more_than_bars():
    rolls = bars().rolls
    assert song_errors(rolls, bars().song)["distance"] > added([paper_sums(rolls)])["error"]["distance"]


def test_a_distance_within_five_percent_or_two_errors_is_close():
    data = added([paper_sums(bars().rolls)])
    same = paper(data, [paper_sums(bars().rolls)])
    assert all(same[name]["close"] for name in ("empty", "unqualified", "distance"))
    silent = paper(data, [paper_sums(np.zeros((200, 128, 20), dtype=np.uint8))])
    assert not silent["empty"]["close"]
    assert silent["empty"]["value"] == 1.0


def test_a_portrait_is_plain_numbers_and_knows_a_copier():
    reference = held()
    found = portrait(reference.material.training[:80], reference, 0, two_sample=False)
    found.pop("heat")
    assert json.loads(json.dumps(found)) == found
    assert found["copies"] == {"exact": 1.0, "near": 1.0}
    assert found["grid"]["precision"] > 0.5
    table = row([found, found])
    assert table["exact copies"] == [1.0, 0.0]
    assert "AUC hits" not in table
