"""Makes a mix of stems as somebody might: levels, rooms, ducking, colour, compression, a narrow codec.

What is done to all stems alike is done to each of them, so that they still add up to the mix; only what can't be taken
apart (saturation, coding) is done to the mix alone.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.signal
import soundfile

from offline.audio import RATE, Wave
from offline.transcription.lessons.draws import log_uniform as _log

BLOCK: Final = 64  # frames between two values of a slow gain
QUIET: Final = 1e-4
LEVEL_DB: Final = (-26.0, 0.0)
"""Peak of the finished mix."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A mix and what it is made of."""

    mix: Wave
    drums: Wave
    bass: Wave
    other: Wave


def mixed(drums: Wave, bass: Wave, other: Wave, kicks_s: Sequence[float], draw: np.random.Generator) -> Mixed:
    """The mix of three stems of equal length; which of them are there, and how loud, is drawn.

    Args:
        drums: stem.
        bass: stem.
        other: stem.
        kicks_s: when the kick sounds; the others may duck under it.
        draw: decides all.
    """
    gains = _gains(draw)
    stems = [_level(stem) * gain for stem, gain in zip((drums, bass, other), gains, strict=True)]
    if draw.random() < 0.35:
        stems[0] = _roomy(stems[0], draw, most=0.35)
    if draw.random() < 0.4:
        stems[2] = _roomy(stems[2], draw, most=0.6)
    stems = [_coloured(stem, draw) if draw.random() < 0.5 else stem for stem in stems]
    if draw.random() < 0.25:
        duck = _ducking(len(drums), kicks_s, draw)
        stems[1:] = [stem * duck for stem in stems[1:]]
    stems = _mastered(stems, draw)
    mix = np.sum(stems, axis=0, dtype=np.float32)
    level = np.float32(10 ** (draw.uniform(*LEVEL_DB) / 20) / max(float(np.abs(mix).max()), QUIET))
    mix, stems = _worn(mix * level, draw), [stem * level for stem in stems]
    return Mixed(mix, *(stem.astype(np.float32) for stem in stems))


def _gains(draw: np.random.Generator) -> tuple[np.float32, ...]:
    """Drums, bass, other: mostly all of them, now and then one alone or one missing."""
    bass_db, other_db = draw.uniform(-9.0, 5.0), draw.uniform(-14.0, 5.0)
    there = ((1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 1, 1), (1, 1, 0), (1, 0, 1))
    chosen = there[int(draw.choice(len(there), p=(0.71, 0.12, 0.03, 0.05, 0.05, 0.04)))]
    levels = (0.0, bass_db, other_db)
    return tuple(np.float32(is_there * 10 ** (level / 20)) for is_there, level in zip(chosen, levels, strict=True))


