"""The most likely beats: one path through tempo and place in the bar, by Viterbi's algorithm.

Conventions: time is in frames of ``beat_features``; a beat's period is the distance to the beat before it. A state is
(period, place); places 0 to 3 are the beats of a bar of 4/4, places 4 to 6 those of a bar of 3/4. What a beat gains is
how much likelier it is than its neighbourhood, so where nothing is heard no path gains and the tempo stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from offline.transcription.beats.features import FPS

SLOWEST_BPM: Final = 60
FASTEST_BPM: Final = 200
PERIODS: Final = np.arange(60 * FPS // FASTEST_BPM, 60 * FPS // SLOWEST_BPM + 1)
PLACES: Final = 7
DOWNBEATS: Final = (0, 4)
LIKELY_BPM: Final = 140.0

_SLACK: Final = 1  # frames by which a beat may miss the period's grid
_BLOCK: Final = int(PERIODS[0]) - _SLACK  # frames that depend on earlier ones only
_PIECE: Final = 180 * FPS
_AHEAD: Final = 40 * FPS  # frames after a piece that still have a say in it
_FLOOR: Final = 0.02
_NEIGHBOURHOOD: Final = 4 * FPS
_OFF_BEAT: Final = 0.35
"""What is less likely than this share of the beats around it is rather between two beats than one."""
_SLACK_COST: Final = 0.25
_TEMPO_COST: Final = 150.0  # for one e-fold of the period
_STEPS: Final = 3  # frames by which the period may change from beat to beat
_JUMP_COST: Final = 25.0  # to any other tempo
_PRIOR: Final = 0.5  # for an octave off the likely tempo, squared, each beat
_ODD_BAR_COST: Final = 8.5
_WALTZ_COST: Final = 10.0
_NEVER: Final = np.float32(-1e9)

Track = NDArray[np.float32]
_Grid = NDArray[np.float32]
_Choice = NDArray[np.uint8]


class Beat(NamedTuple):
    """A beat on the path: its frame, its place in the bar (0 is the first), and whether the bar is one of 3/4."""

    frame: int
    place: int
    waltz: bool


def beat_path(beat: Track, downbeat: Track, places: _Grid | None = None) -> list[Beat]:
    """The beats of a song.

    Args:
        beat: the probability of a beat in each frame.
        downbeat: of the first beat of a bar; no higher than ``beat``.
        places: what else speaks for each of the four places in the bar, log likelihood ratios ``[frames, 4]``.
    """
    gains = _gains(beat, downbeat)
    if places is not None:
        gains[:, : places.shape[1]] += places
    found: list[Beat] = []
    first, start = 0, None
    while first < len(gains):
        last = first + _PIECE
        final = last + _AHEAD >= len(gains)
        states = _piece(gains[first : len(gains) if final else last + _AHEAD], start)
        kept = states if final else [state for state in states if state[0] < _PIECE]
        skip = 0 if start is None else 1  # where the piece before it ended
        found += [Beat(first + frame, place % 4, place >= 4) for frame, _, place in kept[skip:]]
        if final or not kept:
            break
        frame, period, place = kept[-1]
        first, start = first + frame, (period, place)
    return found


def _gains(beat: Track, downbeat: Track) -> _Grid:
    """What a beat gains in each frame at each place: ``float32 [frames, PLACES]``."""
    beat = beat.astype(np.float32)
    first = np.minimum(downbeat, beat)
    peaks = scipy.ndimage.maximum_filter1d(beat, FPS, mode="nearest")
    clear = scipy.ndimage.uniform_filter1d(peaks, _NEIGHBOURHOOD, mode="nearest")
    usual = scipy.ndimage.uniform_filter1d(beat, _NEIGHBOURHOOD, mode="nearest")
    usual = np.maximum(usual, _OFF_BEAT * clear) + _FLOOR
    on, off = np.log((first + _FLOOR) / usual), np.log((beat - first + _FLOOR) / usual)
    gains = np.repeat(off[:, None], PLACES, axis=1).astype(np.float32)
    gains[:, DOWNBEATS] = on[:, None]
    return gains


def _piece(gains: _Grid, start: tuple[int, int] | None) -> list[tuple[int, int, int]]:
    """The best path's (frame, index of the period, place); from a state at frame 0 if there is one."""
    count = len(gains)
    score = np.full((count, len(PERIODS), PLACES), _NEVER, np.float32)
    leaving = np.full_like(score, _NEVER)  # the best score of a next beat that has this period and place
    slack, tempo, place = (np.zeros(score.shape, np.uint8) for _ in range(3))
    prior = (_PRIOR * np.log2(60.0 * FPS / PERIODS / LIKELY_BPM) ** 2).astype(np.float32)
    for low in range(0, count, _BLOCK):
        block = np.arange(low, min(low + _BLOCK, count))
        best, slack[block] = _arrive(leaving, block)
        score[block] = best + gains[block][:, None, :] - prior[:, None]
        if start is None:
            _begin(score, slack, gains, block)
        elif low == 0:
            score[0, start[0], start[1]], slack[0] = 0.0, _BEGIN
        entered, place[block] = _next_place(score[block])
        leaving[block], tempo[block] = _next_tempo(entered)
    return _trace(score, slack, tempo, place)


