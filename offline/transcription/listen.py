"""A song of any length, heard stretch by stretch in bounded memory; started again it goes on after the last one.

A stretch is a minute with two seconds more on either side. What was heard in one is kept in a file of its own until the
song is written, so an interruption costs a minute of music. A song started again comes to the same bytes.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import DeviceError
from offline.audio import RATE, SILENCE, Recording, Wave, blocks, open_recording, stretches
from offline.jobs import write_atomically
from offline.transcription.glance import PER_S, glance
from offline.transcription.heard import BassNote, DrumHit, DrumsHeard, FoundBar, Stems
from offline.transcription.join import joined_hits, joined_notes
from offline.transcription.ports import BassTranscriber, DrumTranscriber, Separator

CONTEXT_S: Final = 2
STRETCH_S: Final = 60
FEATURES_PER_S: Final = 100
DRUMS: Final = "drums"
BASS: Final = "bass"
STEMS: Final = (DRUMS, BASS)

Features = NDArray[np.float32]
Told = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Ears:
    """Who listens.

    Args:
        separator: tells drums and bass apart, where no stems are given.
        drums: hears the drums.
        bass: hears the bass.
        beat_features: what the beats are found by, ``float32 [frames, n]``, 100 frames a second.
        find_bars: the bars of a song by start, without overlap, from those, its hits and notes, and its length in s.
        beats: the name of what finds them.
        in_bars: the hits of a song in the light of its bars: from those heard before, the candidates, and the bars.
        part: the name of what does that.
    """

    separator: Separator
    drums: DrumTranscriber
    bass: BassTranscriber
    beat_features: Callable[[Wave], Features]
    find_bars: Callable[[Features, Sequence[DrumHit], Sequence[BassNote], float], Sequence[FoundBar]]
    beats: str
    in_bars: Callable[[DrumsHeard, Sequence[FoundBar]], Sequence[DrumHit]]
    part: str


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What was heard in one stretch, in seconds of the song; features and picture only where it answers for them."""

    start_s: float
    hits: tuple[DrumHit, ...]
    candidates: tuple[DrumHit, ...]
    notes: tuple[BassNote, ...]
    features: Features
    picture: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Listened:
    """What was heard in a song, before its bars are known.

    Args:
        length_s: as heard, not as the header says.
        hits: by time.
        candidates: of the drums: all that may be a hit.
        notes: by start, one at a time.
        features: of the beats, 100 frames a second.
        picture: levels of the spectrum, ``glance.PER_S`` columns a second.
        warnings: one line each.
    """

    length_s: float
    hits: list[DrumHit]
    candidates: list[DrumHit]
    notes: list[BassNote]
    features: Features
    picture: NDArray[np.uint8]
    warnings: tuple[str, ...]


def listen(path: Path, ears: Ears, stems: Mapping[str, Path], work: Path, told: Told) -> Listened:
    """Hear a song.

    Args:
        path: of the mix.
        ears: who listens.
        stems: files of ``drums`` and ``bass`` that sound together with the mix; what is not given is separated.
        work: folder of finished stretches; those found there are not heard again.
        told: gets the seconds done after each stretch.

    Raises:
        DeviceError: a file can't be read, is too short, or the song is silent.
    """
    recording = open_recording(path)
    beside = {name: Tape(open_recording(file)) for name, file in stems.items()}
    heard: list[Stretch] = []
    length_s = 0.0
    overlap = 2 * CONTEXT_S * RATE
    for number, (start, sound, last) in enumerate(stretches(recording, STRETCH_S * RATE + overlap, overlap)):
        given = {name: tape.read(start, len(sound)) for name, tape in beside.items()}
        length_s = (start + len(sound)) / RATE
        kept = work / f"{number:05d}"
        if not kept.is_file():
            found = _hear(start // RATE, sound, ears, given, first=number == 0, last=last)
            write_atomically(kept, pickle.dumps(found, protocol=pickle.HIGHEST_PROTOCOL))
        heard.append(pickle.loads(kept.read_bytes()))
        told(length_s if last else length_s - CONTEXT_S)
    if recording.health.peak < SILENCE:
        numbers = " (what is in it are not numbers)" if recording.health.not_numbers else ""
        raise DeviceError(f"{path}: the recording is silent{numbers}.")
    borders_s = [stretch.start_s + CONTEXT_S for stretch in heard[1:]]
    return Listened(
        length_s,
        joined_hits([stretch.hits for stretch in heard], borders_s),
        joined_hits([stretch.candidates for stretch in heard], borders_s),
        joined_notes([stretch.notes for stretch in heard], borders_s),
        np.concatenate([stretch.features for stretch in heard]),
        np.concatenate([stretch.picture for stretch in heard]),
        tuple(recording.health.warnings()),
    )


def _hear(start_s: int, sound: Wave, ears: Ears, given: Mapping[str, Wave], *, first: bool, last: bool) -> Stretch:
    stems = _stems(sound, ears.separator, given)
    drums = ears.drums.hear_drums(stems)
    notes = sorted(ears.bass.bass_notes(stems))
    skip_s = 0 if first else CONTEXT_S
    until_s = None if last else STRETCH_S + CONTEXT_S
    return Stretch(
        start_s,
        _later(drums.hits, start_s),
        _later(drums.candidates, start_s),
        tuple(note._replace(start_s=note.start_s + start_s, end_s=note.end_s + start_s) for note in notes),
        _part(ears.beat_features(sound), FEATURES_PER_S, skip_s, until_s),
        _part(glance(sound), PER_S, skip_s, until_s),
    )


def _later(hits: Sequence[DrumHit], start_s: int) -> tuple[DrumHit, ...]:
    return tuple(sorted(hit._replace(time_s=hit.time_s + start_s) for hit in hits))


def _stems(mix: Wave, separator: Separator, given: Mapping[str, Wave]) -> Stems:
    if len(given) == len(STEMS):
        return Stems(mix, given[DRUMS], given[BASS])
    apart = separator.separate(mix)
    return Stems(mix, given.get(DRUMS, apart.drums), given.get(BASS, apart.bass))


def _part(rows: NDArray[np.generic], per_s: int, skip_s: int, until_s: int | None) -> NDArray[np.generic]:
    return rows[skip_s * per_s : None if until_s is None else until_s * per_s].copy()


class Tape:
    """A recording read forwards in spans that may overlap; silence follows its end."""

    def __init__(self, recording: Recording) -> None:
        self._blocks = blocks(recording)
        self._kept: list[Wave] = []
        self._start = 0  # frame at which what is kept begins

    def read(self, start: int, length: int) -> Wave:
        """The frames from ``start`` on; never before the start of the last span."""
        have = sum(map(len, self._kept))
        while self._start + have < start + length:
            block = next(self._blocks, None)
            if block is None:
                block = np.zeros(start + length - self._start - have, np.float32)
            self._kept.append(block)
            have += len(block)
        sound = np.concatenate(self._kept)[start - self._start :]
        self._kept, self._start = [sound], start
        return sound[:length].copy()
