"""From a recipe to a sound."""

from __future__ import annotations

import numpy as np

from hitloopd.io.synth import dsp
from hitloopd.io.synth.dsp import Signal
from hitloopd.io.synth.recipes import Bass, Drum, Hiss, Layer, Metal, Recipe, Thump

VERSION = 3  # of the formulas in dsp and here; part of the cache's key
MAX_PARTIAL_HZ = 11_000.0  # above it a bass has nothing that is heard beside hats


def render(recipe: Recipe, rate: int, pitch: int = 36) -> Signal:
    """The sound of ``recipe`` as ``float32 [frames]``; ``pitch`` is the MIDI note of a bass and nothing to a drum.

    Thread: any. Real-time: no.
    """
    return _bass(recipe, rate, pitch) if isinstance(recipe, Bass) else _drum(recipe, rate)


def _drum(recipe: Drum, rate: int) -> Signal:
    t = dsp.seconds(recipe.length_s, rate)
    x = dsp.mixed([_layer(layer, t, rate, recipe.seed + 101 * i) for i, layer in enumerate(recipe.layers)])
    x = dsp.saturate(x / np.abs(x).max(), recipe.drive)
    x = dsp.worn(x, rate, min(recipe.hold_hz, rate), recipe.bits)
    high_hz = recipe.high_hz if recipe.high_hz < 0.45 * rate else 0.0
    x = dsp.filtered(x, rate, low_hz=recipe.low_hz, high_hz=high_hz, order=2 if recipe.low_hz < 100.0 else 4)
    return dsp.finished(x, rate, recipe.peak, fade_out_s=min(0.03, recipe.length_s / 4))


def _layer(layer: Layer, t: Signal, rate: int, seed: int) -> Signal:
    match layer:
        case Thump():
            body = dsp.swept_sine(t, layer.start_hz, layer.end_hz, layer.sweep_s)
            body = dsp.saturate(body, layer.drive) * dsp.decay(t, layer.fall_s)
            return layer.level * body * dsp.attack(t, layer.rise_s)
        case Hiss():
            raw = _band(dsp.noise(len(t), seed), rate, layer.low_hz, layer.high_hz, layer.order)
            return layer.level * raw * _burst_envelope(layer, t)
        case Metal():
            ring = dsp.mixed([dsp.square(t, hz, rate) for hz in layer.hz]) / len(layer.hz)
            return layer.level * _band(ring, rate, layer.low_hz, layer.high_hz, 4) * dsp.decay(t, layer.fall_s)


def _band(x: Signal, rate: int, low_hz: float, high_hz: float, order: int) -> Signal:
    """The band, brought back to a peak of 1: a narrow band is not a quiet one."""
    limit = 0.45 * rate
    out = dsp.filtered(x, rate, low_hz=min(low_hz, limit), high_hz=high_hz if high_hz < limit else 0.0, order=order)
    return out / max(float(np.abs(out).max()), 1e-9)


def _burst_envelope(layer: Hiss, t: Signal) -> Signal:
    *early, last = layer.bursts
    shape = dsp.decay(t - last, layer.fall_s)
    for start in early:
        shape = np.maximum(shape, 0.8 * dsp.decay(t - start, layer.burst_fall_s))
    return shape


def _bass(recipe: Bass, rate: int, pitch: int) -> Signal:
    hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
    t = dsp.seconds(recipe.length_s, rate)
    bend = (recipe.drop - 1.0) * recipe.drop_s * (1.0 - np.exp(-t / recipe.drop_s))
    turns = hz * (t + bend)
    levels = _levels(recipe, hz, rate, len(t))
    random = np.random.default_rng(recipe.seed)
    oscillators = [
        dsp.partials(turns * 2.0 ** (cents / 1200) + (random.uniform() if cents else 0.0), levels)
        for cents in recipe.detune_cents
    ]
    body = dsp.mixed(oscillators) / len(oscillators) ** 0.5
    x = (1.0 - recipe.sub) * body / max(float(np.abs(body).max()), 1e-9) + recipe.sub * np.sin(dsp.TAU * turns)
    x = dsp.saturate(x, recipe.drive) * dsp.decay(t, recipe.fall_s) * dsp.attack(t, recipe.rise_s)
    return dsp.finished(x, rate, recipe.peak, fade_out_s=0.05)


def _levels(recipe: Bass, hz: float, rate: int, frames: int) -> Signal:
    """Level of each harmonic at every control point ``[harmonics, points]``: the waveform times the low-pass."""
    points = np.arange(frames // dsp.SEGMENT + 2) * (dsp.SEGMENT / rate)
    cutoff = hz * (recipe.rest + (recipe.cutoff - recipe.rest) * np.exp(-points / recipe.sweep_s))
    cutoff *= 1.0 + 0.3 * np.sin(dsp.TAU * recipe.wobble_hz * points)
    number = np.arange(1, max(int(min(MAX_PARTIAL_HZ, 0.45 * rate) / hz), 1) + 1)
    wave = np.where(number % 2 == 1, 1.0, recipe.saw) / number
    return wave[:, None] * dsp.lowpass_level(number[:, None] * hz, cutoff[None, :], recipe.resonance)
