"""Bass notes by Spotify's Basic Pitch, called as a program: its package wants a TensorFlow and a numpy of its own.

It is looked for in ``HITLOOP_BASIC_PITCH`` and on the path. It hears chords; of what sounds together below the highest
bass note, the lowest is taken for the bass.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import soundfile
import soxr

from hitloopd.core.errors import DeviceError, UnavailableError
from offline.audio import RATE
from offline.transcription.heard import BassNote, Stems

VARIABLE: Final = "HITLOOP_BASIC_PITCH"
PROGRAM: Final = "basic-pitch"
ITS_RATE: Final = 22_050
LOWEST_HZ: Final = 27.5
HIGHEST_HZ: Final = 400.0
SAME_START_S: Final = 0.03
"""Notes that begin within it are struck together."""
SHORTEST_S: Final = 0.05
_SONG: Final = "song"
_MOST_VELOCITY: Final = 127


@dataclass(frozen=True, slots=True)
class BasicPitch:
    """The program in an environment of its own."""

    program: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> BasicPitch:
        """The program that ``HITLOOP_BASIC_PITCH`` names, or the one on the path.

        Raises:
            UnavailableError: it is not there.
        """
        named = environment.get(VARIABLE, "")
        found = shutil.which(named or PROGRAM, path=environment.get("PATH"))
        if found is None:
            where = (
                f"{VARIABLE} names '{named}', which is no program" if named else f"there is no {PROGRAM} on the path"
            )
            raise UnavailableError(
                f"The bass transcriber 'basic-pitch' is not installed: {where}. In an environment of its own "
                f"(Python 3.11 or older): pip install 'basic-pitch==0.4.0' 'setuptools<81'; then set {VARIABLE}."
            )
        return cls(Path(found))

    @property
    def name(self) -> str:
        """For tables and provenance."""
        return "basic-pitch"

    def bass_notes(self, stems: Stems) -> Sequence[BassNote]:
        """The notes of a stretch, one at a time.

        Raises:
            DeviceError: the program failed; the message has its last words.
        """
        if not stems.bass.any():
            return []
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            sound = folder / f"{_SONG}.wav"
            soundfile.write(sound, soxr.resample(stems.bass, RATE, ITS_RATE), ITS_RATE, subtype="FLOAT")
            self._run(folder, sound)
            events = folder / f"{_SONG}_basic_pitch.csv"
            if not events.is_file():
                raise DeviceError(f"{self.program} wrote no notes.")
            return lowest_line(read_events(events.read_text(encoding="utf-8")))

    def _run(self, folder: Path, sound: Path) -> None:
        band = ["--minimum-frequency", str(LOWEST_HZ), "--maximum-frequency", str(HIGHEST_HZ)]
        words = [str(self.program), *band, "--save-note-events", str(folder), str(sound)]
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONIOENCODING": "utf-8"}
        quiet.pop("PYTHONPATH", None)  # its own packages, not ours
        done = subprocess.run(words, env=quiet, capture_output=True, check=False)  # noqa: S603 - no shell
        if done.returncode:
            told = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise DeviceError(f"{self.program} failed: {told[-1][:200] if told else f'code {done.returncode}'}")


def read_events(text: str) -> list[BassNote]:
    """The notes of its table of events; what follows the fourth column are bends.

    Raises:
        DeviceError: it is no such table.
    """
    rows = csv.reader(text.splitlines())
    next(rows, None)
    try:
        return [
            BassNote(float(row[0]), float(row[1]), int(row[2]), int(row[3]) / _MOST_VELOCITY, 1.0)
            for row in rows
            if row
        ]
    except (ValueError, IndexError) as error:
        raise DeviceError("What Basic Pitch wrote is no table of notes; this reads version 0.4.") from error


def lowest_line(notes: Iterable[BassNote]) -> list[BassNote]:
    """One voice: of notes struck together the lowest; a lower one ends or hides what is above it."""
    line: list[BassNote] = []
    for note in sorted(notes, key=lambda note: (note.start_s, note.pitch)):
        last = line[-1] if line else None
        if last is not None and note.start_s < last.end_s:
            if note.pitch > last.pitch:
                continue
            line.pop()
            if note.start_s - last.start_s > SAME_START_S:
                line.append(last._replace(end_s=note.start_s))
        line.append(note)
    return [note for note in line if note.end_s - note.start_s >= SHORTEST_S]
