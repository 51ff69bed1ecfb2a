"""How well what was heard fits what is played: onsets, notes, tempo and bar lines; counted by mir_eval.

Conventions: a figure is a ``Tally`` of what was found, what is true and what fits, one to one; F is twice what fits
over what was found and what is true together. Tallies add up: pooled figures are sums, not means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import mir_eval
import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import DRUM_LANES, Lane
from offline.transcription.heard import BassNote, DrumHit, FoundBar
from offline.transcription.judging.truth import Truth

ONSET_S: Final = 0.05
LINE_S: Final = 0.07
TEMPO_SHARE: Final = 0.02
FOLDED: Final = 60
"""The octave into which pitches go where the octave is ignored."""
_SHORTEST_S: Final = 0.01

Times = NDArray[np.float64]


class Tally(NamedTuple):
    """What was found, what is true, and how many of the one fit the other."""

    found: int = 0
    true: int = 0
    fit: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.found + other.found, self.true + other.true, self.fit + other.fit)

    @property
    def precision(self) -> float:
        """The share of what was found that is true; 0 where nothing was found."""
        return self.fit / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of what is true that was found; 0 where nothing is true."""
        return self.fit / self.true if self.true else 0.0

    @property
    def f(self) -> float:
        """F-measure; 1 where there is nothing to be found and nothing was."""
        return 2 * self.fit / (self.found + self.true) if self.found + self.true else 1.0


