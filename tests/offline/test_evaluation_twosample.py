"""The two-sample test: it sees what differs, and copying is no way through."""

import numpy as np
import pytest

from offline.evaluation import twosample
from offline.evaluation.baselines import make
from offline.evaluation.twosample import area, judge, paired
from tests.offline.evaluation_bars import held


def test_the_area_is_the_chance_of_a_higher_answer():
    rng = np.random.default_rng(0)
    truth, answer = rng.random(60) < 0.4, rng.integers(0, 8, 60)
    pairs = [(a > b) + (a == b) / 2 for a in answer[truth] for b in answer[~truth]]
    assert area(truth, answer) == pytest.approx(np.mean(pairs))


def test_folds_keep_songs_whole_and_are_of_like_size():
    songs = held().songs
    folds = twosample._folds(songs, np.random.default_rng(1))
    assert all(len(set(folds[songs == song])) == 1 for song in set(songs))
    assert np.ptp(np.bincount(folds)) <= max(np.unique(songs, return_counts=True)[1])


def test_a_drawn_bar_sits_with_its_nearest_song(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        twosample, "_judged", lambda bars, truth, folds, seed, view: seen.update(folds=folds, bars=bars)
    )
    reference = held()
    copied = reference.material.training
    judge(copied, copied[:90], reference.songs, 2, "hits", side=60)
    rows = {bar.tobytes(): set() for bar in seen["bars"]}
    for bar, fold in zip(seen["bars"], seen["folds"], strict=True):
        rows[bar.tobytes()].add(int(fold))
    assert all(len(folds) == 1 for folds in rows.values())


@pytest.mark.parametrize("view", ["hits", "full"])
def test_a_coin_is_seen_at_once_and_a_seed_is_kept(view):
    reference = held()
    coin = make("coin flip", reference.material, 60, 0)
    arguments = (reference.material.training, coin, reference.songs, 1, view)
    first = judge(*arguments, side=60)
    assert first.auc > 0.9
    assert judge(*arguments, side=60) == first


def test_copies_of_training_bars_are_not_told_from_them():
    reference = held()
    copied = make("memoriser", reference.material, 120, 0)
    found = [
        judge(reference.material.training, copied, reference.songs, seed, "hits", side=120).auc for seed in range(2)
    ]
    assert 0.38 < np.mean(found) < 0.62


def test_the_net_leaves_the_stream_of_chance_alone():
    import torch

    reference = held()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    judge(reference.material.training, reference.material.unseen, reference.songs, 1, "hits", side=40)
    assert torch.equal(torch.rand(3), expected)


def test_a_paired_exam_sees_a_lane_that_never_fits():
    reference = held()
    bars = reference.material.unseen[::4]
    other = bars.copy()
    other[:, :, 2] = 0
    assert paired(bars, other, reference.unseen_songs[::4], 0, "hits") > 0.9
