"""Reads a MIDI file into notes, meters, tempos and programs, all on one time line; says why where it cannot.

Conventions: times are the file's own ticks from its start. Channels are 0-based, so drums are on channel 9.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import mido

from hitloopd.core.errors import RangeError

DRUM_CHANNEL: Final = 9
MAX_BYTES: Final = 8 << 20
MAX_NOTES: Final = 300_000
FINEST_UNIT: Final = 64  # a meter of shorter beats than 64ths is a broken byte
MAX_BEATS: Final = 40_000  # five hours at 133 BPM: no song, but a broken delta time
DEFAULT_BPM: Final = 120.0
MICROSECONDS_PER_MINUTE: Final = 60_000_000
UNENDED_BEATS: Final = 1  # how long a note lasts that is never ended: its end was lost, so it is not held for ever


class Heard(NamedTuple):
    """A note as the file has it."""

    start: int
    end: int
    pitch: int
    velocity: int
    channel: int
    track: int


class Meter(NamedTuple):
    """A time signature and where it begins."""

    tick: int
    beats: int
    unit: int


@dataclass(slots=True)
class MidiSong:
    """What a file holds.

    Args:
        ticks_per_beat: its resolution.
        notes: by start.
        meters: the changes, by tick.
        tempos: (tick, BPM), by tick.
        keys: (tick, name such as ``F#m``), by tick.
        names: track -> its name.
        programs: channel -> changes (tick, 0-based program), by tick.
        end: the tick of the last thing in it.
    """

    ticks_per_beat: int
    notes: list[Heard] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    tempos: list[tuple[int, float]] = field(default_factory=list)
    keys: list[tuple[int, str]] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    programs: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    end: int = 0

    def bpm_at(self, tick: int) -> float:
        """The tempo in force there; 120 before the first, as the format has it."""
        return _in_force(self.tempos, tick, DEFAULT_BPM)

    def program_at(self, channel: int, tick: int) -> int | None:
        """The channel's program there; none where the file never says."""
        return _in_force(self.programs.get(channel, []), tick, None)


def _in_force(changes: Sequence[tuple[int, Any]], tick: int, otherwise: Any) -> Any:  # noqa: ANN401 - as the table holds
    index = bisect_right(changes, tick, key=lambda change: change[0])
    return changes[index - 1][1] if index else otherwise


def read_midi(path: Path) -> MidiSong:
    """The file's music.

    Raises:
        RangeError: it is empty, too large, broken, or no time passes in it; the message says which.
    """
    size = path.stat().st_size
    if size == 0:
        raise RangeError("the file is empty")
    if size > MAX_BYTES:
        raise RangeError(f"the file is huge: {size / 2**20:.0f} MB, at most {MAX_BYTES >> 20} are read")
    try:
        file = mido.MidiFile(path, clip=True)
    except Exception as error:
        detail = " ".join(str(error).split())[:120]
        raise RangeError(
            f"not readable as MIDI ({type(error).__name__}{': ' if detail else ''}{detail or ', it ends too early'})"
        ) from error
    if not 0 < file.ticks_per_beat < 0x8000:
        raise RangeError(f"its time base {file.ticks_per_beat} is not in ticks per beat, so it has no bars")
    song = MidiSong(file.ticks_per_beat)
    for index, track in enumerate(file.tracks):
        _read_track(song, index, track)
    _check(song)
    return song


def _check(song: MidiSong) -> None:
    song.notes.sort()
    song.meters.sort(key=lambda meter: meter.tick)
    for changes in (song.tempos, song.keys, *song.programs.values()):
        changes.sort(key=lambda change: change[0])
    if not song.notes:
        raise RangeError("there is no note in it")
    if len(song.notes) > MAX_NOTES:
        raise RangeError(f"it has {len(song.notes)} notes, at most {MAX_NOTES} are read")
    if song.end <= 0:
        raise RangeError("no time passes in it: everything is at tick 0")
    if song.end > MAX_BEATS * song.ticks_per_beat:
        raise RangeError(f"it lasts {song.end // song.ticks_per_beat} beats, at most {MAX_BEATS} are read")


def _read_track(song: MidiSong, index: int, track: Any) -> None:  # noqa: ANN401 - mido is untyped
    held: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    tick = 0
    for message in track:
        tick += message.time
        kind = message.type
        if kind in {"note_on", "note_off"}:
            key = (message.channel, message.note)
            if kind == "note_on" and message.velocity:
                held[key].append((tick, message.velocity))
            elif held[key]:
                start, velocity = held[key].pop(0)
                song.notes.append(Heard(start, tick, message.note, velocity, message.channel, index))
        elif kind in _FACTS:
            with contextlib.suppress(ZeroDivisionError):  # a tempo of 0 µs per beat is no tempo: the one before holds
                _FACTS[kind](song, index, tick, message)
    for (channel, pitch), open_notes in held.items():
        for start, velocity in open_notes:
            end = min(tick, start + UNENDED_BEATS * song.ticks_per_beat)
            song.notes.append(Heard(start, end, pitch, velocity, channel, index))
    song.end = max(song.end, tick)


def _program(song: MidiSong, _track: int, tick: int, message: Any) -> None:  # noqa: ANN401
    song.programs.setdefault(message.channel, []).append((tick, message.program))


def _tempo(song: MidiSong, _track: int, tick: int, message: Any) -> None:  # noqa: ANN401
    song.tempos.append((tick, MICROSECONDS_PER_MINUTE / message.tempo))


def _meter(song: MidiSong, _track: int, tick: int, message: Any) -> None:  # noqa: ANN401
    if message.numerator and message.denominator <= FINEST_UNIT:
        song.meters.append(Meter(tick, message.numerator, message.denominator))


def _key(song: MidiSong, _track: int, tick: int, message: Any) -> None:  # noqa: ANN401
    song.keys.append((tick, message.key))


def _name(song: MidiSong, track: int, _tick: int, message: Any) -> None:  # noqa: ANN401
    song.names.setdefault(track, message.name)


_FACTS: Final = {
    "program_change": _program,
    "set_tempo": _tempo,
    "time_signature": _meter,
    "key_signature": _key,
    "track_name": _name,
}
