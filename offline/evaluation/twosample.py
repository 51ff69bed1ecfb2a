"""Can a small classifier tell drawn bars from real ones? The area under its ROC curve says how well; 0.5 is not at all.

The terms: 600 bars a side; three folds *by song*, so that a song's bars are never on both sides of the exam; a drawn
bar goes into the fold of its nearest song, otherwise a copier would be rewarded (copies of the exam's bars would sit
among what was learnt). Two judges, gradient-boosted trees and a small convolutional net; the higher figure counts. Two
views: *hits* (16 x 5 cells, bass intervals from the bar's first note) and *full* (velocity, timing and length too).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from offline.evaluation import views
from offline.evaluation.knn import nearest
from offline.grid import grid

View = Literal["hits", "full"]
VIEWS: Final[Sequence[View]] = ("hits", "full")
SIDE: Final = 600
FOLDS: Final = 3
_TREES: Final = 60
_EPOCHS: Final = 10
_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """Areas under the curve of the two judges."""

    trees: float
    net: float

    @property
    def auc(self) -> float:
        """The higher one."""
        return max(self.trees, self.net)


def judge(
    real: npt.NDArray[Any],
    generated: npt.NDArray[Any],
    songs: npt.NDArray[Any] | Sequence[str],
    seed: int,
    view: View,
    *,
    side: int = SIDE,
) -> Verdict:
    """How well each judge tells ``generated`` from ``real``. Average over five seeds before you believe it.

    Args:
        real: all training rolls ``[n, 128, 20]`` of whole bars, bytes or floats; nearest songs are sought among them.
        generated: drawn rolls, at least ``side`` of them.
        songs: the song of each real bar.
        seed: of the samples, the folds and the judges.
        view: ``hits`` or ``full``.
        side: bars of each kind.
    """
    rng = np.random.default_rng([seed, 77])
    order = rng.permutation(len(real))  # so that among equally near songs chance decides
    real, song = real[order], np.asarray(songs)[order]
    drawn = generated[rng.permutation(len(generated))[:side]]
    fold_of = _folds(song, rng)
    where, _ = nearest(grid(drawn), grid(real))
    folds = np.concatenate([fold_of[:side], fold_of[where]])
    bars = np.concatenate([views.as_bytes(real[:side]), views.as_bytes(drawn)])
    truth = np.concatenate([np.zeros(min(side, len(real)), dtype=bool), np.ones(len(drawn), dtype=bool)])
    return _judged(bars, truth, folds, seed, view)


def paired(
    real: npt.NDArray[Any],
    changed: npt.NDArray[Any],
    songs: npt.NDArray[Any] | Sequence[str],
    seed: int,
    view: View,
) -> float:
    """The area for bars of which each was made from the real one beside it: both are in the fold of their song."""
    fold_of = _folds(np.asarray(songs), np.random.default_rng([seed, 78]))
    bars = np.concatenate([views.as_bytes(real), views.as_bytes(changed)])
    truth = np.arange(len(bars)) >= len(real)
    return _judged(bars, truth, np.concatenate([fold_of, fold_of]), seed, view).auc


def _judged(
    bars: views.Bytes, truth: npt.NDArray[np.bool_], folds: npt.NDArray[np.int64], seed: int, view: View
) -> Verdict:
    tables, planes = _SEEN[view]
    return Verdict(
        trees=_cross(tables(bars), truth, folds, seed, _boosting),
        net=_cross(planes(bars), truth, folds, seed, _net),
    )


_SEEN: Final[Mapping[View, tuple[Callable[..., Any], Callable[..., Any]]]] = {
    "hits": (views.hits_table, views.hits_planes),
    "full": (views.full_table, views.full_planes),
}
_Judge = Callable[[npt.NDArray[Any], npt.NDArray[np.bool_], npt.NDArray[Any], int], npt.NDArray[Any]]


def _folds(songs: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Fold 0..2 of each bar: songs in random order, long ones first, each to the fold with the fewest bars so far."""
    names, index, counts = np.unique(songs, return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    order = order[np.argsort(-counts[order], kind="stable")]
    size = np.zeros(FOLDS)
    fold = np.zeros(len(names), dtype=np.int64)
    for song in order:
        fold[song] = size.argmin()
        size[fold[song]] += counts[song]
    return fold[index]


def _cross(
    bars: npt.NDArray[Any], truth: npt.NDArray[np.bool_], folds: npt.NDArray[np.int64], seed: int, judge_of: _Judge
) -> float:
    """The mean area over the folds, each weighted by its bars; a fold with one kind only says nothing."""
    areas: list[float] = []
    weights: list[int] = []
    for fold in range(FOLDS):
        exam = folds == fold
        if min(truth[exam].sum(), (~truth[exam]).sum()) == 0 or len(np.unique(truth[~exam])) < 2:
            continue
        answer = judge_of(bars[~exam], truth[~exam], bars[exam], seed * FOLDS + fold)
        areas.append(area(truth[exam], answer))
        weights.append(int(exam.sum()))
    return float(np.average(areas, weights=weights)) if areas else 1.0


def area(truth: npt.NDArray[np.bool_], answer: npt.NDArray[Any]) -> float:
    """Area under the ROC curve: the chance that a drawn bar gets the higher answer; equal answers count half."""
    _, rank, counts = np.unique(answer, return_inverse=True, return_counts=True)
    middle = counts.cumsum() - (counts - 1) / 2
    drawn = int(truth.sum())
    return float((middle[rank][truth].sum() - drawn * (drawn + 1) / 2) / (drawn * (len(truth) - drawn)))


def _boosting(
    bars: npt.NDArray[Any], truth: npt.NDArray[np.bool_], exam: npt.NDArray[Any], seed: int
) -> npt.NDArray[Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - slow to import

    make: Any = HistGradientBoostingClassifier
    model = make(
        max_iter=_TREES, learning_rate=0.1, max_leaf_nodes=15, max_bins=64, early_stopping=False, random_state=seed
    )
    return model.fit(bars, truth).decision_function(exam)


def _net(bars: npt.NDArray[Any], truth: npt.NDArray[np.bool_], exam: npt.NDArray[Any], seed: int) -> npt.NDArray[Any]:
    import torch  # noqa: PLC0415 - slow to import

    from offline.evaluation.judge_net import JudgeNet  # noqa: PLC0415

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = JudgeNet(bars.shape[1], bars.shape[2])
        net.learn(torch.from_numpy(bars), torch.from_numpy(truth.astype(np.float32)), epochs=_EPOCHS, batch=_BATCH)
        return net.answer(torch.from_numpy(exam))
