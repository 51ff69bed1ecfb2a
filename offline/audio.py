"""Sound files as mono blocks at one rate, in bounded memory; what can't be used is told in one line.

Conventions: ``RATE`` is 44 100 Hz, whatever the file has; several channels are averaged; what is not a number counts as
silence and is counted. A recording that is nearly all such, or has no sound at all, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from hitloopd.core.errors import DeviceError

RATE: Final = 44_100
SUFFIXES: Final = (".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff", ".opus", ".w64", ".rf64", ".caf")
SHORTEST_S: Final = 0.15
"""A recording below this has no room for a sound and what was before it."""
SILENCE: Final = 1e-4
"""Peak (-80 dBFS) below which there is nothing to find."""
_BLOCK_FRAMES: Final = 1 << 17
_FULL_SCALE: Final = 0.9995
_LEAST_CLIP: Final = 3

Wave = NDArray[np.float32]


@dataclass(slots=True)
class Health:
    """What was met while reading a recording; grows with every block."""

    frames: int = 0
    peak: float = 0.0
    not_numbers: int = 0
    clipped: int = 0

    def warnings(self) -> list[str]:
        """One line for each thing the user should know."""
        found: list[str] = []
        if self.not_numbers:
            found.append(f"{self.not_numbers} values are not numbers; they were taken as silence")
        if self.clipped > 1e-4 * max(self.frames, 1):
            share = 100 * self.clipped / max(self.frames, 1)
            found.append(f"{share:.2g} % of the recording is clipped; its loudest sounds are distorted")
        return found


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file that can be opened.

    Args:
        path: of the file.
        rate: its own frames per second.
        channels: 1 to many.
        length_s: as its header says.
    """

    path: Path
    rate: int
    channels: int
    length_s: float
    health: Health = field(default_factory=Health, compare=False)


def sound_files(given: Sequence[Path]) -> list[Path]:
    """Those files, and the sound files in those folders; each once."""
    found: list[Path] = []
    for path in given:
        found += sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def open_recording(path: Path) -> Recording:
    """Look at a file's header.

    Raises:
        DeviceError: it is no sound file, is empty, or too short to hold a sound.
    """
    if not path.is_file():
        raise DeviceError(f"{path}: there is no such file.")
    try:
        info: Any = soundfile.info(str(path))
    except (RuntimeError, TypeError) as error:
        raise DeviceError(f"{path}: this is no sound file that can be read (WAV, FLAC, OGG, MP3).") from error
    length_s = info.frames / info.samplerate if info.samplerate else 0.0
    if length_s < SHORTEST_S:
        raise DeviceError(f"{path}: {length_s:.2f} s is too short; at least {SHORTEST_S} s are needed.")
    return Recording(path, int(info.samplerate), int(info.channels), length_s)


def blocks(recording: Recording) -> Iterator[Wave]:
    """The whole recording as mono at ``RATE``, block after block; fills ``recording.health``.

    Raises:
        DeviceError: the file breaks off or is damaged.
    """
    resampler = None if recording.rate == RATE else soxr.ResampleStream(recording.rate, RATE, 1, dtype="float32")
    frames = max(_BLOCK_FRAMES // recording.channels, 4096)
    for raw in _raw_blocks(recording, frames):
        mono = _clean(raw, recording.health)
        yield mono if resampler is None else resampler.resample_chunk(mono)
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _raw_blocks(recording: Recording, frames: int) -> Iterator[NDArray[np.float32]]:
    try:
        with soundfile.SoundFile(str(recording.path)) as file:
            while len(block := file.read(frames, dtype="float32", always_2d=True)):
                yield block
    except (RuntimeError, TypeError) as error:
        raise DeviceError(f"{recording.path}: the file is damaged: {error}") from error


def _clean(raw: NDArray[np.float32], health: Health) -> Wave:
    finite = np.isfinite(raw)
    bad = raw.size - int(np.count_nonzero(finite))
    if bad:
        raw = np.where(finite, raw, np.float32(0.0))
    loud = np.abs(raw).max(axis=1)
    flat = (loud >= _FULL_SCALE).astype(np.int8)
    runs = (
        np.convolve(flat, np.ones(_LEAST_CLIP, np.int8), "valid") == _LEAST_CLIP if len(flat) >= _LEAST_CLIP else flat
    )
    health.frames += len(raw)
    health.peak = max(health.peak, float(loud.max()))
    health.not_numbers += bad
    health.clipped += int(np.count_nonzero(runs))
    return raw.mean(axis=1, dtype=np.float32)


def stretches(recording: Recording, length: int, overlap: int) -> Iterator[tuple[int, Wave, bool]]:
    """Overlapping stretches of a recording: start frame at ``RATE``, sound, whether it is the last.

    Args:
        recording: to be read from its start.
        length: frames of a stretch.
        overlap: frames at its end that come again at the start of the next.
    """
    kept: list[Wave] = []
    have, start = 0, 0
    for block in blocks(recording):
        kept.append(block)
        have += len(block)
        while have >= length + overlap:
            sound = np.concatenate(kept)
            yield start, sound[:length], False
            kept, have, start = [sound[length - overlap :]], len(sound) - (length - overlap), start + length - overlap
    yield start, np.concatenate(kept) if kept else np.zeros(0, np.float32), True


def read_spans(recording: Recording, spans: Sequence[tuple[int, int]]) -> list[Wave]:
    """Spans (first frame, frames) at ``RATE``, all in one pass: seeking in compressed files costs more than reading on.

    What lies before the start or after the end of the recording is silence.

    Raises:
        DeviceError: the file is damaged.
    """
    found = [np.zeros(length, np.float32) for _, length in spans]
    order = sorted(range(len(spans)), key=lambda number: spans[number][0])
    last = max((first + length for first, length in spans), default=0)
    waiting, open_ones, at = 0, [], 0
    for block in blocks(Recording(recording.path, recording.rate, recording.channels, recording.length_s)):
        end = at + len(block)
        while waiting < len(order) and spans[order[waiting]][0] < end:
            open_ones.append(order[waiting])
            waiting += 1
        for number in open_ones:
            first, length = spans[number]
            low, high = max(first, at), min(first + length, end)
            found[number][low - first : high - first] = block[low - at : high - at]
        open_ones = [number for number in open_ones if sum(spans[number]) > end]
        at = end
        if at >= last:
            break
    return found


def read_sound(path: Path, *, most_s: float = 6.0) -> Wave:
    """A short sound, such as a one-shot, whole: mono at ``RATE``.

    Raises:
        DeviceError: it can't be read, or is silent.
    """
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            raw = file.read(round(most_s * rate), dtype="float32", always_2d=True)
    except (RuntimeError, TypeError) as error:
        raise DeviceError(f"{path}: this is no sound file that can be read (WAV, FLAC, OGG, MP3).") from error
    if not len(raw):
        raise DeviceError(f"{path}: the file holds no sound.")
    mono = _clean(raw, Health())
    sound = mono if rate == RATE else soxr.resample(mono, rate, RATE).astype(np.float32)
    if not len(sound) or float(np.abs(sound).max()) < SILENCE:
        raise DeviceError(f"{path}: the file is silent.")
    return sound
