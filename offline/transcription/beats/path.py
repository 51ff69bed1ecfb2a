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
    """The best path's (frame, index of the period, place); from a state at frame 0 if there is one.

    Only the scores are kept. By which way the best one came is asked again on the way back, for the states of the one
    path: to write it down for all of them took twice as long as the scores themselves.
    """
    count = len(gains)
    grid = _Scores(*(np.full((count, len(PERIODS), PLACES), _NEVER, np.float32) for _ in range(3)))
    prior = (_PRIOR * np.log2(60.0 * FPS / PERIODS / LIKELY_BPM) ** 2).astype(np.float32)
    for low in range(0, count, _BLOCK):
        block = slice(low, min(low + _BLOCK, count))
        here = grid.here[block]
        np.add(_arrived(grid.leaving, np.arange(block.start, block.stop)), gains[block][:, None, :], out=here)
        here -= prior[:, None]
        if start is None:
            early = here[: max(int(PERIODS[-1]) + 1 - low, 0)]
            np.maximum(early, gains[block][: len(early), None, :], out=early)
        elif low == 0:
            here[0, start[0], start[1]] = 0.0
        _turned(here, out=grid.entered[block])
        _retimed(grid.entered[block], out=grid.leaving[block])
    return list(_backwards(grid, gains, prior, begins_at_once=start is not None))[::-1]


class _Scores(NamedTuple):
    """The best scores ``float32 [frames, periods, places]`` of paths with a beat in a frame.

    ``here``: with this period and place. ``entered``: that go on to this place. ``leaving``: and with this period.
    """

    here: _Grid
    entered: _Grid
    leaving: _Grid


def _arrived(leaving: _Grid, frames: NDArray[np.int64]) -> _Grid:
    """The best score with which each period and place is reached in some frames; of no earlier beat, never."""
    best = np.full((len(frames), len(PERIODS), PLACES), _NEVER, np.float32)
    for off in _SLACKS:
        before = frames[:, None] - PERIODS - off
        came = leaving[np.maximum(before, 0), np.arange(len(PERIODS))]
        came -= np.float32(_SLACK_COST * abs(off))
        came[before < 0] = _NEVER
        np.maximum(best, came, out=best)
    return best


_SLACKS: Final = range(-_SLACK, _SLACK + 1)


def _turned(score: _Grid, out: _Grid) -> None:
    """The best score with which each place can follow."""
    for before, after, cost in _TURNS:
        np.maximum(out[:, :, after], score[:, :, before] - np.float32(cost), out=out[:, :, after])


_TURNS: Final = (
    *((place, place + 1, 0.0) for place in (0, 1, 2, 4, 5)),
    (3, 0, 0.0),
    (6, 4, 0.0),
    *((place, 0, _ODD_BAR_COST) for place in (0, 1, 2)),
    *((place, 0, _WALTZ_COST) for place in (4, 5, 6)),
    (3, 4, _WALTZ_COST),
)
"""(place, place of the next beat, cost)."""


def _retimed(score: _Grid, out: _Grid) -> None:
    """The best score with which each period can follow."""
    out[:] = score.max(axis=1, keepdims=True) - np.float32(_JUMP_COST)
    for step, cost in _STEP_COSTS.items():
        to = slice(max(step, 0), len(PERIODS) + min(step, 0))
        of = slice(max(-step, 0), len(PERIODS) + min(-step, 0))
        np.maximum(out[:, to], score[:, of] - cost[to, None], out=out[:, to])


def _step_costs() -> Iterator[tuple[int, NDArray[np.float32]]]:
    """For each step of the period, what it costs to come to each period by it."""
    for step in range(-_STEPS, _STEPS + 1):
        before = PERIODS[np.clip(np.arange(len(PERIODS)) - step, 0, len(PERIODS) - 1)]
        yield step, (_TEMPO_COST * np.abs(np.log(PERIODS / before))).astype(np.float32)


_STEP_COSTS: Final = dict(_step_costs())


def _backwards(grid: _Scores, gains: _Grid, prior: _Grid, *, begins_at_once: bool) -> Iterator[tuple[int, int, int]]:
    """The best path from its end, asking at every beat where it came from."""
    end = max(len(gains) - int(PERIODS[-1]), 0)
    frame, period, at = (int(i) for i in np.unravel_index(grid.here[end:].argmax(), grid.here[end:].shape))
    frame += end
    while True:
        yield frame, period, at
        came, before = _way_here(grid.leaving, frame, period, at)
        if begins_at_once:
            begun = frame == 0
        else:
            begun = frame <= PERIODS[-1] and gains[frame, at] > came + gains[frame, at] - prior[period]
        if begun:
            return
        frame = before
        former = _period_before(grid.entered[frame, :, at], period)
        at = _place_before(grid.here[frame, former], at)
        period = former


def _way_here(leaving: _Grid, frame: int, period: int, place: int) -> tuple[np.float32, int]:
    """The best score of a beat before, and its frame; of equals the latest."""
    ways: list[tuple[np.float32, int]] = [(_NEVER, frame - int(PERIODS[period]) - _SLACKS[0])]
    for off in _SLACKS:
        before = frame - int(PERIODS[period]) - off
        if before >= 0:
            ways.append((leaving[before, period, place] - np.float32(_SLACK_COST * abs(off)), before))
    return max(ways, key=lambda way: way[0])


def _period_before(entered: Track, period: int) -> int:
    """Which period's beat it was that chose this one: a jump where no step is better."""
    jumped = int(entered.argmax())
    ways = [(entered[jumped] - np.float32(_JUMP_COST), jumped)]
    for step, cost in _STEP_COSTS.items():
        if 0 <= period - step < len(PERIODS):
            ways.append((entered[period - step] - cost[period], period - step))
    return max(ways, key=lambda way: way[0])[1]


def _place_before(here: Track, place: int) -> int:
    ways = [(here[before] - np.float32(cost), before) for before, after, cost in _TURNS if after == place]
    return max(ways, key=lambda way: way[0])[1]
