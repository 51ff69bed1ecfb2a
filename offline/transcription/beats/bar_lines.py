"""Where bars begin: which beat of its bar each beat of a song is, decided over the whole song.

A small model tells of each beat what speaks for each of the four places. As the places follow each other, all beats
of a song vote on one thing, unless a bar is cut short; how sure a bar line is follows from the sum over all the ways
in which the places may go on (forward and backward), not from the bars around it alone.
Conventions: arrays with one value for each beat; a beat's place in its bar is 0 for the first. What speaks for a place
is a logarithm of odds; only its difference from that for other places counts.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitloopd.generate.learned import Session
from offline.transcription.beats.bar_sight import Sight
from offline.transcription.beats.times import Times
from offline.transcription.ear_files import network, read_card, shipped

KIND: Final = "bar-ear"
INPUT: Final = "sight"
OUTPUT: Final = "places"
SHIPPED: Final = shipped(KIND)
"""The network that comes with hitloopd."""
COMMON: Final = 4
"""Beats of a bar of 4/4."""
ODD_BAR: Final = 7.0
"""What a bar of another length than four beats costs."""
VOICES: Final = 64.0
"""Beats that have a whole vote: of more, each has a part of one. What is played repeats itself, so that a song of a
hundred bars knows hardly more of its bar lines than one of sixteen, and what misleads is in all of them."""
SONG: Final = 480
"""Beats of a song, four minutes of it: what is longer is a mix, and each song of it knows of its own bar lines."""

OPENING: Final = 2.0
"""What speaks for a bar line where a song begins with a beat, for programs write songs and loops from a bar line on.
One that is cut anywhere else begins with a beat by chance, one in ten. A guess: in rendered songs it is always so."""
OPENING_S: Final = 0.03
"""How near to the start such a beat is."""
_FIRST_BEATS: Final = 9

Odds = NDArray[np.float64]
Places = NDArray[np.int64]


class BarLines(NamedTuple):
    """Each beat's place in its bar, and how sure it is."""

    places: Places
    sure: NDArray[np.float64]


def place_odds(sight: Sight, folder: Path = SHIPPED) -> Odds:
    """What speaks for each place of each beat: ``[beats, 4]``.

    Raises:
        UnavailableError: the network is not there, is damaged, or can't be run.
    """
    return _session(folder).run([OUTPUT], {INPUT: sight[None]})[0][0].T.astype(np.float64)


@functools.cache
def _session(folder: Path) -> Session:
    card = read_card(folder, KIND, "bar line")
    return network(folder, card)


def opening_place(times: Times) -> int | None:
    """The place of the first of some beats, if the song begins with a bar; none where it does not begin with a beat."""
    step = float(np.median(np.diff(times[:_FIRST_BEATS])))
    before = round(float(times[0]) / step)
    near = abs(float(times[0]) - before * step) <= OPENING_S
    return before % COMMON if near and before <= COMMON else None


def bar_lines(odds: Odds, places: Sequence[int], waltz: Sequence[bool], opening: int | None = None) -> BarLines:
    """The most likely places.

    Args:
        odds: what speaks for each place of each beat.
        places: as the path through the beats has them; those of a bar of 3/4 stay.
        waltz: whether the bar is one of 3/4.
        opening: the place that the first beat has by where the song begins, if that tells it.
    """
    found, sure = np.array(places, np.int64), np.ones(len(places))
    for stretch in _stretches(waltz):
        votes = odds[stretch] * min(1.0, VOICES / min(stretch.stop - stretch.start, SONG))
        if stretch.start == 0 and opening is not None:
            votes[0, opening] += OPENING  # said once, so it counts in full
        found[stretch], sure[stretch] = _best(votes), _sure(votes).max(axis=1)
    return BarLines(found, sure)


def _stretches(waltz: Sequence[bool]) -> Iterator[slice]:
    """The beats of 4/4 that follow each other."""
    for in_three, beats in itertools.groupby(range(len(waltz)), key=lambda beat: waltz[beat]):
        if not in_three:
            held = list(beats)
            yield slice(held[0], held[-1] + 1)


def turn_costs() -> Odds:
    """What is lost or gained where a place (row) is followed by another (column)."""
    costs = np.full((COMMON, COMMON), -ODD_BAR)
    for place in range(COMMON):
        costs[place, (place + 1) % COMMON] = 0.0
    return costs


def _best(odds: Odds) -> Places:
    """Viterbi's path."""
    costs = turn_costs()
    score, came = odds[0], np.zeros(odds.shape, np.int64)
    for beat in range(1, len(odds)):
        every = score[:, None] + costs
        came[beat] = every.argmax(axis=0)
        score = every.max(axis=0) + odds[beat]
    places = [int(score.argmax())]
    for beat in range(len(odds) - 1, 0, -1):
        places.append(int(came[beat, places[-1]]))
    return np.array(places[::-1])


def _sure(odds: Odds) -> Odds:
    """The probability of each place of each beat, all others considered."""
    costs = turn_costs()
    told = _forward(odds, costs) + _forward(odds[::-1], costs.T)[::-1] - odds
    told = np.exp(told - told.max(axis=1, keepdims=True))
    return told / told.sum(axis=1, keepdims=True)


def _forward(odds: Odds, costs: Odds) -> Odds:
    """The logarithm of what all paths up to each beat and place have together."""
    out = np.empty(odds.shape)
    out[0] = odds[0]
    for beat in range(1, len(odds)):
        out[beat] = np.logaddexp.reduce(out[beat - 1][:, None] + costs, axis=0) + odds[beat]
    return out
