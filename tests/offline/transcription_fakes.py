"""Songs that are read off exactly, and listeners that read them: a single frame's value says which lane was hit.

A bass note is a run of frames of one small negative value, which says its pitch. What is tested with them is what
happens around the listening: stretches, borders, bar lines, files.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile

from hitloopd.core.pattern import Lane
from offline.audio import RATE
from offline.transcription.heard import BassNote, DrumHit, DrumsHeard, FoundBar, Stems
from offline.transcription.listen import Ears

VALUES = {Lane.KICK: 0.9, Lane.SNARE: 0.7, Lane.HIHAT: 0.5, Lane.CYMBAL: 0.3}
EDGE_S = 4
UNSURE_S = 0.006
BEAT_S = 0.5
REASON = "made up"


def song(path: Path, hits: Iterable[tuple[float, Lane]], notes=(), length_s: float = 10.0, rate: int = RATE) -> Path:
    """A sound file of hits (second, lane) and bass notes (first second, last second, pitch)."""
    wave = np.zeros(round(length_s * rate), np.float32)
    for start_s, end_s, pitch in notes:
        wave[round(start_s * rate) : round(end_s * rate)] = -pitch / 1000
    for at_s, lane in hits:
        wave[round(at_s * rate)] = VALUES[lane]
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate, subtype="FLOAT")
    return path


def four_on_the_floor(bars: int) -> list[tuple[float, Lane]]:
    beats = [BEAT_S * beat for beat in range(4 * bars)]
    snares = [(beat + 0.003, Lane.SNARE) for beat in beats[1::2]]
    return [(beat, Lane.KICK) for beat in beats] + snares + [(beat + 0.25, Lane.HIHAT) for beat in beats]


class ReadDrums:
    """Reads the hits; near the ends of a stretch some milliseconds off, as every real listener is."""

    name = "read drums"

    def __init__(self, unsure_s: float = 0.0):
        self.unsure_s = unsure_s
        self.calls = 0
        self.longest_s = 0.0

    def hear_drums(self, stems: Stems):
        return DrumsHeard(tuple(self._hits(stems)))

    def _hits(self, stems: Stems):
        self.calls += 1
        length_s = len(stems.drums) / RATE
        self.longest_s = max(self.longest_s, length_s)
        for lane, value in VALUES.items():
            for frame in np.flatnonzero(np.isclose(stems.drums, value, atol=0.01)):
                at_s = frame / RATE
                off = self.unsure_s * (-1 if at_s < EDGE_S else at_s > length_s - EDGE_S)
                yield DrumHit(at_s + off, lane, value, 0.8)


class ReadBass:
    """Reads the notes."""

    name = "read bass"

    def bass_notes(self, stems: Stems):
        pitch = np.round(-stems.bass * 1000).astype(int) * (stems.bass < 0)
        hit = np.flatnonzero(stems.bass > 0.1)  # a drum hit in a note does not end it
        pitch[hit] = pitch[np.maximum(hit - 1, 0)]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], pitch, [0]])))
        for start, end in pairwise(edges):
            if pitch[start]:
                yield BassNote(start / RATE, end / RATE, int(pitch[start]), 0.6, 0.9)


class Apart:
    """Leaves the mix as it is."""

    name = "apart"

    def separate(self, mix):
        return Stems(mix, mix, mix)


def loudness(mix):
    """One number per hundredth of a second: the number of frames that sound."""
    frames = np.pad(mix != 0, (0, -len(mix) % 441)).reshape(-1, 441)
    return frames.sum(axis=1, dtype=np.float32)[:, None]


def even_bars(features, drums, bass, length_s):
    """Bars of two seconds as far as something was hit; the second is not to be trusted."""
    del features, bass
    if not drums:
        return []
    count = int(min(length_s, drums[-1].time_s + BEAT_S) // (4 * BEAT_S))
    starts = [4 * BEAT_S * bar for bar in range(count)]
    return [
        FoundBar(at, at + 4 * BEAT_S, tuple(at + BEAT_S * beat for beat in range(4)), 0.9, REASON if n == 1 else "")
        for n, at in enumerate(starts)
    ]


def as_heard(drums, bars):
    """The hits as they were before the bars were known."""
    del bars
    return drums.hits


def fake_ears(unsure_s: float = 0.0) -> Ears:
    return Ears(Apart(), ReadDrums(unsure_s), ReadBass(), loudness, even_bars, "even bars", as_heard, "as heard")
