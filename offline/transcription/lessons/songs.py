"""Songs to learn from, out of MIDI corpora: their scores, and what fluidsynth plays of them.

The songs that transcription is judged on are kept out, in all their versions. Drums are never taken from the sound
font: the judged songs were rendered with its drum kits. Its pitched instruments are used here, as they are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mido
import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import DeviceError, RangeError
from offline.catalogue import SHIPPABLE, gate, source_of
from offline.dataset.bars import bar_grid
from offline.dataset.midi import DEFAULT_BPM, DRUM_CHANNEL, Heard, MidiSong, read_midi
from offline.dataset.songs import TRAIN, location, song_of, split_of
from offline.dataset.voices import BASS_PROGRAMS, bass_line
from offline.transcription.heard import BassNote
from offline.transcription.lessons.score import ROLAND, DrumNote, Score

JUDGED: Final = frozenset(f"freedoom/{name}" for name in ("d_dm01", "d_dm02", "d_dm03", "d_dm05"))
"""Songs that transcription is judged on; none of the corpus shares its bars with them under another name."""
JUDGED_FOLDERS: Final = ("lmms",)
FEWEST_BARS: Final = 8
VARIANTS: Final = 2
TRANSPOSED: Final = 4  # semitones either way
FAMILY: Final = 8  # programs of General MIDI that are of one kind
MELODIC: Final = 104  # programs below are instruments; above are percussion and noises
_CONTROLS: Final = ("control_change", "program_change", "pitchwheel")


@dataclass(frozen=True, slots=True, eq=False)
class Song:
    """A song of a corpus."""

    name: str
    path: Path
    midi: MidiSong
    score: Score


def songs(folder: Path, *, train: bool) -> list[Song]:
    """The songs of a folder that may be learned from, or those to validate with; files that can't be read are left out.

    Raises:
        DeviceError: there is none.
    """
    found = [song for path in _midi_files(folder, train=train) if (song := _song(path, folder)) is not None]
    if not found:
        raise DeviceError(f"{folder}: no song to learn from in it. Expected openly licensed MIDI with a manifest.")
    return found


def grooves(folder: Path, *, train: bool) -> list[MidiSong]:
    """Drum performances in 4/4, each with its ticks.

    Raises:
        DeviceError: there is none.
    """
    found: list[MidiSong] = []
    for path in _midi_files(folder, train=train):
        song = _readable(path)
        if "_beat_4-4" in path.stem and song is not None and song.end > 4 * 4 * song.ticks_per_beat:
            found.append(song)
    if not found:
        raise DeviceError(f"{folder}: no drum performance in 4/4 in it.")
    return found


def _midi_files(folder: Path, *, train: bool) -> Iterator[Path]:
    every = (source_of(path) for path in sorted(folder.rglob("*.mid")))
    for source in gate(every, SHIPPABLE).passed:
        song = song_of(location(source.path, folder))
        if song in JUDGED or song.split("/")[0] in JUDGED_FOLDERS:
            continue
        if (split_of(song) == TRAIN) is train:
            yield source.path


def training_files(folder: Path) -> list[Path]:
    """The files of a folder that lessons to learn from may be made of."""
    return list(_midi_files(folder, train=True))


def _readable(path: Path) -> MidiSong | None:
    try:
        return read_midi(path)
    except RangeError:
        return None


def _song(path: Path, folder: Path) -> Song | None:
    midi = _readable(path)
    if midi is None or len(bar_grid(midi).bars) < FEWEST_BARS:
        return None
    return Song(location(path, folder), path, midi, score_of(midi))


def score_of(midi: MidiSong) -> Score:
    """The whole song in seconds."""
    clock = Clock(midi)
    bass, _ = bass_line(midi)
    bars = bar_grid(midi).bars
    beats = [bar.start + beat for bar in bars for beat in np.arange(0, bar.length - 1e-6, midi.ticks_per_beat)]
    return Score(
        tuple(_drum_notes(midi, clock)),
        tuple(
            BassNote(clock.at(note.start), clock.at(note.end), note.pitch, note.velocity / 127, 1.0) for note in bass
        ),
        tuple(clock.at(beat) for beat in beats),
        tuple(clock.at(bar.start) for bar in bars),
        clock.at(midi.end),
    )


def _drum_notes(midi: MidiSong, clock: Clock) -> Iterator[DrumNote]:
    for note in midi.notes:
        if note.channel == DRUM_CHANNEL:
            yield DrumNote(clock.at(note.start), ROLAND.get(note.pitch, note.pitch), note.velocity / 127)


class Clock:
    """Seconds of a song's ticks, by all its tempo changes."""

    def __init__(self, midi: MidiSong) -> None:
        changes = dict([(0, DEFAULT_BPM), *midi.tempos])  # of several at one tick the last holds
        self._ticks = sorted(changes)
        self._seconds_per_tick = [60.0 / changes[tick] / midi.ticks_per_beat for tick in self._ticks]
        self._starts = [0.0]
        for index in range(1, len(self._ticks)):
            passed = self._ticks[index] - self._ticks[index - 1]
            self._starts.append(self._starts[-1] + passed * self._seconds_per_tick[index - 1])

    def at(self, tick: float) -> float:
        """Seconds from the start of the song."""
        index = int(np.searchsorted(self._ticks, tick, side="right")) - 1
        return self._starts[index] + (tick - self._ticks[index]) * self._seconds_per_tick[index]


