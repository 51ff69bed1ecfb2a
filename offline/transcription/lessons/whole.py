"""Whole songs to learn the course of drum parts from, each decided by its seed.

Songs of the corpus and long pieces in the daemon's styles, several times each: with other kits in other mixes, some
with a drummer's performance in the place of the drums, some with percussion, which is easily taken for a snare. Half of
the kits are of sounds that the drum network has not learned from, so that it is as unsure of them as of strangers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.time import BEATS_PER_BAR
from offline.extraction.classes import Reference
from offline.transcription.lessons.drumming import otherwise
from offline.transcription.lessons.kits import draw_kit
from offline.transcription.lessons.make import Lesson, Material, lesson_on, long_piece, style_piece, with_groove
from offline.transcription.lessons.score import DrumNote, Score, at_beats, first_at
from offline.transcription.lessons.styles import HANDS, TOMS
from offline.transcription.lessons.various import STRANGE, VARIOUS

VERSION: Final = 2
"""Of what the seeds mean."""
TIMES: Final = 3
"""How often a song is played."""
LONGEST_S: Final = 90.0
STYLE_S: Final = 60.0
STYLES: Final = 0.22
"""Share of the pieces in the daemon's styles."""
INSIDE: Final = 0.5
"""Share of the songs that are longer and do not begin with their beginning."""
DRUMMERS: Final = 0.35
"""Share of the playings of a song by a drummer."""
WITH_HANDS: Final = 0.35
"""Share of the playings with percussion."""
ON_TOMS: Final = 0.15
CELLS: Final = 4
"""Of a beat, on which percussion plays."""
OTHER: Final = 0.4
"""Chance that percussion plays another bar after so many bars."""
PHRASE_BARS: Final = 4
UNHEARD: Final = 0.5
"""Share of the kits of sounds that the drum network has not learned from."""
ODD: Final = 0.5
"""Share of the kits whose sounds are as various as can be."""


def whole_songs(
    material: Material, strangers: Sequence[Reference], seed: int, cache: Path, *, varied: bool = False
) -> Iterator[Lesson]:
    """One song, ``TIMES`` times.

    Args:
        material: of songs and kits.
        strangers: sounds that nothing was learned from.
        seed: decides all.
        cache: folder for what fluidsynth played.
        varied: for who is to learn sounds, not parts: these are played otherwise now and then, and on stranger kits.

    Raises:
        UnavailableError: fluidsynth or its sound font is missing.
    """
    draw = np.random.default_rng((seed, int(material.train), 4))
    in_style = draw.random() < STYLES
    if in_style:
        written, bass, other, source = style_piece(material, draw, STYLE_S)
    else:
        song = material.songs[seed % len(material.songs)]
        length_s = min(song.score.length_s, LONGEST_S)
        start_s = draw.uniform(0.0, song.score.length_s - length_s) if draw.random() < INSIDE else 0.0
        written, bass, other, source = long_piece(material, song, (start_s, length_s), draw, cache)
    odd = STRANGE if varied else VARIOUS if material.train else None
    for _ in range(TIMES):
        score = written
        if not in_style and draw.random() < DRUMMERS:
            score = with_groove(score, material.grooves[int(draw.integers(len(material.grooves)))])
        if varied:
            score = replace(score, drums=tuple(otherwise(score.drums, draw)))
        if draw.random() < WITH_HANDS:
            score = with_hands(score, draw)
        sounds = strangers if not material.train or draw.random() < UNHEARD else material.sounds
        manner = odd if odd is not None and draw.random() < ODD else None
        yield lesson_on(draw_kit(sounds, draw, manner), score, (bass, other), source, draw)


def with_hands(score: Score, draw: np.random.Generator) -> Score:
    """The score with percussion in its bars: a bar's pattern that repeats, and changes now and then."""
    among = TOMS if draw.random() < ON_TOMS else HANDS
    played = [int(pitch) for pitch in draw.choice(among, int(draw.integers(1, 4)), replace=False)]
    every = int(draw.choice((1, 2, 4, 4)))  # quarters, eighths, sixteenths
    notes = list(score.drums)
    bar: Mapping[int, NDArray[np.float64]] = {}
    first = first_at(score.beats_s, score.bars_s[0] - 1e-6) if score.bars_s else 0
    for number, beat in enumerate(range(first, len(score.beats_s) - BEATS_PER_BAR, BEATS_PER_BAR)):
        if number % PHRASE_BARS == 0 and (not bar or draw.random() < OTHER):
            bar = {pitch: _bar(every, draw) for pitch in played}
        for pitch, forces in bar.items():
            for cell in np.flatnonzero(forces):
                at_s = at_beats(score.beats_s, beat + cell / CELLS)
                notes.append(DrumNote(at_s, pitch, float(forces[cell])))
    return replace(score, drums=tuple(sorted(notes)))


def _bar(every: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """Velocities of the cells of a bar, 0 where nothing is played."""
    forces = np.zeros(BEATS_PER_BAR * CELLS)
    there = draw.random(BEATS_PER_BAR * every) < draw.uniform(0.15, 0.8)
    forces[:: CELLS // every] = there * np.where(draw.random(len(there)) < 0.5, 1.0, draw.uniform(0.4, 0.9))
    return forces
