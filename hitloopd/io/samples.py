"""Sounds of the user: WAV, FLAC and OGG files made ready for the bank."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import DeviceError, UnavailableError

MAX_SECONDS: Final = 12.0  # of one sample; what is longer is faded out there
BASS_ROOT: Final = 36  # the MIDI note a bass sample is taken to sound at; a slot's tuning corrects it
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
        data, rate = cast("tuple[Sound, int]", soundfile.read(str(path), dtype="float64", always_2d=True))
    except (RuntimeError, TypeError) as error:  # soundfile's own errors are RuntimeErrors
        raise DeviceError(f"{path} can't be read as WAV, FLAC or OGG: {error}") from error
    mono = data.mean(axis=1)
    if not len(mono) or not np.isfinite(mono).all():
        raise DeviceError(f"{path} holds no sound that can be played (empty, or not numbers).")
    return mono, rate


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