@dataclass(frozen=True, slots=True)
class Setting:
    """Other instruments and another key for a song, so that one song is many."""

    programs: tuple[int, ...]
    semitones: int

    def program(self, channel: int, written: int) -> int:
        """The instrument that plays a channel."""
        return self.programs[channel] if self.programs else written


def setting(variant: int, seed: int) -> Setting:
    """As written for variant 0; for others each channel has an instrument drawn from all."""
    if not variant:
        return Setting((), 0)
    draw = np.random.default_rng((seed, variant))
    programs = tuple(int(program) for program in draw.integers(0, MELODIC, 16))
    return Setting(programs, int(draw.integers(-TRANSPOSED, TRANSPOSED + 1)))


def parts(song: Song, chosen: Setting) -> tuple[mido.MidiFile, mido.MidiFile]:
    """The bass line alone and all that is neither bass nor drums, to be played by a sound font."""
    bass = set(bass_line(song.midi)[0])
    others = [note for note in song.midi.notes if note.channel != DRUM_CHANNEL and note not in bass]
    basses = BASS_PROGRAMS if chosen.programs else ()
    return _played(song, sorted(bass), chosen, basses), _played(song, others, chosen, ())


def _played(song: Song, notes: Sequence[Heard], chosen: Setting, among: Sequence[int]) -> mido.MidiFile:
    """A file with some of a song's notes, its controls and its tempo.

    Args:
        song: whence they are.
        notes: what to play.
        chosen: instruments and key.
        among: programs that the setting's are folded into.
    """
    events: list[tuple[int, int, mido.Message | mido.MetaMessage]] = []
    for message_tick, message in _messages(song.path):
        if message.type == "set_tempo":
            events.append((message_tick, 0, message))
        elif message.type in _CONTROLS and message.channel != DRUM_CHANNEL:
            other = message
            if message.type == "program_change":
                program = chosen.program(message.channel, message.program)
                other = message.copy(program=among[program % len(among)] if among else program)
            events.append((message_tick, 1, other))
    if chosen.programs:  # for channels whose file never says what plays
        for channel, program in enumerate(chosen.programs):
            drawn = among[program % len(among)] if among else program
            events.append((0, 1, mido.Message("program_change", channel=channel, program=drawn)))
    for note in notes:
        pitch = min(max(note.pitch + chosen.semitones, 0), 127)
        events.append(
            (note.start, 3, mido.Message("note_on", channel=note.channel, note=pitch, velocity=note.velocity))
        )
        end = max(note.end, note.start + 1)
        events.append((end, 2, mido.Message("note_off", channel=note.channel, note=pitch)))
    return as_file(events, song.midi.ticks_per_beat)


def as_file(events: Sequence[tuple[int, int, mido.Message | mido.MetaMessage]], ticks_per_beat: int) -> mido.MidiFile:
    """A one-track file of messages with their tick and their turn among those of the same tick."""
    file = mido.MidiFile(ticks_per_beat=ticks_per_beat)
    track = mido.MidiTrack()
    file.tracks.append(track)
    last = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - last))
        last = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return file


def _messages(path: Path) -> Iterator[tuple[int, mido.Message | mido.MetaMessage]]:
    for track in mido.MidiFile(path, clip=True).tracks:
        tick = 0
        for message in track:
            tick += message.time
            yield tick, message


def transposed(score: Score, semitones: int) -> Score:
    """The score as another setting plays it."""
    bass = tuple(note._replace(pitch=note.pitch + semitones) for note in score.bass)
    return Score(score.drums, bass, score.beats_s, score.bars_s, score.length_s)


def groove_strokes(midi: MidiSong) -> list[tuple[float, int, float]]:
    """Beat, note and velocity of a performance's strokes."""
    return [
        (note.start / midi.ticks_per_beat, ROLAND.get(note.pitch, note.pitch), note.velocity / 127)
        for note in midi.notes
    ]


def tempo_of(beats_s: Sequence[float]) -> float:
    """Beats per minute of a stretch, by the middle one of its beats' lengths."""
    lengths: NDArray[np.float64] = np.diff(np.asarray(beats_s))
    return 60.0 / float(np.median(lengths)) if len(lengths) else DEFAULT_BPM
