"""Test recordings with known answers: one-shots planted at known times and levels into field sound.

Level: by how many decibels the loudest 50 ms of the one-shot exceed the field sound's mean power around the place.
Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from offline.audio import RATE, Wave
from offline.extraction.classes import Reference

LOUDEST_S: Final = 0.05
AROUND_S: Final = 0.5
ONSET_LEVEL: Final = 0.02  # of the peak: what lies before it in a one-shot's file is cut away (-34 dB)
QUIETEST: Final = 1e-3
FADE_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Event:
    """One planted sound: when it begins, what it is."""

    at_s: float
    lane: str
    name: str
    level_db: float


@dataclass(frozen=True, slots=True)
class Planted:
    """A recording with planted sounds, in order of time."""

    sound: Wave
    events: tuple[Event, ...]
    field: str
    level_db: float


def trimmed(sound: Wave) -> Wave:
    """A one-shot from its first audible frame on."""
    return sound[int(np.argmax(np.abs(sound) > ONSET_LEVEL * np.abs(sound).max())) :]


def loudest(sound: Wave) -> float:
    """Root of the mean power of the loudest 50 ms."""
    window = min(round(LOUDEST_S * RATE), len(sound))
    sums = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    return float(np.sqrt((sums[window:] - sums[:-window]).max() / window))


def mix_at(field: Wave, sound: Wave, start: int, level_db: float) -> Wave:
    """The part of ``sound`` that fits, at its level over the field around ``start``; as long as what fits."""
    half = round(AROUND_S * RATE)
    around = field[max(start - half, 0) : start + half]
    background = max(float(np.sqrt(np.mean(around.astype(np.float64) ** 2))), QUIETEST)
    fitting = sound[: len(field) - start].copy()
    fade = min(round(FADE_S * RATE), len(fitting))
    fitting[len(fitting) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return (fitting * np.float32(background * 10 ** (level_db / 20) / max(loudest(sound), 1e-9))).astype(np.float32)


def plant(
    field: Wave,
    name: str,
    sounds: Sequence[Reference],
    level_db: float,
    seed: int,
    *,
    every_s: float = 0.75,
) -> Planted:
    """Put one sound after the other into a field recording.

    Lanes take turns, so that each is there equally often; which of its sounds is drawn. The distance to the next is
    drawn between 0.6 and 1.4 of ``every_s``; a sound may ring into the next.

    Args:
        field: the recording, mono.
        name: what it is called.
        sounds: those to plant; they must have a lane.
        level_db: over the background.
        seed: decides all.
        every_s: mean distance.
    """
    draw = np.random.default_rng(seed)
    lanes = sorted({sound.lane for sound in sounds})
    out = field.astype(np.float32).copy()
    events: list[Event] = []
    order: list[str] = []
    at = 0.4 + 0.5 * draw.random()
    while at < len(field) / RATE - 0.4:
        order = order or list(draw.permutation(lanes))
        lane = order.pop()
        fitting = [sound for sound in sounds if sound.lane == lane]
        chosen = fitting[int(draw.integers(len(fitting)))]
        start = round(at * RATE)
        added = mix_at(field, trimmed(chosen.sound), start, level_db)
        out[start : start + len(added)] += added
        events.append(Event(start / RATE, lane, chosen.name, level_db))
        at += every_s * (0.6 + 0.8 * draw.random())
    peak = float(np.abs(out).max())
    return Planted(out * np.float32(0.98 / max(peak, 0.98)), tuple(events), name, level_db)
