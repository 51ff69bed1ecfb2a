"""The built-in sounds as tables. Change a number here and the cached sound is made again.

Conventions: seconds and Hz; ``fall_s`` is the time to -60 dB; ``level`` is the share in the mix of one sound's layers;
``peak`` is where the finished sound peaks, and with it its place in the kit: kicks highest, hats lowest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Thump:
    """A sine whose pitch falls: kick bodies, snare shells, toms and rims."""

    start_hz: float
    end_hz: float
    sweep_s: float
    fall_s: float
    level: float = 1.0
    drive: float = 0.0
    rise_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Hiss:
    """Noise in a band: snare wires, hats, clicks; several ``bursts`` (seconds) make the hands of a clap."""

    low_hz: float
    high_hz: float
    fall_s: float
    level: float = 1.0
    bursts: tuple[float, ...] = (0.0,)
    burst_fall_s: float = 0.02
    order: int = 4


@dataclass(frozen=True, slots=True)
class Metal:
    """A cluster of square waves with no common pitch, high-passed: the ring of hats and cymbals."""

    hz: tuple[float, ...]
    low_hz: float
    fall_s: float
    level: float = 1.0
    high_hz: float = 0.0


Layer = Thump | Hiss | Metal


@dataclass(frozen=True, slots=True)
class Drum:
    """Layers, then saturation, then the wear of an old sampler, then a band."""

    layers: tuple[Layer, ...]
    length_s: float
    peak: float
    drive: float = 0.0
    low_hz: float = 20.0
    high_hz: float = 0.0
    hold_hz: float = 0.0
    bits: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Bass:
    """A pitched voice: detuned oscillators through a low-pass that opens with the note and falls, plus a pure sub.

    Args:
        saw: 0 square .. 1 saw.
        detune_cents: one oscillator per entry.
        cutoff: the low-pass at the start, in multiples of the pitch (so every pitch speaks alike).
        rest: where it falls to, in multiples of the pitch.
        sweep_s: how long that takes, to 1/e.
        resonance: 0.7 flat .. 8 whistling.
        wobble_hz: a slow movement of the low-pass; 0 for none.
        sub: share of the pure sine at the pitch.
        drop: pitch at the very start in multiples of the note's, for the punch of an 808.
        drop_s: how fast it is at its note, to 1/e.
        rise_s: attack.
        fall_s: to -60 dB; what is held longer is silent then.
    """

    saw: float
    detune_cents: tuple[float, ...]
    cutoff: float
    rest: float
    sweep_s: float
    resonance: float
    sub: float
    fall_s: float
    length_s: float
    peak: float
    wobble_hz: float = 0.0
    drop: float = 1.0
    drop_s: float = 0.02
    rise_s: float = 0.003
    drive: float = 0.0
    seed: int = 1


Recipe = Drum | Bass

# Six inharmonic pitches a hat's ring is made of, found by ear; the wider the spread, the more it sizzles.
_BRIGHT: Final = (263.0, 391.0, 466.0, 587.0, 719.0, 877.0)
_DARK: Final = (211.0, 283.0, 367.0, 449.0, 557.0, 683.0)
_STEEL: Final = (317.0, 433.0, 611.0, 743.0, 971.0, 1153.0)

RECIPES: Final[Mapping[str, Recipe]] = {
    # ── house: round, warm, everything in its place ─────────────────────────────────────────────────────────────
    "house/kick": Drum(
        (
            Thump(240.0, 48.0, 0.020, 0.62, drive=1.2),
            Thump(1900.0, 160.0, 0.003, 0.022, 0.32),
            Hiss(1800.0, 7000.0, 0.008, 0.10),
        ),
        0.58,
        0.90,
        drive=0.9,
    ),
    "house/snare": Drum(
        (
            Hiss(850.0, 2600.0, 0.38, 1.0, bursts=(0.0, 0.0105, 0.021, 0.0305), burst_fall_s=0.030),
            Hiss(2400.0, 9500.0, 0.26, 0.34, bursts=(0.0, 0.0105, 0.0305), burst_fall_s=0.022),
        ),
        0.42,
        0.70,
        drive=1.1,
        low_hz=420.0,
        seed=11,
    ),
    "house/hihat": Drum(
        (Metal(_BRIGHT, 7600.0, 0.150, 0.8), Hiss(8200.0, 0.0, 0.120, 0.65)), 0.14, 0.38, low_hz=6800.0, seed=12
    ),
    "house/cymbal": Drum(
        (Metal(_BRIGHT, 7000.0, 0.70, 0.7), Hiss(7600.0, 0.0, 0.60, 0.60)), 0.60, 0.34, low_hz=6200.0, seed=13
    ),
    "house/bass": Bass(0.45, (0.0,), 12.0, 3.0, 0.080, 1.5, 0.30, 0.95, 0.95, 0.40, rise_s=0.003, drive=1.2),
    # ── techno: hard, dry, mechanical ───────────────────────────────────────────────────────────────────────────
    "techno/kick": Drum(
        (
            Thump(400.0, 46.0, 0.014, 0.56, drive=2.6),
            Thump(3200.0, 240.0, 0.0025, 0.018, 0.42),
            Hiss(900.0, 5000.0, 0.030, 0.10),
        ),
        0.54,
        0.90,
        drive=1.8,
    ),
    "techno/snare": Drum(
        (
            Thump(1120.0, 860.0, 0.004, 0.090, 0.50, drive=2.0),
            Thump(420.0, 330.0, 0.006, 0.110, 0.40),
            Hiss(1300.0, 5200.0, 0.32, 0.95, bursts=(0.0, 0.009, 0.019), burst_fall_s=0.026),
        ),
        0.34,
        0.76,
        drive=2.4,
        low_hz=300.0,
        seed=21,
    ),
    "techno/hihat": Drum(
        (Metal(_STEEL, 8200.0, 0.110, 1.0), Hiss(9000.0, 0.0, 0.070, 0.30)),
        0.11,
        0.36,
        drive=1.0,
        low_hz=7200.0,
        seed=22,
    ),
    "techno/cymbal": Drum(
        (Metal(_STEEL, 7000.0, 0.55, 1.0), Hiss(8000.0, 0.0, 0.42, 0.30)), 0.50, 0.32, drive=1.0, low_hz=6400.0, seed=23
    ),
    "techno/bass": Bass(0.95, (0.0,), 26.0, 2.6, 0.085, 5.0, 0.15, 0.90, 0.90, 0.38, rise_s=0.002, drive=2.4),
    # ── hip-hop: dusty, loose, through an old sampler ───────────────────────────────────────────────────────────
    "hiphop/kick": Drum(
        (
            Thump(190.0, 55.0, 0.020, 0.46, drive=1.6),
            Thump(820.0, 190.0, 0.006, 0.030, 0.30),
            Hiss(150.0, 1800.0, 0.060, 0.16),
        ),
        0.46,
        0.90,
        drive=1.6,
        high_hz=6500.0,
        hold_hz=26000.0,
        bits=12,
        seed=31,
    ),
    "hiphop/snare": Drum(
        (
            Thump(290.0, 188.0, 0.010, 0.24, 0.60, drive=1.4),
            Thump(470.0, 355.0, 0.008, 0.120, 0.30),
            Hiss(900.0, 7800.0, 0.36, 1.30),
            Hiss(2500.0, 9000.0, 0.040, 0.60),
        ),
        0.38,
        0.80,
        drive=2.8,
        low_hz=120.0,
        high_hz=9500.0,
        hold_hz=26000.0,
        bits=12,
        seed=32,
    ),
    "hiphop/hihat": Drum(
        (Metal(_DARK, 5600.0, 0.130, 0.6), Hiss(5600.0, 11000.0, 0.130, 0.85)),
        0.14,
        0.34,
        low_hz=5200.0,
        high_hz=11500.0,
        hold_hz=26000.0,
        bits=10,
        seed=33,
    ),
    "hiphop/cymbal": Drum(
        (Metal(_DARK, 5400.0, 0.45, 0.6), Hiss(5400.0, 11000.0, 0.38, 0.7)),
        0.50,
        0.28,
        low_hz=5200.0,
        high_hz=11500.0,
        hold_hz=26000.0,
        bits=10,
        seed=34,
    ),
    "hiphop/bass": Bass(0.2, (0.0,), 5.0, 2.2, 0.140, 0.9, 0.80, 2.60, 2.40, 0.36, rise_s=0.006, drive=1.5),
    # ── drum and bass: tight, bright, fast ──────────────────────────────────────────────────────────────────────
    "dnb/kick": Drum(
        (
            Thump(310.0, 56.0, 0.012, 0.36, drive=1.8),
            Thump(2600.0, 300.0, 0.003, 0.018, 0.42),
            Hiss(2500.0, 9000.0, 0.012, 0.18),
        ),
        0.36,
        0.90,
        drive=1.4,
        seed=41,
    ),
    "dnb/snare": Drum(
        (
            Thump(340.0, 204.0, 0.008, 0.24, 0.65, drive=1.2),
            Thump(720.0, 428.0, 0.006, 0.120, 0.35),
            Hiss(1800.0, 14000.0, 0.32, 1.25),
            Hiss(4500.0, 0.0, 0.045, 0.70),
        ),
        0.34,
        0.82,
        drive=2.6,
        low_hz=150.0,
        seed=42,
    ),
    "dnb/hihat": Drum(
        (Metal(_STEEL, 8800.0, 0.100, 0.6), Hiss(9500.0, 0.0, 0.110, 0.8)), 0.11, 0.36, low_hz=7800.0, seed=43
    ),
    "dnb/cymbal": Drum(
        (Metal(_BRIGHT, 6200.0, 0.75, 0.6), Hiss(6800.0, 0.0, 0.65, 0.65)), 0.75, 0.32, low_hz=5600.0, seed=44
    ),
    "dnb/bass": Bass(
        1.0, (-14.0, 3.0, 17.0), 16.0, 9.0, 0.300, 1.2, 0.28, 3.60, 2.20, 0.38, wobble_hz=1.3, rise_s=0.006, drive=2.2
    ),
    # ── trap: the long 808 does the work ────────────────────────────────────────────────────────────────────────
    "trap/kick": Drum(
        (Thump(210.0, 52.0, 0.018, 0.42, drive=2.2), Thump(1500.0, 210.0, 0.004, 0.020, 0.38)), 0.42, 0.88, drive=1.8
    ),
    "trap/snare": Drum(
        (
            Thump(310.0, 222.0, 0.007, 0.18, 0.50),
            Hiss(1500.0, 12000.0, 0.30, 1.0, bursts=(0.0, 0.007, 0.016), burst_fall_s=0.022),
            Hiss(6000.0, 0.0, 0.020, 0.40),
        ),
        0.32,
        0.80,
        drive=2.2,
        low_hz=170.0,
        seed=51,
    ),
    "trap/hihat": Drum(
        (Metal(_BRIGHT, 8800.0, 0.080, 1.0), Hiss(9800.0, 0.0, 0.060, 0.3)), 0.08, 0.36, low_hz=8000.0, seed=52
    ),
    "trap/cymbal": Drum(
        (Metal(_BRIGHT, 7200.0, 0.48, 0.9), Hiss(8200.0, 0.0, 0.34, 0.35)), 0.50, 0.30, low_hz=6400.0, seed=53
    ),
    "trap/bass": Bass(
        0.0, (0.0,), 3.4, 1.6, 0.090, 0.7, 0.90, 2.30, 2.30, 0.38, drop=2.6, drop_s=0.016, rise_s=0.002, drive=2.6
    ),
}
