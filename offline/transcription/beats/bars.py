"""The bars of a song: where its beats and bar lines are, and which of its bars are to be trusted.

Conventions: seconds from the start of the song. Every bar found is told; one with a reason is not to be used. A song
in which there is no beat has no bars.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from offline.transcription.beats.bar_lines import COMMON, bar_lines, opening_place, place_odds
from offline.transcription.beats.bar_sight import Sight, bar_sight
from offline.transcription.beats.cues import Grid, on_grid, place_evidence
from offline.transcription.beats.features import FPS, Features, loudest_db
from offline.transcription.beats.path import Beat, beat_path
from offline.transcription.beats.sense import Sense, onset_strength, sense_beats
from offline.transcription.beats.times import Struck, Times, beat_times
from offline.transcription.beats.track import BeatTrack, beat_track
from offline.transcription.heard import BassNote, DrumHit, FoundBar

SHORTEST_S: Final = 2.0
"""Below this there is no room for a bar."""
LEAST_BEAT: Final = 0.32
"""Share of all that might be a beat which lies on the beats, in the bars around; in 16 field recordings 0.18 to 0.47,
where it is high with next to no strength."""
BEATLESS: Final = 0.19
"""The same share of a whole song below which it has no beat at all."""
LEAST_STRENGTH: Final = 0.15
"""Probability of the beats themselves, likewise; where that share is reached 0.12 at most. Bars of validation songs
that have less are mostly wrong."""
LEAST_ON_GRID: Final = 0.65
"""Share of what is struck, in the bars around, on sixteenths of the beats; by chance it is 0.32. Where the playing
keeps to them the beats are right, however soft they are themselves: in a break, on a syncopated loop. In 16 field
recordings it is 0.56 at most, in loops and songs without a known truth 0.64 to 1."""
LEAST_STRUCK: Final = 24.0
"""... and how many hits and notes that takes, each as much as it is sure."""
LEAST_BAR_LINE: Final = 0.5
DOUBTFUL: Final = 0.7
"""Of the beats' probability: what lies between them is as good from here on, and every other one is none below the
rest."""
QUICK_BPM: Final = 165.0
"""What is quicker is hardly counted so: a beat at 95 with eighths between is no beat at 190."""
AROUND: Final = 4
"""Bars on either side that are asked for the tempo."""
UNEVEN: Final = 0.1
"""How much two beats of a bar may differ, of the shorter one."""
SILENT_DB: Final = -74.0
"""Where no band is ever louder than this, nothing sounds."""
TOLERATED_S: Final = 0.05
"""How far a bar may reach past the end of the song."""
_BASS_WEIGHT: Final = 0.3


def find_bars(
    features: Features, drums: Sequence[DrumHit], bass: Sequence[BassNote], length_s: float
) -> Sequence[FoundBar]:
    """The bars of a whole song, by time; none where it has no beat.

    Args:
        features: of ``beat_features``, from its start to its end.
        drums: what was heard of the drums; may be empty.
        bass: of the bass line; may be empty.
        length_s: of the song.
    """
    if length_s < SHORTEST_S:
        return []
    found = found_beats(features, drums, bass)
    if found is None:
        return []
    places, waltz = [beat.place for beat in found.path], [beat.waltz for beat in found.path]
    at_once = loudest_db(features[: FPS // 5]) >= SILENT_DB
    lines = bar_lines(place_odds(found.sight), places, waltz, opening_place(found.times) if at_once else None)
    track = beat_track(found.path, found.times, found.sense, lines, length_s + TOLERATED_S)
    grid = on_grid(track.times, drums, bass)
    spans = list(_bars(track))
    if _beatless(track) and not any(_clear(track, grid, bar) for bar in spans):
        return []
    return [_judged(track, grid, bar, features, length_s) for bar in spans]


@dataclass(frozen=True, slots=True, eq=False)
class FoundBeats:
    """The beats of a song, before it is told which of them begin bars.

    Args:
        sense: of the whole song.
        path: through its beats.
        times: of these, in seconds.
        sight: what the bar network is shown of them.
    """

    sense: Sense
    path: Sequence[Beat]
    times: Times
    sight: Sight


def found_beats(features: Features, drums: Sequence[DrumHit], bass: Sequence[BassNote]) -> FoundBeats | None:
    """The beats of a song; none where it is too short or silent."""
    if len(features) < SHORTEST_S * FPS or loudest_db(features) < SILENT_DB:
        return None
    sense = sense_beats(features)
    path = beat_path(sense.beat, sense.downbeat, place_evidence(drums, bass, len(features)))
    if len(path) <= COMMON:
        return None
    frames = np.array([beat.frame for beat in path])
    times = beat_times(frames, onset_strength(features), _struck(drums, bass))
    return FoundBeats(sense, path, times, bar_sight(times, sense, features, drums, bass))


def _beatless(track: BeatTrack) -> bool:
    return bool(track.on.sum() < BEATLESS * track.whole.sum() or track.strengths.max() < LEAST_STRENGTH)


def _struck(drums: Sequence[DrumHit], bass: Sequence[BassNote]) -> Struck:
    return Struck.of(
        [hit.time_s for hit in drums] + [note.start_s for note in bass],
        [hit.confidence for hit in drums] + [_BASS_WEIGHT * note.confidence for note in bass],
    )


def _bars(track: BeatTrack) -> Iterator[range]:
    """The beats of each bar, by number; the one after them begins the next bar, or is the last beat of the song."""
    firsts = np.flatnonzero(track.places == 0)
    for start, end in itertools.pairwise(sorted({0, *firsts.tolist(), len(track.times) - 1})):
        yield range(start, end)


def _judged(track: BeatTrack, grid: Grid, bar: range, features: Features, length_s: float) -> FoundBar:
    beats = track.times[bar.start : bar.stop]
    sure = float(track.sure[bar.start : bar.stop].min())
    end = float(track.times[bar.stop])
    heard = features[int(beats[0] * FPS) : int(end * FPS) + 1]
    reasons = (
        (track.places[bar.start] != 0, "the song begins inside this bar"),
        (track.places[bar.stop] != 0 or end > length_s + TOLERATED_S, "the song ends inside this bar"),
        (track.waltz[bar.start] or len(bar) != COMMON, f"its beats are {len(bar)}"),
        (len(heard) == 0 or loudest_db(heard) < SILENT_DB, "nothing sounds in it"),
        (_uneven(track, bar), "the tempo changes inside it"),
        (not _clear(track, grid, bar), "the beat is not clear"),
        (_twice_fits(track, bar), "twice the tempo fits as well"),
        (_half_fits(track, bar), "half the tempo fits as well"),
        (sure < LEAST_BAR_LINE, "the bar line is not clear"),
    )
    reason = next((text for holds, text in reasons if holds), "")
    confidence = min(max(_concentration(track, bar), grid.kept(_around(bar), LEAST_STRUCK)), sure, 1.0)
    return FoundBar(float(beats[0]), end, tuple(beats.tolist()), confidence, reason)


def _clear(track: BeatTrack, grid: Grid, bar: range) -> bool:
    """Whether there is a beat in the bars around: by what it sounds like, or by what keeps to it."""
    around = _around(bar)
    heard = _concentration(track, bar) >= LEAST_BEAT and track.strengths[around].mean() >= LEAST_STRENGTH
    return bool(heard or grid.kept(around, LEAST_STRUCK) >= LEAST_ON_GRID)


def _concentration(track: BeatTrack, bar: range) -> float:
    around = _around(bar)
    return float(track.on[around].sum() / max(float(track.whole[around].sum()), 1e-9))


def _around(bar: range) -> slice:
    return slice(max(bar.start - COMMON * AROUND, 0), bar.stop + COMMON * AROUND)


def _twice_fits(track: BeatTrack, bar: range) -> bool:
    """Whether, in the bars around, there are beats between the beats, and not too quick ones."""
    near = _around(bar)
    bpm = 60.0 * len(bar) / (track.times[bar.stop] - track.times[bar.start])
    return bool(2.0 * bpm <= QUICK_BPM and track.between[near].mean() > DOUBTFUL * track.strengths[near].mean())


def _half_fits(track: BeatTrack, bar: range) -> bool:
    """Whether every other beat, in the bars around, is hardly one."""
    near = _around(bar)
    odd = track.places[near] % 2 == 1
    if odd.all() or not odd.any():
        return False
    weak, strong = sorted((track.strengths[near][odd].mean(), track.strengths[near][~odd].mean()))
    return bool(weak < (1.0 - DOUBTFUL) * strong)


def _uneven(track: BeatTrack, bar: range) -> bool:
    steps = np.diff(track.times[bar.start : bar.stop + 1])
    return bool(steps.max() > (1.0 + UNEVEN) * steps.min())
