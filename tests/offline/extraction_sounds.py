"""Synthetic one-shots and recordings for the tests of the extraction: everything follows from seeds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

RATE = 44_100


def _once(make: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Made once and written to by nobody: songs of the tests have hundreds of the same hit."""

    @functools.cache
    def made(*arguments: float, **named: float) -> np.ndarray:
        sound = make(*arguments, **named)
        sound.flags.writeable = False
        return sound

    return functools.wraps(make)(made)


def _t(length_s: float) -> np.ndarray:
    return np.arange(round(length_s * RATE)) / RATE


@_once
def kick(hz: float = 50.0) -> np.ndarray:
    t = _t(0.3)
    return (np.sin(2 * np.pi * (hz * t + 4.0 * (1 - np.exp(-t * 40)))) * np.exp(-t * 12)).astype(np.float32)


@_once
def snare(seed: int = 1) -> np.ndarray:
    t = _t(0.2)
    hiss = np.random.default_rng(seed).normal(0, 0.3, len(t))
    return ((hiss + 0.5 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 25)).astype(np.float32)


@_once
def hat(seed: int = 2, fall: float = 60.0) -> np.ndarray:
    t = _t(0.15)
    hiss = np.diff(np.random.default_rng(seed).normal(0, 0.3, len(t) + 2), 2)
    return (hiss * np.exp(-t * fall)).astype(np.float32)


@_once
def cymbal(seed: int = 3) -> np.ndarray:
    t = _t(1.2)
    hiss = np.diff(np.random.default_rng(seed).normal(0, 0.3, len(t) + 1))
    return (hiss * np.exp(-t * 3)).astype(np.float32)


@_once
def bass(hz: float = 55.0) -> np.ndarray:
    t = _t(0.8)
    return (sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 6)) * 0.4 * np.exp(-t * 2)).astype(np.float32)


MAKERS = {"kick": kick, "snare": snare, "closed_hat": hat, "cymbal": cymbal, "bass": bass}


def references(folder: Path, kinds: tuple[str, ...] = tuple(MAKERS)) -> Path:
    """A folder with one or two one-shots of each class."""
    for kind in kinds:
        (folder / kind).mkdir(parents=True)
        soundfile.write(folder / kind / "one.wav", MAKERS[kind](), RATE)
    if "kick" in kinds:
        soundfile.write(folder / "kick" / "two.wav", kick(60.0), RATE)
    return folder


def noise(length_s: float, level: float = 0.01, seed: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, round(length_s * RATE)).astype(np.float32)


def recording(places: dict[float, np.ndarray], length_s: float, level: float = 0.01) -> np.ndarray:
    """Sounds at seconds in noise."""
    out = noise(length_s, level)
    for at_s, sound in places.items():
        start = round(at_s * RATE)
        out[start : start + len(sound)] += 0.5 * sound[: len(out) - start]
    return out