def pooled(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    total = Tally()
    for tally in tallies:
        total = total.plus(tally)
    return total


def until(times: Iterable[float], end_s: float, slack_s: float) -> Times:
    """Those that are judged, in order: behind the end of the music nobody knows what is true."""
    return np.array(sorted(time for time in times if time <= end_s + slack_s), dtype=np.float64)


def matches(true: Times, found: Times, window_s: float) -> list[tuple[int, int]]:
    """As many pairs (true, found) as can be made within the window, each used once."""
    if not len(true) or not len(found):
        return []
    return [(int(one), int(other)) for one, other in mir_eval.util.match_events(true, found, window_s)]


def onset_tally(true: Iterable[float], found: Iterable[float], end_s: float, window_s: float = ONSET_S) -> Tally:
    """Onsets that lie within the window of a true one."""
    known, heard = until(true, end_s, window_s), until(found, end_s, window_s)
    return Tally(len(heard), len(known), len(matches(known, heard, window_s)))


def drum_tallies(truth: Truth, hits: Sequence[DrumHit]) -> dict[Lane, Tally]:
    """Each lane that is known."""
    return {
        lane: onset_tally(truth.times(lane), (hit.time_s for hit in hits if hit.lane is lane), truth.end_s)
        for lane in truth.lanes
    }


def bass_tallies(truth: Truth, notes: Sequence[BassNote]) -> dict[str, Tally]:
    """``onset``, ``onset + pitch`` (within a quarter tone), ``octave ignored``; nothing where the line is not known."""
    if truth.bass is None:
        return {}
    judged = [note for note in notes if note.start_s <= truth.end_s + ONSET_S]
    return {
        "onset": onset_tally((note.start_s for note in truth.bass), (note.start_s for note in judged), truth.end_s),
        "onset + pitch": _note_tally(truth.bass, judged, folded=False),
        "octave ignored": _note_tally(truth.bass, judged, folded=True),
    }


def _note_tally(true: Sequence[BassNote], found: Sequence[BassNote], *, folded: bool) -> Tally:
    if not true or not found:
        return Tally(len(found), len(true), 0)
    pairs = mir_eval.transcription.match_notes(
        _intervals(true),
        _pitches_hz(true, folded=folded),
        _intervals(found),
        _pitches_hz(found, folded=folded),
        onset_tolerance=ONSET_S,
        offset_ratio=None,
    )
    return Tally(len(found), len(true), len(pairs))


def _intervals(notes: Sequence[BassNote]) -> Times:
    return np.array([(note.start_s, max(note.end_s, note.start_s + _SHORTEST_S)) for note in notes])


def _pitches_hz(notes: Sequence[BassNote], *, folded: bool) -> Times:
    pitches = np.array([note.pitch for note in notes], dtype=np.float64)
    return np.asarray(mir_eval.util.midi_to_hz(FOLDED + pitches % 12 if folded else pitches))


def octaves(truth: Truth, notes: Sequence[BassNote]) -> Counter[int]:
    """How many semitones above the true pitch notes were heard that begin with a true one: 0 is right, 12 an octave."""
    line = truth.bass or ()
    pairs = matches(
        np.array([note.start_s for note in line]), np.array([note.start_s for note in notes], dtype=np.float64), ONSET_S
    )
    return Counter(notes[found].pitch - line[true].pitch for true, found in pairs)


def bar_lines(bars: Sequence[FoundBar]) -> list[float]:
    """Where bars begin, and where they end if no other begins there."""
    starts = sorted(bar.start_s for bar in bars)
    ends = [bar.end_s for bar in bars if not any(abs(bar.end_s - start) < LINE_S for start in starts)]
    return sorted([*starts, *ends])


def line_tally(truth: Truth, bars: Sequence[FoundBar]) -> Tally:
    """Bar lines within 70 ms of a true one; the one with which the music ends is not asked for."""
    last_s = truth.end_s - 2 * LINE_S
    return onset_tally(bar_lines(truth.bars), bar_lines(bars), last_s, LINE_S)


def tempo_found(bars: Sequence[FoundBar]) -> float:
    """The median tempo of the beats of all bars; 0 where there are none."""
    lengths: list[float] = []
    for bar in bars:
        lengths += list(np.diff([*bar.beats_s, bar.end_s]))
    return 60.0 / float(np.median(lengths)) if lengths else 0.0


def tempo_fits(truth: Truth, bpm: float) -> bool:
    """Whether a tempo is within 2 % of the true one; half and double are wrong."""
    return abs(bpm - truth.bpm) <= TEMPO_SHARE * truth.bpm


def early_or_late_ms(true: Sequence[float], found: Sequence[float]) -> float | None:
    """The median of found minus true of those that fit, in milliseconds; none where none does."""
    known, heard = np.sort(np.asarray(true, np.float64)), np.sort(np.asarray(found, np.float64))
    pairs = matches(known, heard, ONSET_S)
    return 1000.0 * float(np.median([heard[other] - known[one] for one, other in pairs])) if pairs else None


def false_hits(truth: Truth, hits: Sequence[DrumHit]) -> dict[Lane, Counter[str]]:
    """What was really there where a lane was wrongly heard: for each lane, by the nearest explanation.

    In this order: ``double`` (a true hit of the lane that another found hit fits), another lane's name (it was hit
    there), ``no lane`` (a tom or percussion), ``bass`` (a note begins), ``nothing``.
    """
    told: dict[Lane, Counter[str]] = {}
    for lane in truth.lanes:
        found = until((hit.time_s for hit in hits if hit.lane is lane), truth.end_s, ONSET_S)
        fit = {other for _, other in matches(until(truth.times(lane), truth.end_s, ONSET_S), found, ONSET_S)}
        wrong = [float(time) for index, time in enumerate(found) if index not in fit]
        told[lane] = Counter(_explanation(truth, lane, time) for time in wrong)
    return told


def _explanation(truth: Truth, lane: Lane, time_s: float) -> str:
    reasons: list[tuple[str, Sequence[float]]] = [
        ("double", truth.times(lane)),
        *((other.value, truth.times(other)) for other in DRUM_LANES if other is not lane),
        ("no lane", truth.others_s),
        ("bass", truth.times(Lane.BASS)),
    ]
    return next((name for name, times in reasons if any(abs(time_s - at) <= ONSET_S for at in times)), "nothing")
