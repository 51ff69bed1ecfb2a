"""Sounds made once: a folder of .npz files whose names follow from what they hold."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hitloopd.io.synth.dsp import Signal
from hitloopd.io.synth.recipes import Bass, Recipe
from hitloopd.io.synth.voices import VERSION, render


class SoundCache:
    """Built-in sounds, from disk when they were made before.

    A file that is broken is made again; a folder that can't be written only costs the time of the next start.

    Args:
        folder: where to keep them; ``None`` keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.made = 0  # how many were rendered, for people and tests

    def sound(self, recipe: Recipe, rate: int, pitch: int = 36) -> Signal:
        """The sound of a recipe. Thread: one at a time. Real-time: no."""
        key = cache_key(recipe, rate, pitch if isinstance(recipe, Bass) else 0)
        return self._kept(key, lambda: render(recipe, rate, pitch))

    def _kept(self, key: str, make: Callable[[], Signal]) -> Signal:
        if self._folder is None:
            self.made += 1
            return make()
        path = self._folder / f"{key}.npz"
        known = _read(path)
        if known is not None:
            return known
        self.made += 1
        made = make()
        with contextlib.suppress(OSError):  # a cache that can't be written is slow, not wrong
            _write(path, made)
        return made


def cache_key(recipe: Recipe, rate: int, pitch: int) -> str:
    """Twenty hex digits of everything the sound follows from."""
    text = f"{VERSION}|{rate}|{pitch}|{recipe!r}"
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def _read(path: Path) -> Signal | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            sound = np.asarray(data["sound"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    whole = sound.ndim == 1 and sound.dtype == np.float32 and len(sound) > 0 and bool(np.isfinite(sound).all())
    return sound if whole else None


def _write(path: Path, sound: Signal) -> None:
    """Whole or not at all: written beside and renamed, so a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            np.savez(file, sound=sound)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
