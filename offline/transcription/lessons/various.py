"""More various sounds than those of usual kits: what is hardest to learn is that a snare may sound like much.

So may a hat, and in ``STRANGE`` kits what is none of the lanes: bells, hand drums, toms. All of them are louder beside
the snare than in most kits, for what is loud and strange is what is taken for one; and snares may be as low as toms.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from hitloopd.io.synth.dsp import worn
from hitloopd.io.synth.recipes import Drum, Hiss, Metal, Thump
from offline.audio import RATE, Wave
from offline.transcription.lessons.draws import log_uniform as _log
from offline.transcription.lessons.draws import noise_seed as _seed
from offline.transcription.lessons.kits import LEVEL_DB, RECIPES, Manner, Recipe

SYNTHESISED: Final = 0.5
REPITCHED: Final = 0.4
"""Share of the sounds at quite another pitch."""
REPITCHED_SEMITONES: Final = 6.0
STRANGE_SEMITONES: Final = 7.0
WORN: Final = 0.25
"""Share of the sounds that went through an old sampler."""
NOISE: Final = 0.5
"""Share of the synthesised snares and hats that are a burst of noise, with or without a body."""
UNUSUAL: Final = 0.7
"""Share of the synthesised toms and percussion of strange kits that are not those of usual ones."""
LOUD: Final[Mapping[str, tuple[float, float]]] = {
    "open_hat": (-6.0, 8.0),
    "crash": (-5.0, 7.0),
    "ride": (-8.0, 8.0),
    "tom": (-3.0, 6.0),
    "perc": (-4.0, 8.0),
}
"""Levels of strange kits that are others than those of usual ones."""


def _snares(lowest_hz: float, shortest_s: float, wires_level: Callable[[np.random.Generator], float]) -> Recipe:
    """As drum machines have it: any body, under noise of any length and band."""

    def snare(draw: np.random.Generator) -> Drum:
        if draw.random() >= NOISE:
            return RECIPES["snare"](draw)
        low = _log(draw, lowest_hz, 420.0)
        from_hz, sweep_s, fall_s = low * _log(draw, 1.0, 2.5), _log(draw, 0.004, 0.03), _log(draw, 0.04, 0.4)
        shell = Thump(from_hz, low, sweep_s, fall_s, draw.uniform(0.1, 1.0))
        second = Thump(*(2 * [low * draw.uniform(1.4, 2.2)]), 0.01, _log(draw, 0.03, 0.25), draw.uniform(0.0, 0.6))
        high_hz = _log(draw, 4_000.0, 18_000.0)
        wires = Hiss(_log(draw, 250.0, 3_500.0), high_hz, _log(draw, shortest_s, 0.6), wires_level(draw), order=2)
        length_s = max(shell.fall_s, wires.fall_s) + 0.05
        drive, low_hz = draw.uniform(0.0, 2.5), _log(draw, 40.0, 200.0)
        return Drum((shell, second, wires), length_s, 0.7, drive, low_hz, seed=_seed(draw))

    return snare


def _closed_hat(draw: np.random.Generator) -> Drum:
    """Noise as of an old drum machine: it begins lower than a hat of metal, and may be as long as a snare."""
    if draw.random() >= NOISE:
        return RECIPES["closed_hat"](draw)
    low_hz, high_hz = _log(draw, 1_500.0, 8_000.0), 0.0 if draw.random() < 0.5 else _log(draw, 9_000.0, 17_000.0)
    noise = Hiss(low_hz, high_hz, _log(draw, 0.03, 0.22), 1.0, order=2)
    return Drum((noise,), noise.fall_s + 0.03, 0.5, draw.uniform(0.0, 2.5), low_hz * 0.6, seed=_seed(draw))


def _tom(draw: np.random.Generator) -> Drum:
    """A skin without wires: at most a short click of the stick."""
    if draw.random() >= UNUSUAL:
        return RECIPES["tom"](draw)
    low = _log(draw, 60.0, 260.0)
    body = Thump(low * _log(draw, 1.0, 2.2), low, _log(draw, 0.01, 0.1), _log(draw, 0.12, 0.9), 1.0, draw.uniform(0, 2))
    stick = Hiss(
        _log(draw, 300.0, 1_500.0), _log(draw, 2_000.0, 7_000.0), _log(draw, 0.006, 0.03), draw.uniform(0, 0.3)
    )
    return Drum((body, stick), body.fall_s + 0.05, 0.7, draw.uniform(0.0, 1.5), 30.0, seed=_seed(draw))


def _bell(draw: np.random.Generator) -> Drum:
    low = _log(draw, 350.0, 1_700.0)
    count = int(draw.integers(2, 5))
    hz = tuple(float(low * ratio) for ratio in np.cumprod([1.0, *draw.uniform(1.15, 1.9, count - 1)]))
    ring = Metal(hz, _log(draw, 150.0, 900.0), _log(draw, 0.04, 0.7), 1.0, _log(draw, 3_000.0, 12_000.0))
    stick = Hiss(_log(draw, 1_000.0, 4_000.0), 0.0, _log(draw, 0.004, 0.02), draw.uniform(0.0, 0.4))
    return Drum((ring, stick), ring.fall_s + 0.05, 0.5, draw.uniform(0.0, 2.0), 200.0, seed=_seed(draw))


def _hand_drum(draw: np.random.Generator) -> Drum:
    low = _log(draw, 140.0, 700.0)
    skin = Thump(low * _log(draw, 1.0, 1.5), low, _log(draw, 0.005, 0.04), _log(draw, 0.05, 0.45), 1.0)
    over = Thump(*(2 * [low * draw.uniform(1.5, 2.4)]), 0.01, _log(draw, 0.03, 0.2), draw.uniform(0.0, 0.6))
    slap = Hiss(
        _log(draw, 600.0, 2_500.0), _log(draw, 3_000.0, 9_000.0), _log(draw, 0.006, 0.035), draw.uniform(0, 0.6)
    )
    return Drum((skin, over, slap), skin.fall_s + 0.05, 0.6, draw.uniform(0.0, 1.5), 80.0, seed=_seed(draw))


def _wood(draw: np.random.Generator) -> Drum:
    high = _log(draw, 700.0, 3_000.0)
    wood = Thump(high * _log(draw, 1.0, 1.1), high, 0.01, _log(draw, 0.04, 0.15), 1.0)
    return Drum((wood,), wood.fall_s + 0.05, 0.5, draw.uniform(0.0, 1.0), 300.0, seed=_seed(draw))


def _shaken(draw: np.random.Generator) -> Drum:
    """Grains, several of them: a single burst would be a hat."""
    gap = _log(draw, 0.012, 0.03)
    bursts = tuple(gap * number for number in range(int(draw.integers(3, 6))))
    grain = Hiss(_log(draw, 2_500.0, 7_000.0), 0.0, _log(draw, 0.05, 0.25), 1.0, bursts, _log(draw, 0.006, 0.02))
    ring = Metal((3_100.0, 4_700.0, 6_300.0), 3_000.0, _log(draw, 0.05, 0.3), draw.uniform(0.0, 0.4))
    return Drum((grain, ring), grain.fall_s + bursts[-1] + 0.05, 0.35, 0.5, 2_000.0, seed=_seed(draw))


_HANDS: Final[tuple[Recipe, ...]] = (_bell, _bell, _hand_drum, _hand_drum, _wood, _shaken)


def _perc(draw: np.random.Generator) -> Drum:
    if draw.random() >= UNUSUAL:
        return RECIPES["perc"](draw)
    return _HANDS[int(draw.integers(len(_HANDS)))](draw)


def aged(sound: Wave, draw: np.random.Generator, semitones: float = REPITCHED_SEMITONES) -> Wave:
    """The sound tuned up or down, and as a drum machine with little memory has it, each now and then."""
    if draw.random() < REPITCHED:
        ratio = 2.0 ** (draw.uniform(-semitones, semitones) / 12)
        count = max(int(len(sound) / ratio), 1)
        sound = np.interp(np.arange(count) * ratio, np.arange(len(sound)), sound).astype(np.float32)
    if draw.random() < WORN:
        peak = max(float(np.abs(sound).max()), 1e-9)
        sound = worn(sound / peak, RATE, _log(draw, 9_000, 26_000), int(draw.integers(7, 13))).astype(np.float32)
    return sound


_NOISY: Final[Mapping[str, Recipe]] = {
    **RECIPES,
    "snare": _snares(110.0, 0.05, lambda draw: draw.uniform(0.2, 1.0)),
    "closed_hat": _closed_hat,
}
_UNUSUAL: Final[Mapping[str, Recipe]] = {
    **_NOISY,
    "snare": _snares(85.0, 0.06, lambda draw: _log(draw, 0.15, 1.0)),
    "tom": _tom,
    "perc": _perc,
}
VARIOUS: Final = Manner(SYNTHESISED, _NOISY, aged)
"""Kits of noisier and worn sounds, at any pitch."""
STRANGE: Final = Manner(
    SYNTHESISED, _UNUSUAL, functools.partial(aged, semitones=STRANGE_SEMITONES), {**LEVEL_DB, **LOUD}
)
"""Such kits whose percussion is unusual too, and loud, and whose snares may be low."""
