"""What the bar network is shown of each beat: what is played on it, what changes there, what comes back.

Conventions: ``float32 [CHANNELS, beats]``; a beat reaches from its moment to the next one. Nothing depends on how loud
a song is, nor on its key.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import DRUM_LANES, Lane
from offline.transcription.beats.features import BANDS, BASS, CHORDS, CHROMA, FPS, Features
from offline.transcription.beats.sense import Sense
from offline.transcription.beats.times import Times
from offline.transcription.heard import BassNote, DrumHit

SIXTEENTHS: Final = 4
EARLY: Final = 0.02
"""Of a beat: how far before it the sound of a beat may begin."""
HARMONY_SPANS: Final = (1, 2, 4)
"""Beats on either side that are compared for a change of harmony."""
SOUND_SPANS: Final = (1, 4, 16)
"""... and for a change of sound."""
PLAYED_SPANS: Final = (4, 8)
"""... and for a change of what is played."""
LAGS: Final = (2, 4, 8, 16)
"""Beats after which what is played may come back."""
NEAR: Final = 8
"""Beats on either side that a change is compared with: it counts by how much it stands out."""
HELD: Final = 4.0
"""Beats: no bass note counts as longer."""
OF_LINE: Final = 3
"""What is told of the bass line, besides its pitch classes."""
_LEVEL_DB: Final = 10.0
_FAINT: Final = 0.01

Sight = NDArray[np.float32]
Rows = NDArray[np.float32]


def bar_sight(
    times: Times,
    sense: Sense,
    features: Features,
    drums: Sequence[DrumHit],
    bass: Sequence[BassNote],
) -> Sight:
    """The sight of a song's beats.

    Args:
        times: of the beats in seconds.
        sense: of the whole song.
        features: of ``beat_features``, likewise.
        drums: what was heard of them.
        bass: of the bass line.
    """
    ends = np.append(times[1:], 2 * times[-1] - times[-2])
    cells = _cells(times, ends, drums, bass)
    line = _line(times, ends, bass)
    pitches = line[:, OF_LINE:]
    sound = _means(features[:, :BANDS], times, ends) / _LEVEL_DB
    bass_chroma, chords = (_means(features[:, columns], times, ends) for columns in (BASS, CHORDS))
    rows = [
        *cells.T,
        *line[:, :OF_LINE].T,
        *_sensed(sense, np.round(times * FPS).astype(np.int64)),
        *(_outstanding(_change(part, span)) for part in (bass_chroma, chords, pitches) for span in HARMONY_SPANS),
        *(_outstanding(_change(sound, span)) for span in SOUND_SPANS),
        *(_outstanding(_change(cells, span)) for span in PLAYED_SPANS),
        *itertools.chain.from_iterable(_repeated(cells, lag) for lag in LAGS),
        *_accents(cells),
        *_beginning(cells),
    ]
    return np.stack(rows).astype(np.float32)


def _cells(times: Times, ends: Times, heard: Sequence[DrumHit], bass: Sequence[BassNote]) -> Rows:
    """How surely each lane is struck on each sixteenth of each beat: ``[beats, lanes * 4]``, the bass last."""
    out = np.zeros((len(times) + 1, len(DRUM_LANES) + 1, SIXTEENTHS), np.float32)
    at = [(hit.time_s, DRUM_LANES.index(hit.lane), hit.confidence) for hit in heard]
    at += [(note.start_s, len(DRUM_LANES), note.confidence) for note in bass]
    for time_s, lane, sure in at:
        beat, part = _place(time_s, times, ends)
        if 0 <= beat < len(times):
            out[beat, lane, part] = max(out[beat, lane, part], sure)
    return out[:-1].reshape(len(times), -1)


def _place(time_s: float, times: Times, ends: Times) -> tuple[int, int]:
    """Beat and sixteenth of a moment; beat -1 before the first beat."""
    beat = int(np.searchsorted(times, time_s, side="right")) - 1
    length = ends[max(beat, 0)] - times[max(beat, 0)]
    part = round(SIXTEENTHS * (time_s - times[max(beat, 0)]) / length)
    if beat < 0:
        return (0, 0) if part == 0 else (-1, 0)
    return beat + part // SIXTEENTHS, part % SIXTEENTHS


def _line(times: Times, ends: Times, bass: Sequence[BassNote]) -> Rows:
    """Whether the bass changes its pitch class, how long a note is held, whether it is the commonest; what sounds."""
    out = np.zeros((len(times), OF_LINE + CHROMA), np.float32)
    middle = float(np.median(ends - times))
    common = int(np.bincount([note.pitch % 12 for note in bass], minlength=12).argmax()) if bass else 0
    before: int | None = None
    for note in bass:
        pitch = note.pitch % 12
        beat, part = _place(note.start_s, times, ends)
        if part == 0 and 0 <= beat < len(times):
            out[beat, 0] = float(before is not None and pitch != before)
            out[beat, 1] = min((note.end_s - note.start_s) / middle, HELD) / HELD
            out[beat, 2] = float(pitch == common)
        before = pitch
        first, last = (int(np.searchsorted(times, at, side="right")) - 1 for at in (note.start_s, note.end_s))
        for index in range(max(first, 0), min(last + 1, len(times))):
            overlap = min(note.end_s, ends[index]) - max(note.start_s, times[index])
            out[index, OF_LINE + pitch] += max(overlap / (ends[index] - times[index]), 0.0)
    return out


def _means(columns: Features, times: Times, ends: Times) -> Rows:
    """The mean of each column over each beat."""
    sums = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(columns, axis=0, dtype=np.float64)])
    early = EARLY * (ends - times)
    first = np.clip(np.round((times - early) * FPS).astype(np.int64), 0, len(columns) - 1)
    last = np.clip(np.round((ends - early) * FPS).astype(np.int64), first + 1, len(columns))
    return ((sums[last] - sums[first]) / (last - first)[:, None]).astype(np.float32)


def _sensed(sense: Sense, frames: NDArray[np.int64]) -> Iterator[Rows]:
    """The odds of a first beat, and by how much they exceed those around; how likely a beat is at all."""
    near = np.clip(frames[:, None] + np.arange(-2, 3), 0, len(sense.beat) - 1)
    beat, first = sense.beat[near].max(axis=1), sense.downbeat[near].max(axis=1)
    odds = np.log((first + _FAINT) / (np.maximum(beat - first, 0.0) + _FAINT))
    yield odds
    yield odds - _around(odds, NEAR)
    yield np.log(beat + _FAINT) - _around(np.log(beat + _FAINT), NEAR)


def _change(rows: Rows, span: int) -> Rows:
    """How unlike the mean over some beats from each on is that over as many before it; 0 at the ends."""
    count = len(rows)
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
    at = np.arange(count)
    low, high = np.maximum(at - span, 0), np.minimum(at + span, count)
    after = (sums[high] - sums[at]) / np.maximum(high - at, 1)[:, None]
    before = (sums[at] - sums[low]) / np.maximum(at - low, 1)[:, None]
    apart = np.sqrt(((after - before) ** 2).sum(axis=1))
    return np.where(at > 0, apart, 0.0).astype(np.float32)


def _outstanding(values: Rows) -> Rows:
    """By how much each beat's value exceeds those around it, in units of their mean."""
    near = _around(values, NEAR)
    return np.clip((values - near) / (near + 0.05), -2.0, 4.0).astype(np.float32)


