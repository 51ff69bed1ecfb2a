"""Lessons for transcribers: pieces of music whose every note is known, as many as wanted, each decided by its seed.

A third are songs of a MIDI corpus, whose drums are played on other kits; a third have the drums of a human drummer,
over such a song's accompaniment or over nothing; a third are bars of the daemon's styles. Kits, basses, levels and
rooms are drawn anew for each. Nothing that transcription is judged on has a part: neither songs nor one-shot kits nor
the drums of the sound font.

    material = Material.load(Places(midi=Path("midi"), oneshots=Path("oneshots")))
    for lesson in lessons(material, range(100), cache=Path("lessons")):
        ...
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from hitloopd.core.pattern import Lane
from offline.audio import RATE, Wave
from offline.dataset.midi import MidiSong
from offline.dataset.voices import BASS_PROGRAMS
from offline.extraction.classes import Reference
from offline.extraction.general_midi import played
from offline.jobs import file_hash, job_key, write_atomically
from offline.transcription.heard import BassNote, DrumHit
from offline.transcription.lessons.basses import draw_bass, played_bass
from offline.transcription.lessons.drummer import draw_touch, played_drums
from offline.transcription.lessons.drumming import drumming
from offline.transcription.lessons.kits import Kit, draw_kit, drum_sounds
from offline.transcription.lessons.mixing import mixed
from offline.transcription.lessons.score import DrumNote, Score, at_beats, first_at, hits_of
from offline.transcription.lessons.songs import (
    VARIANTS,
    Song,
    groove_strokes,
    grooves,
    parts,
    setting,
    songs,
    tempo_of,
    transposed,
)
from offline.transcription.lessons.styles import backing_file, bass_file, percussion_notes, style_score

PIECE_S: Final = 30.0
FONT: Final = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
VERSION: Final = 3
"""Of what the seeds mean: pieces that were kept by another version are made again."""
_SONGS: Final = 2  # version of what fluidsynth plays of whole songs
OWN_BASS: Final = 0.45
ALONE: Final = 0.3
"""Share of the drummers' pieces without an accompaniment."""
INSIDE: Final = 0.3
"""Share of the long lessons that do not begin with their song."""
FULL_SCALE: Final = 32_767
KINDS: Final = ("song", "groove", "style")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the material lies.

    Args:
        midi: folder with ``freedoom`` and ``groove`` in it.
        oneshots: labelled one-shots in folders by class.
        font: General MIDI sound font; its drums are not used.
    """

    midi: Path
    oneshots: Path
    font: Path = FONT


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All that lessons are made of: either what may be learned from, or what is kept for validation."""

    songs: Sequence[Song]
    grooves: Sequence[MidiSong]
    sounds: Sequence[Reference]
    font: Path
    train: bool

    @classmethod
    def load(cls, places: Places, *, train: bool = True) -> Material:
        """Read it; no song, performance or one-shot is in both parts.

        Raises:
            DeviceError: a folder is missing, or has nothing usable in it.
        """
        return cls(
            songs(places.midi / "freedoom", train=train),
            grooves(places.midi / "groove", train=train),
            drum_sounds(places.oneshots, train=train),
            places.font,
            train,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A piece and its truth.

    Args:
        mix: of the stems.
        drums: as they are in the mix. Likewise the other stems; the three are nearly the mix.
        bass: stem.
        other: stem.
        strokes: of all drums, toms and percussion too, by time; empty where the drums are silent.
        hits: those of the drum lanes.
        notes: of the bass, by start; empty where it is silent.
        beats_s: beginning of each beat.
        bars_s: bar lines.
        source: what it was made from.
    """

    mix: Wave
    drums: Wave
    bass: Wave
    other: Wave
    strokes: tuple[DrumNote, ...]
    hits: tuple[DrumHit, ...]
    notes: tuple[BassNote, ...]
    beats_s: tuple[float, ...]
    bars_s: tuple[float, ...]
    source: str

    def packed(self) -> bytes:
        """The lesson as a file; sound as 16-bit whole numbers."""
        file = io.BytesIO()
        lanes = list(Lane)
        np.savez(
            file,
            sound=np.array([_whole(part) for part in (self.mix, self.drums, self.bass, self.other)]),
            strokes=np.array(self.strokes).reshape(-1, 3),
            hits=np.array([(hit.time_s, lanes.index(hit.lane), hit.velocity) for hit in self.hits]).reshape(-1, 3),
            notes=np.array([note[:4] for note in self.notes]).reshape(-1, 4),
            beats=np.array(self.beats_s),
            bars=np.array(self.bars_s),
            source=np.array(self.source),
        )
        return file.getvalue()

    @classmethod
    def unpacked(cls, path: Path) -> Lesson:
        """Read what ``packed`` gave."""
        lanes = list(Lane)
        with np.load(path, allow_pickle=False) as held:
            sound = held["sound"].astype(np.float32) / np.float32(FULL_SCALE)
            return cls(
                *sound,
                tuple(DrumNote(float(at), int(pitch), float(force)) for at, pitch, force in held["strokes"]),
                tuple(DrumHit(float(at), lanes[int(lane)], float(force), 1.0) for at, lane, force in held["hits"]),
                tuple(BassNote(float(a), float(b), int(pitch), float(v), 1.0) for a, b, pitch, v in held["notes"]),
                tuple(map(float, held["beats"])),
                tuple(map(float, held["bars"])),
                str(held["source"]),
            )


def _whole(sound: Wave) -> np.ndarray:
    return np.clip(np.round(sound * FULL_SCALE), -FULL_SCALE, FULL_SCALE).astype(np.int16)


def lessons(material: Material, seeds: Iterable[int], cache: Path, *, keep: bool = True) -> Iterator[Lesson]:
    """The lessons of some seeds; what was made before is read from the cache.

    Args:
        material: what to make them of.
        seeds: any whole numbers from 0.
        cache: folder for rendered songs and for lessons; several processes may share it.
        keep: store the lessons too (10 MB each), not only what fluidsynth played.
    """
    for seed in seeds:
        path = cache / "lessons" / f"{job_key(VERSION, material.train, seed)}.npz"
        if path.is_file():
            yield Lesson.unpacked(path)
            continue
        lesson = make_lesson(material, seed, cache)
        if keep:
            write_atomically(path, lesson.packed())
        yield lesson


def make_lesson(material: Material, seed: int, cache: Path) -> Lesson:
    """One lesson.

    Raises:
        UnavailableError: fluidsynth or its sound font is missing.
    """
    draw = np.random.default_rng((VERSION, seed, int(material.train)))
    kind = KINDS[int(draw.integers(len(KINDS)))]
    if kind == "style":
        score, bass, other, source = style_piece(material, draw, PIECE_S)
    else:
        score, bass, other, source = _song_piece(material, draw, cache, groove=kind == "groove")
    return lesson_on(draw_kit(material.sounds, draw), score, (bass, other), f"{kind}: {source}", draw)


def song_lesson(material: Material, seed: int, cache: Path, longest_s: float) -> Lesson:
    """A song from its start, one after the other by their seeds; now and then a long stretch of it.

    Raises:
        UnavailableError: fluidsynth or its sound font is missing.
    """
    draw = np.random.default_rng((VERSION, seed, int(material.train), 3))
    song = material.songs[seed % len(material.songs)]
    length_s = min(song.score.length_s, longest_s)
    start_s = draw.uniform(0.0, song.score.length_s - length_s) if draw.random() < INSIDE else 0.0
    score, bass, other, source = long_piece(material, song, (start_s, length_s), draw, cache)
    return lesson_on(draw_kit(material.sounds, draw), score, (bass, other), f"song: {source}", draw)


def lesson_on(kit: Kit, score: Score, stems: tuple[Wave, Wave], source: str, draw: np.random.Generator) -> Lesson:
    """The score's drums on a kit, mixed with bass and accompaniment."""
    drums = played_drums(score.drums, kit, draw_touch(draw), score.length_s, draw)
    hits = hits_of(score.drums)
    out = mixed(drums, *stems, [hit.time_s for hit in hits if hit.lane is Lane.KICK], draw)
    return Lesson(
        out.mix,
        out.drums,
        out.bass,
        out.other,
        score.drums if out.drums.any() else (),
        hits if out.drums.any() else (),
        score.bass if out.bass.any() else (),
        score.beats_s,
        score.bars_s,
        source,
    )


def percussion_piece(material: Material, seed: int) -> tuple[Wave, tuple[DrumNote, ...]]:
    """Percussion and toms alone, to be mixed under lessons: what sounds like drums and belongs to no lane."""
    draw = np.random.default_rng((VERSION, seed, int(material.train), 1))
    notes = percussion_notes(PIECE_S, draw)
    return played_drums(notes, draw_kit(material.sounds, draw), draw_touch(draw), PIECE_S, draw), tuple(notes)


def kit_piece(material: Material, seed: int) -> tuple[Wave, tuple[DrumNote, ...]]:
    """Drums alone on many kits, one after the other."""
    draw = np.random.default_rng((VERSION, seed, int(material.train), 2))
    return drumming(material.sounds, material.grooves, material.songs, PIECE_S, draw)


def style_piece(material: Material, draw: np.random.Generator, length_s: float) -> tuple[Score, Wave, Wave, str]:
    """A piece of one of the daemon's styles: score, bass, accompaniment, and what it was made from."""
    score = style_score(length_s, draw)
    if draw.random() < OWN_BASS:
        bass = played_bass(score.bass, draw_bass(draw), score.length_s)
    else:
        bass = _fitted(played(bass_file(score.bass, int(draw.choice(BASS_PROGRAMS))), material.font), score.length_s)
    other = _fitted(played(backing_file(score, draw), material.font), score.length_s)
    return score, bass, other, "a style of rules"


def _song_piece(
    material: Material, draw: np.random.Generator, cache: Path, *, groove: bool
) -> tuple[Score, Wave, Wave, str]:
    song = material.songs[int(draw.integers(len(material.songs)))]
    variant = int(draw.integers(VARIANTS))
    chosen = setting(variant, len(song.midi.notes))
    start_s = draw.uniform(0.0, max(song.score.length_s - PIECE_S, 0.0))
    score = transposed(song.score, chosen.semitones).piece(start_s, PIECE_S)
    if groove:
        score = with_groove(score, material.grooves[int(draw.integers(len(material.grooves)))])
    if groove and draw.random() < ALONE:
        silence = np.zeros(round(PIECE_S * RATE), np.float32)
        return Score(score.drums, (), score.beats_s, score.bars_s, PIECE_S), silence, silence, "a drummer alone"
    bass, other = (_cut(stem, start_s, PIECE_S) for stem in _stems(material, song, variant, cache))
    if draw.random() < OWN_BASS:
        bass = played_bass(score.bass, draw_bass(draw), score.length_s)
    return score, bass, other, f"{song.name}, setting {variant}"


def long_piece(
    material: Material, song: Song, span: tuple[float, float], draw: np.random.Generator, cache: Path
) -> tuple[Score, Wave, Wave, str]:
    """A stretch of a song, from a second on and so many long: as ``style_piece`` gives it."""
    variant = int(draw.integers(VARIANTS))
    start_s, length_s = span
    score = transposed(song.score, setting(variant, len(song.midi.notes)).semitones).piece(start_s, length_s)
    bass, other = (_cut(stem, start_s, length_s) for stem in _stems(material, song, variant, cache))
    if draw.random() < OWN_BASS:
        bass = played_bass(score.bass, draw_bass(draw), length_s)
    return score, bass, other, f"{song.name}, setting {variant}"


def with_groove(score: Score, groove: MidiSong) -> Score:
    """The piece with another drummer, who follows its beats and begins anew when the performance is over."""
    if len(score.bars_s) < 2 or len(score.beats_s) < 3:
        return score
    beats = score.beats_s
    tempo = tempo_of(beats)
    pace = 2.0 ** round(float(np.log2(groove.bpm_at(0) / tempo)))  # half or double time where that is nearer
    first = first_at(beats, score.bars_s[0] - 1e-6)
    bars = max(int(groove.end / groove.ticks_per_beat / 4), 1)
    drums: list[DrumNote] = []
    at = float(first)
    while at < len(beats):
        for beat, pitch, velocity in groove_strokes(groove):
            time_s = at_beats(beats, at + beat / pace)
            if beat < 4 * bars and 0.0 <= time_s < score.length_s:
                drums.append(DrumNote(time_s, pitch, velocity))
        at += 4 * bars / pace
    return Score(tuple(sorted(drums)), score.bass, beats, score.bars_s, score.length_s)


def _stems(material: Material, song: Song, variant: int, cache: Path) -> list[Wave]:
    """Bass and accompaniment of a whole song, rendered once."""
    path = cache / "songs" / f"{job_key(_SONGS, file_hash(song.path), variant)}.npz"
    if not path.is_file():
        stems = [played(part, material.font) for part in parts(song, setting(variant, len(song.midi.notes)))]
        peaks = [max(float(np.abs(stem).max()), 1e-4) if len(stem) else 1.0 for stem in stems]
        file = io.BytesIO()
        np.savez(file, *(_whole(stem / peak) for stem, peak in zip(stems, peaks, strict=True)))
        write_atomically(path, file.getvalue())
    with np.load(path, allow_pickle=False) as held:
        return [held[name].astype(np.float32) / np.float32(FULL_SCALE) for name in held.files]


def _cut(stem: Wave, start_s: float, length_s: float) -> Wave:
    return _fitted(stem[round(start_s * RATE) :], length_s)


def _fitted(sound: Wave, length_s: float) -> Wave:
    frames = round(length_s * RATE)
    return np.pad(sound[:frames], (0, max(frames - len(sound), 0)))
