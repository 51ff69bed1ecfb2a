"""What a moment sounds like: of every band its level at the attack, how far it rose there, and its level later on.

Conventions: a byte for each number; the levels are those that the drum network looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.transcription.drums.spectrum import FPS, SIZE, Levels
from offline.transcription.heard import DrumHit

STEPS: Final = 160
"""Of a byte, from 60 dB below the loud frames up to them."""
BEFORE: Final = (-4, -1)
ATTACK: Final = (0, 3)
LATER: Final = (4, 9)
"""Frames, counted from the moment."""
LENGTH: Final = 3 * SIZE

Sounds = NDArray[np.uint8]


def with_sounds(hits: Sequence[DrumHit], seen: Levels) -> list[DrumHit]:
    """The hits of a stretch, each with its sound."""
    frames = np.array([min(round(hit.time_s * FPS), len(seen) - 1) for hit in hits], np.int64)
    told = [sound.tobytes() for sound in _sounds(seen, frames)]
    return [hit._replace(sound=sound) for hit, sound in zip(hits, told, strict=True)]


def as_array(sounds: Sequence[bytes]) -> Sounds:
    """The sounds of some hits, ``[sounds, LENGTH]``; silence where a transcriber does not tell."""
    return np.frombuffer(b"".join(sound or bytes(LENGTH) for sound in sounds), np.uint8).reshape(-1, LENGTH)


def _sounds(seen: Levels, frames: NDArray[np.int64]) -> Sounds:
    before, later = _around(seen, frames, BEFORE).mean(axis=1), _around(seen, frames, LATER).mean(axis=1)
    attack = _around(seen, frames, ATTACK).max(axis=1)
    every = np.concatenate([attack, np.maximum(attack - before, 0.0), later], axis=1)
    return np.clip(np.round(STEPS * every), 0, 255).astype(np.uint8)


def _around(seen: Levels, frames: NDArray[np.int64], span: tuple[int, int]) -> Levels:
    """Frames of a span about each moment, ``[moments, frames, SIZE]``; at the ends the last one goes on."""
    return seen[np.clip(frames[:, None] + np.arange(*span), 0, len(seen) - 1)]