def _around(values: Rows, beats: int) -> Rows:
    kernel = np.ones(2 * beats + 1)
    total = np.convolve(values, kernel, "full")[beats : beats + len(values)]
    return (total / np.convolve(np.ones(len(values)), kernel, "full")[beats : beats + len(values)]).astype(np.float32)


def _repeated(cells: Rows, lag: int) -> Iterator[Rows]:
    """How unlike a beat is the one some beats before; and how much less so than the beat before it."""
    apart = np.zeros(len(cells), np.float32)
    if len(cells) > lag:
        apart[lag:] = np.abs(cells[lag:] - cells[:-lag]).sum(axis=1)
    yield apart - _around(apart, NEAR)
    yield np.concatenate([np.zeros(1, np.float32), np.diff(apart)])


def _accents(cells: Rows) -> Iterator[Rows]:
    """A kick or a cymbal where there are few, such as a crash; how full the beat before was, as in a fill."""
    for lane in (Lane.KICK, Lane.CYMBAL):
        struck = cells[:, DRUM_LANES.index(lane) * SIXTEENTHS]
        yield struck * (1.0 - _around(struck, NEAR))
    busy = cells.sum(axis=1)
    fuller = busy - _around(busy, NEAR)
    yield np.concatenate([np.zeros(1, np.float32), fuller[:-1]])


def _beginning(cells: Rows) -> Iterator[Rows]:
    """The first beat on which anything is struck; the first of all."""
    first, start = np.zeros(len(cells), np.float32), np.zeros(len(cells), np.float32)
    struck = np.flatnonzero(cells[:, ::SIXTEENTHS].max(axis=1) > 0.0)
    first[struck[:1]] = 1.0
    start[0] = 1.0
    yield first
    yield start


STRUCK: Final = SIXTEENTHS * (len(DRUM_LANES) + 1)
LANES: Final = tuple(slice(first, first + SIXTEENTHS) for first in range(0, STRUCK, SIXTEENTHS))
"""Where each lane is in a sight, the bass last."""
SENSED: Final = slice(STRUCK + OF_LINE, STRUCK + OF_LINE + 3)
"""Where that is which the beat network says."""
CHANNELS: Final = SENSED.stop + 3 * len(HARMONY_SPANS) + len(SOUND_SPANS) + len(PLAYED_SPANS) + 2 * len(LAGS) + 3 + 2
