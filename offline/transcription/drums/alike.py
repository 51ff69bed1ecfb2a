"""What moments that sound alike say of each other: in a song a drum is the same sound again and again.

What was thought of all moments (this one is a snare, that one hardly) shows which sounds are snares *here*, and that
says of each moment anew whether it is one: what sounds like those that were taken for snares on the backbeat is one
too, and a bell that was now and then taken for one is none. It is a logistic regression, on the sounds of a page, of
what was thought. Each moment is told what the sounds elsewhere on the page say, never what was thought of itself.

Conventions: the moments of a page are its cells with a candidate of the snare, the lane for which bars are heard again.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.transcription.drums.bar_grid import CHANNELS, LANES, Indices, Sight, log_odds
from offline.transcription.drums.sounds import Sounds

TOLD: Final = LANES + 1
"""Channels that are added to a sight: what the sounds say of each lane, and where they were asked."""
SEEN: Final = CHANNELS + TOLD
FEWEST: Final = 40
"""Moments of a page below which their sounds are not asked."""
PIECES: Final = 5
"""Of a page; each is told what the others say."""
DIRECTIONS: Final = 48
"""In which the sounds of a page differ most, and which are looked at."""
SLIGHT: Final = 8.0
"""What differs by so much of a byte, or less, hardly counts."""
HELD_BACK: Final = 0.15
"""How much weights are held back, for each moment."""
STEPS: Final = 40
DECIDED: Final = 2.0
"""Odds count as if they were surer than they are."""
UTMOST: Final = 8.0
"""Odds that sounds tell, as logarithms, at most; in a sight that is 1."""
AGAIN: Final = 2
"""How often a page is heard again in the light of its sounds."""

Floats = NDArray[np.float32]
Hear = Callable[[Sight], Floats]
"""Logarithms of odds, ``[LANES, rows, CELLS]``, for a sight with what the sounds say, ``[SEEN, rows, CELLS]``."""


class Alike:
    """The sounds of the moments of a page, by time.

    Args:
        sounds: ``uint8 [moments, LENGTH]``.
    """

    def __init__(self, sounds: Sounds) -> None:
        apart = sounds.astype(np.float32)
        apart = (apart - apart.mean(axis=0)) / (apart.std(axis=0) + SLIGHT)
        _, directions = np.linalg.eigh(apart.T @ apart)
        looked_at = apart @ directions[:, -DIRECTIONS:]
        count = len(sounds)
        self._seen = np.concatenate([looked_at, np.ones((count, 1), np.float32)], axis=1)
        self._pieces = [slice(*cut) for cut in pairwise(count * piece // PIECES for piece in range(PIECES + 1))]
        self._held_back = np.full((DIRECTIONS + 1, 1), HELD_BACK * count, np.float32)
        self._held_back[-1] = 1e-3 * count
        squares = [self._seen[piece].T @ self._seen[piece] for piece in self._pieces]
        total = np.sum(squares, axis=0) + 4 * np.diag(self._held_back[:, 0])
        # a logistic regression is nowhere more curved than a quarter of that: steps by it never go too far
        self._steps = [4 * np.linalg.inv(total - own) for own in squares]

    def told(self, likely: Floats) -> Floats:
        """What the sounds say, as logarithms of odds.

        Args:
            likely: what was thought of each moment and lane, ``[moments, LANES]``.
        """
        odds = DECIDED * log_odds(likely)
        wanted = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
        told = np.zeros_like(wanted)
        for piece, step in zip(self._pieces, self._steps, strict=True):
            seen, others = np.delete(self._seen, piece, axis=0), np.delete(wanted, piece, axis=0)
            told[piece] = self._seen[piece] @ self._weights(seen, others, step)
        return np.clip(told, -UTMOST, UTMOST)

    def _weights(self, seen: Floats, wanted: Floats, step: Floats) -> Floats:
        weights = np.zeros((seen.shape[1], wanted.shape[1]), np.float32)
        weights[-1] = np.log(wanted.mean(axis=0) / (1.0 - wanted.mean(axis=0)))
        for _ in range(STEPS):
            off = wanted - 1.0 / (1.0 + np.exp(-np.clip(seen @ weights, -20.0, 20.0)))
            weights += step @ (seen.T @ off - self._held_back * weights)
        return weights


class Moments:
    """The moments of a page and their sounds.

    Args:
        there: where there is a candidate of the snare, ``[rows, CELLS]``.
        sounding: which sound each cell has, ``[rows, CELLS]``; negative where it has none.
        sounds: ``uint8 [sounds, LENGTH]``.
    """

    def __init__(self, there: NDArray[np.bool_], sounding: Indices, sounds: Sounds) -> None:
        self._cells = np.flatnonzero(there & (sounding >= 0))
        enough = len(self._cells) >= FEWEST
        self._alike = Alike(sounds[sounding.reshape(-1)[self._cells]]) if enough else None

    def told(self, likely: Floats) -> Sight:
        """What the sounds say, ``[TOLD, rows, CELLS]``, of cells thought so likely, ``[LANES, rows, CELLS]``."""
        out = np.zeros((TOLD, *likely.shape[1:]), np.float32)
        if self._alike is not None:
            cells = out.reshape(TOLD, -1)
            odds = self._alike.told(likely.reshape(LANES, -1)[:, self._cells].T)
            cells[:LANES, self._cells] = odds.T / UTMOST
            cells[LANES, self._cells] = 1.0
        return out


def heard_again(hear: Hear, sight: Sight, moments: Moments, times: int = AGAIN) -> Floats:
    """Logarithms of odds of a page, ``[LANES, rows, CELLS]``: heard once, and again in the light of its sounds."""
    odds = hear(with_told(sight))
    for _ in range(times):
        odds = hear(with_told(sight, moments.told(likelihood(odds, sight))))
    return odds


def with_told(sight: Sight, told: Sight | None = None) -> Sight:
    """A sight with what the sounds say, ``[SEEN, rows, CELLS]``; nothing where they were not asked."""
    return np.concatenate([sight, np.zeros((TOLD, *sight.shape[1:]), np.float32) if told is None else told])


def likelihood(odds: Floats, sight: Sight) -> Floats:
    """Probabilities of what logarithms of odds say; 0 where there is no candidate."""
    return (sight[LANES : 2 * LANES] / (1.0 + np.exp(-odds))).astype(np.float32)
