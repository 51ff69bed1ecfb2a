"""Plays bass notes on a synthesiser of this project, another one with every draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hitloopd.io.synth.recipes import Bass
from hitloopd.io.synth.voices import render
from offline.audio import RATE, Wave
from offline.transcription.heard import BassNote

RELEASE_S = 0.02
LONGEST_S = 4.0


def draw_bass(draw: np.random.Generator) -> Bass:
    """A bass: anything between a pure sub, a plucked square and a detuned, wobbling saw."""
    pure = draw.random() < 0.25
    rest = float(np.exp(draw.uniform(np.log(1.0), np.log(8.0))))
    return Bass(
        saw=float(draw.random()),
        detune_cents=((0.0,), (-7.0, 7.0), (-12.0, 0.0, 12.0))[int(draw.integers(3))],
        cutoff=rest * float(np.exp(draw.uniform(0.0, np.log(8.0)))),
        rest=rest,
        sweep_s=float(np.exp(draw.uniform(np.log(0.03), np.log(0.6)))),
        resonance=float(np.exp(draw.uniform(np.log(0.7), np.log(6.0)))),
        sub=draw.uniform(0.7, 1.0) if pure else draw.uniform(0.0, 0.7),
        fall_s=float(np.exp(draw.uniform(np.log(0.4), np.log(12.0)))),
        length_s=LONGEST_S,
        peak=0.7,
        wobble_hz=draw.uniform(1.0, 8.0) if draw.random() < 0.2 else 0.0,
        drop=draw.uniform(1.5, 4.0) if draw.random() < 0.25 else 1.0,
        rise_s=float(np.exp(draw.uniform(np.log(0.001), np.log(0.02)))),
        drive=draw.uniform(0.0, 3.0),
        seed=int(draw.integers(1, 1 << 30)),
    )


def played_bass(notes: Sequence[BassNote], recipe: Bass, length_s: float) -> Wave:
    """The line on that bass, each note cut where it ends."""
    out = np.zeros(round(length_s * RATE), np.float32)
    longest = max((note.end_s - note.start_s for note in notes), default=0.0)
    recipe = replace(recipe, length_s=min(max(longest + 0.1, 0.3), LONGEST_S))
    voices: dict[int, Wave] = {}
    release = round(RELEASE_S * RATE)
    for note in notes:
        if note.pitch not in voices:
            voices[note.pitch] = np.asarray(render(recipe, RATE, note.pitch), np.float32)
        frames = round((note.end_s - note.start_s) * RATE)
        sound = voices[note.pitch][: frames + release] * np.float32(0.3 + 0.7 * note.velocity)
        fade = min(release, len(sound))
        sound[len(sound) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        start = round(note.start_s * RATE)
        fitting = sound[: max(len(out) - start, 0)]
        out[start : start + len(fitting)] += fitting
    return out
