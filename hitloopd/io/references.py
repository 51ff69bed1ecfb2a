"""Reference one-shots for whoever has none: the built-in kits' own sounds as WAV files, one folder per kind.

They tell the extraction what a kick, a snare, a hat, a cymbal and a bass are like. Made once, kept in the cache.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from hitloopd.core.errors import DeviceError, UnavailableError
from hitloopd.io.synth.cache import SoundCache
from hitloopd.io.synth.recipes import RECIPES, Bass
from hitloopd.io.synth.voices import VERSION

RATE: Final = 44_100
BASS_PITCHES: Final = (28, 36, 43)
LONGEST_S: Final = 1.0
KINDS: Final = {"kick": "kick", "snare": "snare", "hihat": "closed_hat", "cymbal": "cymbal", "bass": "bass"}
"""The lane that a recipe's name ends with -> the folder that its sound goes to."""


def references(cache: Path) -> Path:
    """The folder of references below ``cache``; made where it is not there yet.

    Raises:
        UnavailableError: soundfile is not installed.
        DeviceError: the cache can't be written.

    Thread: any. Real-time: no (a second at the first time).
    """
    mark = hashlib.blake2b(f"{VERSION}|{RATE}|{BASS_PITCHES}|{RECIPES!r}".encode(), digest_size=6).hexdigest()
    folder = cache / f"references-{mark}"
    done = folder / "whole"
    if done.is_file():
        return folder
    try:
        for name, sound in _sounds(cache):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, sound)
        done.touch()
    except OSError as error:
        raise DeviceError(f"{folder} can't be written: {error}. Name a folder with --references.") from error
    return folder


def _sounds(cache: Path) -> list[tuple[str, Any]]:
    made = SoundCache(cache)
    found: list[tuple[str, Any]] = []
    for name, recipe in RECIPES.items():
        kit, _, lane = name.rpartition("/")
        kind = KINDS.get(lane)
        if kind is None:
            continue
        for pitch in BASS_PITCHES if isinstance(recipe, Bass) else (0,):
            sound = made.sound(recipe, RATE, pitch)[: round(LONGEST_S * RATE)]
            found.append((f"{kind}/hitloopd-{kit}{f'-{pitch}' if pitch else ''}.wav", np.asarray(sound)))
    return found


def _write(path: Path, sound: Any) -> None:  # noqa: ANN401 - float32 [frames]
    try:
        import soundfile  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - only who extracts needs it
    except (ImportError, OSError) as error:
        raise UnavailableError(f"Writing {path} needs soundfile: pip install soundfile ({error}).") from error
    soundfile.write(str(path), sound, RATE, "PCM_24")
