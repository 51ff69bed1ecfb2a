"""A song again with other drums: its drum stem is taken out of the mix, and its MIDI played by one-shots of a kit.

For judging on sounds that nobody learned from. Each piece of the General MIDI kit is played by the sound that is named
like it; what the kit lacks is borrowed from the other kits, and told. The stem as a whole is as loud as the one it
replaces (the same mean power). Where all files of a kit are as loud as can be (each peaks at full scale), their balance
is lost, and they are given that of the other kit.

Onsets: a one-shot is trimmed to its first audible frame, which sounds when the note begins. What the lossy codec leaves
of the old drums when their stem is taken out of the mix, some 23 dB below them above 5 kHz, stays in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from hitloopd.core.errors import ArgumentError
from offline.audio import RATE, Wave, open_recording, read_spans
from offline.dataset.midi import DRUM_CHANNEL, read_midi
from offline.extraction.classes import Reference
from offline.extraction.lessons import kit_of
from offline.extraction.planted import loudest, trimmed
from offline.grid import FAINTEST, MAX_VELOCITY
from offline.transcription.judging.truth import seconds_of

_FULL_SCALE: Final = 0.995
_HEADROOM: Final = 0.9
_CHOKE_S: Final = 0.01


class Piece(NamedTuple):
    """A piece of a drum kit: the class of its sounds, and words of their names, the most fitting first."""

    kind: str
    words: tuple[str, ...] = ()


_LOW_TOM, _MID_TOM, _HIGH_TOM = (Piece("tom", words) for words in (("tom-l",), ("tom-m",), ("tom-h",)))
_CRASH, _RIDE = Piece("cymbal", ("crash",)), Piece("cymbal", ("ride",))
_LOW_HAND, _HIGH_HAND = Piece("perc", ("conga-l", "timbal")), Piece("perc", ("conga-h",))
_BELL = Piece("perc", ("cowb",))
_RATTLE = Piece("perc", ("cabasa", "tamb"))
PIECES: Final[Mapping[int, Piece]] = {
    35: Piece("kick", ("kick-alt", "kick")),
    36: Piece("kick", ("kick",)),
    37: Piece("rim"),
    38: Piece("snare", ("snare-m", "snare")),
    39: Piece("clap"),
    40: Piece("snare", ("snare-l", "snare")),
    42: Piece("closed_hat", ("closed",)),
    44: Piece("closed_hat", ("closed-short", "closed")),
    46: Piece("open_hat"),
    **dict.fromkeys((41, 43), _LOW_TOM),
    **dict.fromkeys((45, 47), _MID_TOM),
    **dict.fromkeys((48, 50), _HIGH_TOM),
    **dict.fromkeys((49, 52, 55, 57), _CRASH),
    **dict.fromkeys((51, 53, 59), _RIDE),
    **dict.fromkeys((54, 58, 69, 70, 73, 74, 82), _RATTLE),
    **dict.fromkeys((56, 67, 68, 75, 76, 77, 80, 81), _BELL),
    **dict.fromkeys((60, 62, 63, 65), _HIGH_HAND),
    **dict.fromkeys((61, 64, 66, 78, 79), _LOW_HAND),
}
"""General MIDI drum note -> piece."""
CHOKES: Final[Mapping[str, str]] = {"closed_hat": "open_hat"}
"""What makes something else stop sounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Kit:
    """Sounds for every piece; each as loud as the kit's balance wants.

    Args:
        name: of the kit.
        sounds: by General MIDI drum note.
        borrowed: what came from another kit: class and file.
    """

    name: str
    sounds: Mapping[int, Wave]
    borrowed: tuple[str, ...]


def kits(references: Iterable[Reference], names: Sequence[str]) -> list[Kit]:
    """The kits of these names.

    Raises:
        ArgumentError: one of them is not there, or none has a sound for a piece.
    """
    pool = {name: [] for name in names}
    for item in references:
        if kit_of(item.name) in pool:
            pool[kit_of(item.name)].append(item)
    for name, sounds in pool.items():
        if not sounds:
            raise ArgumentError(f"There are no one-shots of the kit '{name}' (files that begin with {name}_).")
    return [_kit(name, pool) for name in names]


