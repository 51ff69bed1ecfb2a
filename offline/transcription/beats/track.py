"""The beats of a song with all that is known of each, reaching from the song's start to its end.

Conventions: arrays with one value for each beat; a beat's place in its bar is 0 for the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.transcription.beats.bar_lines import COMMON, BarLines
from offline.transcription.beats.path import Beat
from offline.transcription.beats.sense import Sense
from offline.transcription.beats.times import Times

WALTZ: Final = 3
_NEAR: Final = 2  # frames
WIDTH: Final = 3
"""Frames on either side that belong to a beat."""
_EARLY_S: Final = 0.05  # how far before the song's start a beat may be: it was cut there


@dataclass(frozen=True, slots=True, eq=False)
class BeatTrack:
    """Beats in order.

    Args:
        times: in seconds, ascending.
        places: in the bar.
        waltz: whether the bar is one of 3/4.
        strengths: the probability of a beat there.
        between: the probability of a beat half-way to the next.
        on: all probability that lies at the beat.
        whole: all that lies between it and the next one, its own too.
        sure: how sure the place in the bar is.
    """

    times: Times
    places: NDArray[np.int64]
    waltz: NDArray[np.bool_]
    strengths: Times
    between: Times
    on: Times
    whole: Times
    sure: Times


def beat_track(path: Sequence[Beat], times: Times, sense: Sense, lines: BarLines, until_s: float) -> BeatTrack:
    """The beats of a path, going on in the same tempo to the start of the song and to ``until_s``."""
    places = lines.places
    waltz = np.array([beat.waltz for beat in path])
    frames = np.array([beat.frame for beat in path])
    strengths = _near(sense.beat, frames)
    following = np.append(frames[1:], 2 * frames[-1] - frames[-2])
    halves = (frames + following) // 2
    before, after = _before(times), _after(times, until_s)
    early = (places[0] - np.arange(len(before), 0, -1)) % (WALTZ if waltz[0] else COMMON)
    late = (places[-1] + np.arange(1, len(after) + 1)) % (WALTZ if waltz[-1] else COMMON)
    ends = (len(before), len(after))
    return BeatTrack(
        np.concatenate([before, times, after]),
        np.concatenate([early, places, late]),
        np.pad(waltz, ends, mode="edge"),
        np.pad(strengths, ends, mode="edge"),
        np.pad(_near(sense.beat, halves), ends, mode="edge"),
        np.pad(_between(sense.beat, frames - WIDTH, frames + WIDTH + 1), ends, mode="edge"),
        np.pad(_between(sense.beat, frames - WIDTH, following - WIDTH), ends, mode="edge"),
        np.pad(lines.sure, ends, mode="edge"),
    )


def _near(track: NDArray[np.float32], frames: NDArray[np.int64]) -> Times:
    """The highest probability around each of some frames."""
    windows = np.clip(frames[:, None] + np.arange(-_NEAR, _NEAR + 1), 0, len(track) - 1)
    return track[windows].max(axis=1).astype(np.float64)


def _between(track: NDArray[np.float32], first: NDArray[np.int64], last: NDArray[np.int64]) -> Times:
    sums = np.concatenate([[0.0], np.cumsum(track, dtype=np.float64)])
    return sums[np.clip(last, 0, len(track))] - sums[np.clip(first, 0, len(track))]


def _before(times: Times) -> Times:
    step = times[1] - times[0]
    count = int((times[0] + _EARLY_S) // step)
    return np.maximum(times[0] - step * np.arange(count, 0, -1), 0.0)


def _after(times: Times, until_s: float) -> Times:
    step = times[-1] - times[-2]
    count = max(int((until_s - times[-1]) // step), 0)
    return times[-1] + step * np.arange(1, count + 1)
