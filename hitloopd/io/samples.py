"""Sounds of the user: WAV, FLAC and OGG files made ready for the bank."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import DeviceError, UnavailableError

MAX_SECONDS: Final = 12.0  # of one sample; what is longer is faded out there
READ_SECONDS: Final = 4 * MAX_SECONDS  # tuned up by two octaves that much is heard; a file may be hours long
KEPT_BYTES: Final = 64 * 1024 * 1024
EDGE_IN_S: Final = 0.0005
EDGE_OUT_S: Final = 0.005

Sound = NDArray[np.floating[Any]]


def read_sample(path: Path) -> tuple[Sound, int]:
    """A file as mono ``float64 [frames]`` and its rate; several channels are averaged.

    Raises:
        DeviceError: it is not there, or not a sound.
        UnavailableError: soundfile is not installed.
    """
    try:
        import soundfile  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - only kits with the user's own samples need it
    except (ImportError, OSError) as error:
        raise UnavailableError(f"Reading {path} needs soundfile: pip install soundfile ({error}).") from error
    if not path.is_file():
        raise DeviceError(f"There is no sample {path}. Paths in a kit are relative to the kit file.")
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            data = cast("Sound", file.read(round(READ_SECONDS * rate), dtype="float64", always_2d=True))
    except (RuntimeError, TypeError) as error:  # soundfile's own errors are RuntimeErrors
        raise DeviceError(f"{path} can't be read as WAV, FLAC or OGG: {error}") from error
    mono = data.mean(axis=1)
    if not len(mono) or not np.isfinite(mono).all():
        raise DeviceError(f"{path} holds no sound that can be played (empty, or not numbers).")
    return mono, rate


class FileSounds:
    """Sounds from files, kept as long as there is room and the file is the same: for swaps that change one lane."""

    def __init__(self, room: int = KEPT_BYTES) -> None:
        self._room = room
        self._used = 0
        self._raw: dict[tuple[str, int, int], tuple[Sound, int]] = {}
        self._made: dict[tuple[tuple[str, int, int], int, float], Sound] = {}

    def raw(self, path: Path) -> tuple[Sound, int]:
        """As ``read_sample``; raises as it does. Thread: one at a time. Real-time: no."""
        key = self._key(path)
        if key not in self._raw:
            sound, rate = read_sample(path)
            self._make_room(sound)
            self._raw[key] = sound, rate
        return self._raw[key]

    def made(self, path: Path, rate: int, semitones: float) -> Sound:
        """Ready for the bank, at its rate and moved by so many semitones; raises as ``read_sample``."""
        key = (self._key(path), rate, semitones)
        if key not in self._made:
            raw, own_rate = self.raw(path)
            sound = prepared(at_rate(raw, own_rate, rate, semitones), rate)
            self._make_room(sound)
            self._made[key] = sound
        return self._made[key]

    def _key(self, path: Path) -> tuple[str, int, int]:
        try:
            there = path.stat()
        except OSError:
            return str(path), 0, 0  # reading it says what is wrong
        return str(path), there.st_mtime_ns, there.st_size

    def _make_room(self, sound: Sound) -> None:
        self._used += sound.nbytes
        if self._used > self._room:
            self._raw.clear()
            self._made.clear()
            self._used = sound.nbytes


def at_rate(x: Sound, rate: int, target: int, semitones: float = 0.0) -> Sound:
    """``x`` at another rate and pitch, through its spectrum: no aliasing, and the length follows the pitch.

    Args:
        x: mono sound at ``rate``.
        rate: its frames per second.
        target: the bank's.
        semitones: up (shorter) or down (longer).
    """
    ratio = target / rate * 2.0 ** (-semitones / 12)
    if abs(ratio - 1.0) < 1e-9:
        return x
    padded = len(x) + 2048  # room for what rings past the end, instead of at the start
    frames = round(padded * ratio)
    spectrum = np.fft.rfft(x, padded)
    out = np.fft.irfft(spectrum[: frames // 2 + 1], frames) * (frames / padded)
    return out[: max(round(len(x) * ratio), 1)]


def prepared(x: Sound, rate: int) -> Sound:
    """``float32`` with edges that don't click and no longer than ``MAX_SECONDS``; the level is the user's own."""
    x = np.array(x[: round(MAX_SECONDS * rate)], dtype=np.float64)
    rise, fall = (min(round(s * rate), len(x) // 2) for s in (EDGE_IN_S, EDGE_OUT_S))
    if abs(x[0]) > 1e-4:
        x[:rise] *= np.linspace(0.0, 1.0, rise, endpoint=False)
    x[len(x) - fall :] *= np.linspace(1.0, 0.0, fall)
    return x.astype(np.float32)
