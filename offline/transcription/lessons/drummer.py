"""Plays drum notes on a kit: velocities, soft and hard strokes, hats that choke each other, a room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from offline.audio import RATE, Wave
from offline.transcription.lessons.kits import Kit
from offline.transcription.lessons.score import DrumNote

_KIND: Final[Mapping[int, str]] = (
    dict.fromkeys((35, 36), "kick")
    | dict.fromkeys((38, 40), "snare")
    | {37: "rim", 39: "clap", 46: "open_hat"}
    | dict.fromkeys((42, 44), "closed_hat")
    | dict.fromkeys((49, 52, 55, 57), "crash")
    | dict.fromkeys((51, 53, 59), "ride")
    | dict.fromkeys((41, 43, 45, 47, 48, 50), "tom")
)
CHOKED_S: Final = 0.012
_HATS: Final = ("closed_hat", "open_hat")


@dataclass(frozen=True, slots=True)
class Touch:
    """How a kit is played.

    Args:
        curve: level is velocity to this power.
        unsteady_db: strokes differ by so much at random.
        choke: a hat ends the open one before it.
        one_voice: a stroke ends the one before it on the same sound.
    """

    curve: float
    unsteady_db: float
    choke: bool
    one_voice: bool


def draw_touch(draw: np.random.Generator) -> Touch:
    """One way to play."""
    return Touch(draw.uniform(0.7, 2.2), draw.uniform(0.0, 1.5), bool(draw.random() < 0.85), bool(draw.random() < 0.4))


def played_drums(notes: Sequence[DrumNote], kit: Kit, touch: Touch, length_s: float, draw: np.random.Generator) -> Wave:
    """The drums of a piece."""
    out = np.zeros(round(length_s * RATE), np.float32)
    kinds = [_KIND.get(note.pitch, "perc") for note in notes]
    for index, (note, kind) in enumerate(zip(notes, kinds, strict=True)):
        stroke = kit[kind][note.pitch % len(kit[kind])]
        gain = note.velocity**touch.curve * 10 ** (draw.uniform(-1, 1) * touch.unsteady_db / 20)
        sound = (stroke.hard * note.velocity + stroke.soft * (1.0 - note.velocity)) * np.float32(gain)
        start = round(note.time_s * RATE) - stroke.lead
        sound = _ended(sound, _end(notes, kinds, index, touch) - start)
        low, high = max(start, 0), min(start + len(sound), len(out))
        if high > low:
            out[low:high] += sound[low - start : high - start]
    return out


def _end(notes: Sequence[DrumNote], kinds: Sequence[str], index: int, touch: Touch) -> int:
    """The frame at which a later stroke ends this one; far away where none does."""
    kind, far = kinds[index], 1 << 40
    if not (touch.choke and kind == "open_hat") and not touch.one_voice:
        return far
    ending = _HATS if touch.choke and kind == "open_hat" else (kind,)
    for later in range(index + 1, min(index + 40, len(notes))):
        same = kinds[later] != "perc" or notes[later].pitch == notes[index].pitch
        if kinds[later] in ending and same and notes[later].time_s > notes[index].time_s + 0.01:
            return round(notes[later].time_s * RATE)
    return far


def _ended(sound: Wave, frames: int) -> Wave:
    """The first so many frames, with a short fade after them."""
    fade = round(CHOKED_S * RATE)
    if frames + fade >= len(sound):
        return sound
    frames = max(frames, 0)
    out = sound[: frames + fade].copy()
    out[frames:] *= np.linspace(1.0, 0.0, len(out) - frames, dtype=np.float32)
    return out