def _level(stem: Wave) -> Wave:
    """The stem with the mean power of its louder half at a common level."""
    blocks = stem[: len(stem) // 2048 * 2048].reshape(-1, 2048)
    power = np.sort((blocks**2).mean(axis=1))
    loud = float(np.sqrt(power[len(power) // 2 :].mean())) if len(power) else 0.0
    return stem * np.float32(0.1 / loud) if loud > QUIET else stem


def _roomy(stem: Wave, draw: np.random.Generator, *, most: float) -> Wave:
    """The stem in a room: decaying noise, darker than white."""
    fall_s = float(np.exp(draw.uniform(np.log(0.15), np.log(1.6))))
    frames = round(min(fall_s, 1.2) * RATE)
    tail = draw.standard_normal(frames) * np.exp(-6.9 * np.arange(frames) / RATE / fall_s)
    tail = scipy.signal.lfilter([0.4], [1.0, -0.6], tail)
    tail[: round(0.008 * RATE)] = 0.0
    wet = scipy.signal.oaconvolve(stem, (tail / np.sqrt((tail**2).sum())).astype(np.float32))[: len(stem)]
    return (stem + draw.uniform(0.05, most) * wet).astype(np.float32)


def _coloured(stem: Wave, draw: np.random.Generator) -> Wave:
    """Low or high end raised or lowered by up to 7 dB."""
    for hz, kind in ((_log(draw, 90, 500), "low"), (_log(draw, 1800, 8000), "high")):
        stem = scipy.signal.sosfilt(_shelf(hz, draw.uniform(-7, 7), kind), stem)
    return np.asarray(stem, np.float32)


def _shelf(hz: float, gain_db: float, kind: str) -> np.ndarray:
    """A first-order shelf: the sound plus more or less of its low or high part."""
    more = 10 ** (gain_db / 20) - 1.0
    b, a = scipy.signal.butter(1, hz, kind, fs=RATE)
    return np.array([[a[0] + more * b[0], a[1] + more * b[1], 0.0, a[0], a[1], 0.0]])


def _ducking(frames: int, kicks_s: Sequence[float], draw: np.random.Generator) -> Wave:
    """A gain that falls with each kick and comes back."""
    depth, back_s = draw.uniform(0.3, 0.95), draw.uniform(0.08, 0.3)
    since = np.full(frames // BLOCK + 2, 1e3)
    at = np.arange(len(since)) * BLOCK / RATE
    for kick in kicks_s:
        first = int(kick * RATE / BLOCK)
        since[first:] = at[first:] - at[min(first, len(at) - 1)]
    return _stretched(1.0 - depth * np.exp(-since / back_s * 2.0), frames)


def _mastered(stems: Sequence[Wave], draw: np.random.Generator) -> list[Wave]:
    """One compressor, one colour and one band limit for all stems."""
    out = list(stems)
    if draw.random() < 0.5:
        gain = _compression(np.sum(out, axis=0), draw)
        out = [stem * gain for stem in out]
    if draw.random() < 0.4:
        hz, gain_db = _log(draw, 300, 3000), draw.uniform(-5, 5)
        out = [np.asarray(scipy.signal.sosfilt(_shelf(hz, gain_db, "high"), stem), np.float32) for stem in out]
    if draw.random() < 0.3:
        sections = scipy.signal.butter(6, _log(draw, 9_000, 19_000), "low", fs=RATE, output="sos")
        out = [np.asarray(scipy.signal.sosfilt(sections, stem), np.float32) for stem in out]
    return out


def _compression(mix: Wave, draw: np.random.Generator) -> Wave:
    """The gain of a compressor that hears the mix."""
    blocks = np.pad(mix, (0, -len(mix) % BLOCK)).reshape(-1, BLOCK)
    power = (blocks.astype(np.float64) ** 2).mean(axis=1)
    slow = np.exp(-BLOCK / RATE / _log(draw, 0.005, 0.12))
    level = np.sqrt(scipy.signal.lfilter([1 - slow], [1.0, -slow], power))
    threshold = np.quantile(level, draw.uniform(0.3, 0.9)) + QUIET
    ratio = draw.uniform(1.5, 6.0)
    return _stretched(np.minimum(1.0, (np.maximum(level, QUIET) / threshold) ** (1.0 / ratio - 1.0)), len(mix))


def _worn(mix: Wave, draw: np.random.Generator) -> Wave:
    """Driven, noisy, or through a lossy codec."""
    if draw.random() < 0.25:
        peak, drive = max(float(np.abs(mix).max()), QUIET), draw.uniform(0.5, 3.0)
        mix = (np.tanh(mix / peak * drive) * peak / np.tanh(drive)).astype(np.float32)
    if draw.random() < 0.2:
        hiss = 10 ** draw.uniform(-4.5, -2.3) * float(np.abs(mix).max())
        mix = mix + (draw.standard_normal(len(mix)) * hiss).astype(np.float32)
    return _coded(mix) if draw.random() < 0.2 else mix


def _coded(mix: Wave) -> Wave:
    """The sound as Ogg Vorbis keeps it."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", RATE, 1, "VORBIS", format="OGG") as coder:
        for first in range(0, len(mix), RATE):  # more than a minute at once is more than libsndfile's stack holds
            coder.write(mix[first : first + RATE])
    file.seek(0)
    back = soundfile.read(file, dtype="float32")[0]
    return np.pad(back, (0, max(len(mix) - len(back), 0)))[: len(mix)].astype(np.float32)


def _stretched(values: np.ndarray, frames: int) -> Wave:
    return np.interp(np.arange(frames) / BLOCK, np.arange(len(values)), values).astype(np.float32)
