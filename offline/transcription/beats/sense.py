"""How likely each moment is a beat, and the first beat of a bar; and how much begins there.

Conventions: frames and columns of ``beat_features``; tracks are ``float32 [frames]``.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from hitloopd.generate.learned import Session
from offline.transcription.beats.features import BANDS, FPS, Features
from offline.transcription.beats.sight import CONTEXT, beat_sight, rises
from offline.transcription.ear_files import network, read_card, shipped

KIND: Final = "beat-ear"
INPUT: Final = "sight"
OUTPUT: Final = "beats"
SHIPPED: Final = shipped(KIND)
"""The network that comes with hitloopd."""
GROUPS: Final = (slice(0, 5), slice(5, 14), slice(14, 26), slice(26, BANDS))
WEIGHTS: Final = (0.4, 0.2, 0.2, 0.2)
PIECE: Final = 180 * FPS
"""Frames that the network is shown at once, besides its context: what it needs of memory is known."""
_RISE: Final = 3  # frames between the powers that are compared: 30 ms
_NEAR: Final = 4 * FPS

Track = NDArray[np.float32]


class Sense(NamedTuple):
    """What was sensed, per frame."""

    beat: Track
    downbeat: Track


def sense_beats(features: Features, folder: Path = SHIPPED) -> Sense:
    """The probabilities for a song.

    Raises:
        UnavailableError: the network is not there, is damaged, or can't be run.
    """
    session = _session(folder)
    told = np.empty((2, len(features)), np.float32)
    for first in range(0, len(features), PIECE):
        last = min(first + PIECE, len(features))
        start = max(first - CONTEXT, 0)
        sight = beat_sight(features[start : last + CONTEXT])
        even = np.pad(sight, ((0, 0), (0, sight.shape[1] % 2)), mode="edge")
        told[:, first:last] = session.run([OUTPUT], {INPUT: even[None]})[0][0, :, first - start : last - start]
    return Sense(told[0], np.minimum(told[0], told[1]))


@functools.cache
def _session(folder: Path) -> Session:
    card = read_card(folder, KIND, "beat")
    return network(folder, card)


def onset_strength(features: Features) -> Track:
    """By how much each frame's rise in power stands out of its neighbourhood; the low end counts most."""
    total = np.zeros(len(features), np.float32)
    rise = rises(features[:, :BANDS], _RISE)
    for group, weight in zip(GROUPS, WEIGHTS, strict=True):
        total += np.float32(weight) * _standing_out(rise[:, group].mean(axis=1))
    return total


def _standing_out(track: Track) -> Track:
    near = scipy.ndimage.uniform_filter1d(track, _NEAR, mode="nearest")
    spread = np.sqrt(np.maximum(scipy.ndimage.uniform_filter1d(track**2, _NEAR, mode="nearest") - near**2, 0.0))
    return np.clip((track - near) / (spread + 0.5), 0.0, 8.0).astype(np.float32)