def _kit(name: str, pool: Mapping[str, Sequence[Reference]]) -> Kit:
    order = [name, *(other for other in pool if other != name)]
    sounds: dict[int, Wave] = {}
    borrowed: set[str] = set()
    for note, piece in PIECES.items():
        chosen = next((found for kit in order if (found := _fitting(pool[kit], piece))), None)
        if chosen is None:
            raise ArgumentError(f"No kit of {', '.join(order)} has a {piece.kind}.")
        sounds[note] = _levelled(trimmed(chosen.sound), piece.kind, pool, order)
        if kit_of(chosen.name) != name:
            borrowed.add(f"{piece.kind} {Path(chosen.name).stem}")
    return Kit(name, sounds, tuple(sorted(borrowed)))


def _fitting(sounds: Sequence[Reference], piece: Piece) -> Reference | None:
    """The sound of the class whose name has the earliest of the words, or else the first of the class."""
    of_kind = sorted((item for item in sounds if item.kind == piece.kind), key=lambda item: item.name)
    for word in piece.words:
        named = [item for item in of_kind if word in Path(item.name).stem]
        if named:
            return min(named, key=lambda item: (len(item.name), item.name))
    return of_kind[0] if of_kind else None


def _levelled(sound: Wave, kind: str, pool: Mapping[str, Sequence[Reference]], order: Sequence[str]) -> Wave:
    """As loud as its class is in the first kit whose files have a balance; untouched where it has one itself."""
    balanced = next((kit for kit in order if not _normalised(pool[kit])), order[0])
    levels = [loudest(trimmed(item.sound)) for item in pool[balanced] if item.kind == kind]
    if balanced == order[0] or not levels:
        return sound
    return (sound * np.float32(np.median(levels) / loudest(sound))).astype(np.float32)


def _normalised(sounds: Sequence[Reference]) -> bool:
    return all(float(np.abs(item.sound).max()) >= _FULL_SCALE for item in sounds)


def play(drums: Path, kit: Kit, frames: int) -> Wave:
    """The drum notes of a MIDI file, played by a kit; gain follows the square of the velocity, as General MIDI has it.

    Args:
        drums: the MIDI file.
        kit: the sounds.
        frames: how long the sound is to be.
    """
    song = read_midi(drums)
    at = seconds_of(song)
    notes = [note for note in song.notes if note.channel == DRUM_CHANNEL and note.velocity >= FAINTEST]
    chokers = sorted(round(at(note.start) * RATE) for note in notes if _kind(note.pitch) in CHOKES)
    out = np.zeros(frames, np.float32)
    for note in notes:
        if note.pitch not in kit.sounds:
            continue
        start = round(at(note.start) * RATE)
        sound = kit.sounds[note.pitch]
        if _kind(note.pitch) in CHOKES.values():
            sound = _choked(sound, next((frame - start for frame in chokers if frame > start), len(sound)))
        sound = sound[: max(frames - start, 0)]
        out[start : start + len(sound)] += sound * np.float32((note.velocity / MAX_VELOCITY) ** 2)
    return out


def _kind(note: int) -> str:
    return PIECES[note].kind if note in PIECES else ""


def _choked(sound: Wave, after: int) -> Wave:
    fade = min(round(_CHOKE_S * RATE), len(sound))
    if after >= len(sound):
        return sound
    short = sound[: after + fade].copy()
    short[after:] *= np.linspace(1.0, 0.0, len(short) - after, dtype=np.float32)
    return short


def resounded(mix: Path, drums: Path, midi: Path, kit: Kit) -> tuple[Wave, Wave]:
    """Mix and drum stem with the kit in the place of the drums."""
    whole, old = read_whole(mix), read_whole(drums)
    frames = min(len(whole), len(old))
    new = as_loud_as(play(midi, kit, frames), old[:frames])
    return whole[:frames] - old[:frames] + new, new


def as_loud_as(sound: Wave, model: Wave) -> Wave:
    """The sound at the model's mean power."""
    power, wanted = (float(np.mean(wave.astype(np.float64) ** 2)) for wave in (sound, model))
    return (sound * np.float32(np.sqrt(wanted / power))).astype(np.float32) if power else sound


def read_whole(path: Path) -> Wave:
    """A recording of a minute or so, as one array."""
    recording = open_recording(path)
    return read_spans(recording, [(0, round(recording.length_s * RATE))])[0]


def without_clipping(*sounds: Wave) -> list[Wave]:
    """All of them quieter by one gain, where one would clip in a file."""
    peak = max(float(np.abs(sound).max()) for sound in sounds)
    return [(sound * np.float32(_HEADROOM / max(peak, _HEADROOM))).astype(np.float32) for sound in sounds]
