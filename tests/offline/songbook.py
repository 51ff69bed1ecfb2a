"""Small MIDI songs for tests: notes in beats, written as real files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import mido

TICKS = 480
STEP = 1 / 32  # of a beat

KICK, SNARE, HAT, CRASH, TOM = 36, 38, 42, 49, 45


def hit(beat: float, pitch: int = KICK, velocity: int = 100, length: float = 4 * STEP) -> tuple[float, float, int, int]:
    return beat, beat + length, pitch, velocity


def track(
    notes: Iterable[tuple[float, float, int, int]] = (),
    *,
    channel: int = 9,
    name: str = "",
    program: int | None = None,
    extra: Sequence[tuple[float, Any]] = (),
    until: float = 0.0,
) -> mido.MidiTrack:
    """One track; ``extra`` are further messages with their beats."""
    timed: list[tuple[float, int, Any]] = [(beat, 0, message) for beat, message in extra]
    if name:
        timed.append((0.0, 0, mido.MetaMessage("track_name", name=name)))
    if program is not None:
        timed.append((0.0, 0, mido.Message("program_change", channel=channel, program=program)))
    for start, end, pitch, velocity in notes:
        timed.append((start, 2, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        timed.append((end, 1, mido.Message("note_off", channel=channel, note=pitch)))
    made = mido.MidiTrack()
    now = 0
    for beat, _, message in sorted(timed, key=lambda item: item[:2]):
        tick = round(beat * TICKS)
        made.append(message.copy(time=tick - now))
        now = tick
    made.append(mido.MetaMessage("end_of_track", time=max(round(until * TICKS) - now, 0)))
    return made


def tempo(bpm: float, beat: float = 0.0) -> tuple[float, Any]:
    return beat, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))


def meter(beats: int, unit: int, beat: float = 0.0) -> tuple[float, Any]:
    return beat, mido.MetaMessage("time_signature", numerator=beats, denominator=unit)


def write(path: Path, *tracks: mido.MidiTrack, ticks: int = TICKS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    mido.MidiFile(type=1, ticks_per_beat=ticks, tracks=list(tracks)).save(path)
    return path


def beat_song(path: Path, bars: int = 4, shift: int = 0, bass: bool = True) -> Path:
    """Four on the floor with hats and, if wanted, a bass line; ``shift`` makes another song of it."""
    drums = [hit(beat, KICK) for beat in range(4 * bars)]
    drums += [hit(beat + 0.5, HAT, 60 + shift) for beat in range(4 * bars)]
    drums += [hit(bar * 4 + 1 + shift % 3, SNARE) for bar in range(bars)]
    tracks = [track(drums, extra=[tempo(124), meter(4, 4)], until=4 * bars)]
    if bass:
        line = [hit(bar * 4 + (2 * bar + shift) % 7 / 2, 40 + (bar + shift) % 9, 90, 0.9) for bar in range(bars)]
        tracks.append(track(line, channel=1, name="Bass", program=33))
    return write(path, *tracks)


def manifest(folder: Path, rows: Iterable[tuple[str, str, str, str]]) -> None:
    """A MANIFEST.csv of (path, author, licence, note)."""
    lines = ["path,author,licence,note", *(",".join(row) for row in rows)]
    (folder / "MANIFEST.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def library(folder: Path, songs: int = 6) -> Path:
    """A folder of licensed songs."""
    rows = []
    for index in range(songs):
        beat_song(folder / f"song{index}.mid", bars=3 + index % 2, shift=index, bass=index % 3 != 0)
        rows.append(
            (f"song{index}.mid", f"author {index}", ("CC0 1.0", "CC BY 4.0", "BSD-3-Clause")[index % 3], "style=house")
        )
    manifest(folder, rows)
    return folder