_BEGIN: Final = 2 * _SLACK + 1


def _begin(score: _Grid, slack: _Choice, gains: _Grid, block: NDArray[np.int64]) -> None:
    """A path may begin in the first frames, for nothing."""
    early = block[block <= PERIODS[-1]]
    if not len(early):
        return
    fresh = np.broadcast_to(gains[early][:, None, :], score[early].shape)
    better = fresh > score[early]
    score[early] = np.where(better, fresh, score[early])
    slack[early] = np.where(better, _BEGIN, slack[early])


def _arrive(leaving: _Grid, block: NDArray[np.int64]) -> tuple[_Grid, _Choice]:
    best = np.full((len(block), len(PERIODS), PLACES), _NEVER, np.float32)
    choice = np.zeros(best.shape, np.uint8)
    columns = np.arange(len(PERIODS))
    for number, off in enumerate(range(-_SLACK, _SLACK + 1)):
        before = block[:, None] - PERIODS - off
        came = leaving[np.maximum(before, 0), columns] - np.float32(_SLACK_COST * abs(off))
        came[before < 0] = _NEVER
        better = came > best
        np.copyto(best, came, where=better)
        choice[better] = number
    return best, choice


def _next_place(score: _Grid) -> tuple[_Grid, _Choice]:
    """The best score with which each place can follow, and after which place."""
    best, choice = np.full_like(score, _NEVER), np.zeros(score.shape, np.uint8)
    for before, after, cost in _TURNS:
        came = score[:, :, before] - np.float32(cost)
        better = came > best[:, :, after]
        np.copyto(best[:, :, after], came, where=better)
        choice[:, :, after][better] = before
    return best, choice


_TURNS: Final = (
    *((place, place + 1, 0.0) for place in (0, 1, 2, 4, 5)),
    (3, 0, 0.0),
    (6, 4, 0.0),
    *((place, 0, _ODD_BAR_COST) for place in (0, 1, 2)),
    *((place, 0, _WALTZ_COST) for place in (4, 5, 6)),
    (3, 4, _WALTZ_COST),
)
"""(place, place of the next beat, cost)."""


def _next_tempo(score: _Grid) -> tuple[_Grid, _Choice]:
    """The best score with which each period can follow, and after which period."""
    any_tempo = score.argmax(axis=1)
    best = np.take_along_axis(score, any_tempo[:, None], axis=1) - np.float32(_JUMP_COST)
    best = np.repeat(best, len(PERIODS), axis=1)
    choice = np.repeat(any_tempo[:, None].astype(np.uint8), len(PERIODS), axis=1)
    for step in range(-_STEPS, _STEPS + 1):
        to = slice(max(step, 0), len(PERIODS) + min(step, 0))
        of = slice(max(-step, 0), len(PERIODS) + min(-step, 0))
        cost = _TEMPO_COST * np.abs(np.log(PERIODS[to] / PERIODS[of]))
        came = score[:, of] - cost.astype(np.float32)[:, None]
        better = came > best[:, to]
        np.copyto(best[:, to], came, where=better)
        np.copyto(choice[:, to], np.arange(len(PERIODS), dtype=np.uint8)[of, None], where=better)
    return best, choice


def _trace(score: _Grid, slack: _Choice, tempo: _Choice, place: _Choice) -> list[tuple[int, int, int]]:
    return list(_backwards(score, slack, tempo, place))[::-1]


def _backwards(score: _Grid, slack: _Choice, tempo: _Choice, place: _Choice) -> Iterator[tuple[int, int, int]]:
    end = max(len(score) - int(PERIODS[-1]), 0)
    frame, period, at = (int(i) for i in np.unravel_index(score[end:].argmax(), score[end:].shape))
    frame += end
    while True:
        yield frame, period, at
        if slack[frame, period, at] == _BEGIN:
            return
        frame -= int(PERIODS[period]) + int(slack[frame, period, at]) - _SLACK
        before = int(tempo[frame, period, at])
        period, at = before, int(place[frame, before, at])
