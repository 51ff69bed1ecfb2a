"""How well the lanes of lessons are heard, and the rules by which they are heard best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.transcription.drums.peaks import Activations, Peaks, Rule, find_peaks, heard
from offline.transcription.drums.spectrum import FPS
from offline.transcription.judging.scores import ONSET_S, Tally, onset_tally, pooled

FLOORS: Final = (0.06, 0.12, 0.2, 0.3, 0.36, 0.42, 0.48, 0.55, 0.62, 0.7)
SHARES: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
MOSTS: Final = (0.5, 0.7, 0.9)

Times = NDArray[np.float64]


def best_rule(activations: Sequence[Activations], truths: Sequence[Times]) -> tuple[Rule, Tally]:
    """The rule with the best F, and what is heard with it over all pieces.

    Args:
        activations: one lane's, of every piece.
        truths: its hits, of every piece.
    """
    peaks = [find_peaks(activation, FLOORS[0]) for activation in activations]
    answers = [_nearest(found, true) for found, true in zip(peaks, truths, strict=True)]
    true = [len(truth) for truth in truths]
    tried = [
        (_roughly(rule, peaks, answers, true), rule)
        for rule in (Rule(*each) for each in product(FLOORS, SHARES, MOSTS))
    ]
    best = max(tried)[1]
    return best, tally(best, activations, truths)


def tally(rule: Rule, activations: Sequence[Activations], truths: Sequence[Times]) -> Tally:
    """What is heard by a rule over all pieces."""
    return pooled(
        onset_tally(true, heard(activation, rule).frames / FPS, len(activation) / FPS)
        for activation, true in zip(activations, truths, strict=True)
    )


def _nearest(peaks: Peaks, truths: Times) -> NDArray[np.int64]:
    """Of each peak the true hit that it may answer to; -1 where there is none within 50 ms."""
    if not len(truths):
        return np.full(len(peaks.frames), -1)
    away = np.abs(peaks.frames[:, None] / FPS - truths[None, :])
    return np.where(away.min(axis=1) <= ONSET_S, away.argmin(axis=1), -1)


def _roughly(rule: Rule, peaks: Sequence[Peaks], answers: Sequence[NDArray[np.int64]], true: Sequence[int]) -> float:
    """The mean of two F: of all pieces together, and of the pieces one by one, where an absent lane counts too.

    Each true hit is answered by its nearest peaks: what mir_eval counts but for crowded places, and quicker.
    """
    counts: list[tuple[int, int, int]] = []
    for each, answer, there in zip(peaks, answers, true, strict=True):
        heights = each.heights[each.heights >= rule.floor]
        chosen = answer[each.heights >= rule.least(heights)]
        counts.append((len(chosen), there, len(np.unique(chosen[chosen >= 0]))))
    single = [Tally(*count).f for count in counts]
    return 0.5 * pooled(Tally(*count) for count in counts).f + 0.5 * sum(single) / max(len(single), 1)
