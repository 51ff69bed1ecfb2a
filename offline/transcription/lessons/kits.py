"""Drum kits to learn from: one-shots, and sounds synthesised from recipes drawn at random.

A kit has some sounds for each kind of drum. Each is aligned to its attack, so that the time of a hit is the moment at
which it is heard, and comes in a hard and a soft version. The kits that transcription is judged with are kept out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import scipy.signal

from hitloopd.io.synth.recipes import Drum, Hiss, Metal, Thump
from hitloopd.io.synth.voices import render
from offline.audio import RATE, Wave
from offline.extraction.classes import Reference, load_references
from offline.extraction.general_midi import own_sounds
from offline.extraction.lessons import kit_of, varied
from offline.extraction.planted import loudest, trimmed
from offline.transcription.lessons.draws import log_uniform as _log
from offline.transcription.lessons.draws import noise_seed as _seed

JUDGED_KITS: Final = frozenset({"lm-2", "tr-505"})
NO_DRUMS: Final = frozenset({"fluidr3"})
KINDS: Final = ("kick", "snare", "rim", "clap", "closed_hat", "open_hat", "crash", "ride", "tom", "perc")
LEVEL_DB: Final[Mapping[str, tuple[float, float]]] = {
    # loudness of the loudest 50 ms, and how far kits stray from it
    "kick": (0.0, 4.0),
    "snare": (-2.0, 5.0),
    "rim": (-5.0, 5.0),
    "clap": (-3.0, 5.0),
    "closed_hat": (-10.0, 8.0),
    "open_hat": (-9.0, 7.0),
    "crash": (-7.0, 6.0),
    "ride": (-11.0, 7.0),
    "tom": (-4.0, 5.0),
    "perc": (-10.0, 7.0),
}
FLAT: Final = 0.3
"""Share of the kits whose sounds are nearly equally loud, as in a folder of normalised files."""
SYNTHESISED: Final = 0.35
"""Share of the sounds that are made from a recipe."""
MIXED: Final = 0.6
"""Share of the kits whose sounds come from anywhere."""
VALIDATION_SHARE: Final = 0.2
ATTACK: Final = 0.25  # of the peak of the first 60 ms: here a hit is heard
ATTACK_S: Final = 0.06
SEVERAL: Final[Mapping[str, int]] = {"tom": 3, "perc": 4, "crash": 2}
_RIDES: Final = ("ride", "_rd_")


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """A sound of a kit, hard and soft, equally long, and how many frames before the attack it begins."""

    hard: Wave
    soft: Wave
    lead: int


Kit = Mapping[str, tuple[Stroke, ...]]
Recipe = Callable[[np.random.Generator], Drum]


class Manner(NamedTuple):
    """How the sounds of kits come about.

    Args:
        synthesised: share of them that are made from a recipe.
        recipes: by kind.
        aged: what else is done to each.
        levels_db: how loud they are, and how far they stray from it.
    """

    synthesised: float
    recipes: Mapping[str, Recipe]
    aged: Callable[[Wave, np.random.Generator], Wave] | None
    levels_db: Mapping[str, tuple[float, float]] = LEVEL_DB


def drum_sounds(folder: Path, *, train: bool) -> list[Reference]:
    """One-shots to learn from, or those to validate with, by kind; this project's own kits among them."""
    every = [*load_references(folder).items, *own_sounds()]
    kept = [sound for sound in every if sound.kind != "bass" and kit_of(sound.name) not in JUDGED_KITS | NO_DRUMS]
    return [_by_kind(sound) for sound in kept if _is_for_training(sound.name) is train]


def _by_kind(sound: Reference) -> Reference:
    if sound.kind != "cymbal":
        return sound
    kind = "ride" if any(word in sound.name.lower() for word in _RIDES) else "crash"
    return Reference(sound.name, kind, sound.path, sound.sound)


def _is_for_training(name: str) -> bool:
    digest = hashlib.blake2b(f"lesson/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 >= VALIDATION_SHARE


def draw_kit(sounds: Sequence[Reference], draw: np.random.Generator, manner: Manner | None = None) -> Kit:
    """A kit: from one source where it has the sound, else and mostly from all, some synthesised."""
    manner = manner or Manner(SYNTHESISED, RECIPES, None)
    source = "" if draw.random() < MIXED else str(draw.choice(sorted({kit_of(sound.name) for sound in sounds})))
    synthesised = 1.0 if draw.random() < 0.12 else manner.synthesised * (not source)
    balance = draw.uniform(0.2, 1.0) if draw.random() < FLAT else 1.0
    return {
        kind: tuple(
            _stroke(sounds, kind, _How(source, synthesised, balance, manner), draw) for _ in range(SEVERAL.get(kind, 1))
        )
        for kind in KINDS
    }


class _How(NamedTuple):
    """Of one kit: its source, if it has one, and how evenly loud its sounds are."""

    source: str
    synthesised: float
    balance: float
    manner: Manner


def _stroke(sounds: Sequence[Reference], kind: str, how: _How, draw: np.random.Generator) -> Stroke:
    fitting = [sound for sound in sounds if sound.kind == kind]
    of_source = [sound for sound in fitting if kit_of(sound.name) == how.source]
    fitting = of_source or fitting
    if not fitting or draw.random() < how.synthesised:
        raw = np.asarray(render(how.manner.recipes[kind](draw), RATE), np.float32)
        sound = Reference(kind, _plain_kind(kind), Path(kind), raw)
    else:
        chosen = fitting[int(draw.integers(len(fitting)))]
        sound = Reference(chosen.name, _plain_kind(kind), chosen.path, chosen.sound)
    level, spread = how.manner.levels_db[kind]
    wave = varied(sound, draw)
    wave = how.manner.aged(wave, draw) if how.manner.aged else wave
    return aligned(wave, level * how.balance + draw.uniform(-spread, spread), draw.uniform(0.0, 0.8))


def _plain_kind(kind: str) -> str:
    return "cymbal" if kind in {"crash", "ride"} else kind


def aligned(sound: Wave, level_db: float, softness: float) -> Stroke:
    """A sound at its level, with its attack found; ``softness`` is how much duller a soft stroke is, 0..1."""
    out = trimmed(sound)
    out = (out * np.float32(0.1 * 10 ** (level_db / 20) / max(loudest(out), 1e-9))).astype(np.float32)
    size = np.abs(out[: round(ATTACK_S * RATE)])
    lead = int(np.argmax(size >= ATTACK * size.max()))
    soft = scipy.signal.lfilter([1.0 - softness], [1.0, -softness], out).astype(np.float32)
    return Stroke(out, soft, lead)


def _metals(draw: np.random.Generator) -> tuple[float, ...]:
    base = _log(draw, 200.0, 420.0)
    return tuple(float(base * ratio) for ratio in np.cumprod(draw.uniform(1.15, 1.6, 6)))


def _kick(draw: np.random.Generator) -> Drum:
    low = _log(draw, 36.0, 75.0)
    body = Thump(
        low * _log(draw, 1.6, 7.0), low, _log(draw, 0.006, 0.05), _log(draw, 0.14, 1.1), 1.0, draw.uniform(0, 3)
    )
    click = Thump(_log(draw, 700.0, 3000.0), 160.0, 0.003, _log(draw, 0.008, 0.03), draw.uniform(0.0, 0.5))
    hiss = Hiss(_log(draw, 600.0, 3000.0), 8000.0, _log(draw, 0.006, 0.04), draw.uniform(0.0, 0.3))
    return Drum((body, click, hiss), body.fall_s + 0.05, 0.9, draw.uniform(0.0, 1.5), seed=_seed(draw))


def _snare(draw: np.random.Generator) -> Drum:
    low = _log(draw, 130.0, 280.0)
    shell = Thump(
        low * _log(draw, 1.1, 2.2), low, _log(draw, 0.006, 0.03), _log(draw, 0.06, 0.3), draw.uniform(0.2, 0.9)
    )
    wires = Hiss(_log(draw, 500.0, 2500.0), _log(draw, 5000.0, 14000.0), _log(draw, 0.08, 0.5), draw.uniform(0.4, 1.0))
    return Drum(
        (shell, wires), max(shell.fall_s, wires.fall_s) + 0.05, 0.7, draw.uniform(0.0, 2.0), 60.0, seed=_seed(draw)
    )


def _rim(draw: np.random.Generator) -> Drum:
    high = _log(draw, 380.0, 1900.0)
    tick = Thump(high * 1.3, high, 0.003, _log(draw, 0.02, 0.07), 1.0)
    wood = Thump(high * 2.3, high * 2.1, 0.003, _log(draw, 0.01, 0.04), draw.uniform(0.2, 0.8))
    hiss = Hiss(1500.0, 9000.0, _log(draw, 0.006, 0.03), draw.uniform(0.0, 0.5))
    return Drum((tick, wood, hiss), 0.15, 0.6, draw.uniform(0.0, 2.0), 150.0, seed=_seed(draw))


def _clap(draw: np.random.Generator) -> Drum:
    gap = _log(draw, 0.006, 0.014)
    bursts = tuple(gap * number for number in range(int(draw.integers(2, 5))))
    hands = Hiss(
        _log(draw, 500.0, 1300.0),
        _log(draw, 2500.0, 9000.0),
        _log(draw, 0.12, 0.5),
        1.0,
        bursts,
        _log(draw, 0.01, 0.03),
    )
    return Drum((hands,), hands.fall_s + bursts[-1] + 0.05, 0.7, draw.uniform(0.0, 2.0), 250.0, seed=_seed(draw))


def _hat(draw: np.random.Generator, fall_s: float) -> Drum:
    ring = Metal(_metals(draw), _log(draw, 4000.0, 9000.0), fall_s, draw.uniform(0.1, 1.0))
    hiss = Hiss(_log(draw, 4000.0, 9500.0), 0.0, fall_s * draw.uniform(0.5, 1.1), draw.uniform(0.1, 1.0))
    low_hz = _log(draw, 2500.0, 7000.0)
    return Drum((ring, hiss), fall_s * 1.1 + 0.03, 0.4, draw.uniform(0.0, 2.0), low_hz, seed=_seed(draw))


def _closed_hat(draw: np.random.Generator) -> Drum:
    return _hat(draw, _log(draw, 0.03, 0.16))


def _open_hat(draw: np.random.Generator) -> Drum:
    return _hat(draw, _log(draw, 0.3, 0.9))


def _crash(draw: np.random.Generator) -> Drum:
    fall_s = _log(draw, 1.0, 2.8)
    ring = Metal(_metals(draw), _log(draw, 1500.0, 5000.0), fall_s, draw.uniform(0.1, 0.7))
    hiss = Hiss(_log(draw, 1200.0, 4500.0), 0.0, fall_s * draw.uniform(0.5, 1.0), draw.uniform(0.4, 1.0))
    return Drum((ring, hiss), fall_s + 0.1, 0.5, draw.uniform(0.0, 1.5), _log(draw, 250.0, 2000.0), seed=_seed(draw))


def _ride(draw: np.random.Generator) -> Drum:
    fall_s = _log(draw, 0.6, 2.2)
    ring = Metal(_metals(draw), _log(draw, 2500.0, 6500.0), fall_s, 1.0)
    ping = Thump(*(2 * [_log(draw, 2200.0, 5500.0)]), 0.01, _log(draw, 0.05, 0.4), draw.uniform(0.0, 0.5))
    stick = Hiss(4000.0, 0.0, _log(draw, 0.01, 0.06), draw.uniform(0.1, 0.6))
    return Drum(
        (ring, ping, stick), fall_s + 0.05, 0.4, draw.uniform(0.0, 1.0), _log(draw, 400.0, 3500.0), seed=_seed(draw)
    )


def _tom(draw: np.random.Generator) -> Drum:
    low = _log(draw, 65.0, 240.0)
    body = Thump(
        low * _log(draw, 1.1, 2.0), low, _log(draw, 0.02, 0.1), _log(draw, 0.2, 0.8), 1.0, draw.uniform(0, 1.5)
    )
    skin = Hiss(400.0, 5000.0, _log(draw, 0.01, 0.08), draw.uniform(0.0, 0.3))
    return Drum((body, skin), body.fall_s + 0.05, 0.7, draw.uniform(0.0, 1.0), seed=_seed(draw))


def _perc(draw: np.random.Generator) -> Drum:
    kind = draw.integers(4)
    if kind == 0:  # cowbell, agogo
        low = _log(draw, 400.0, 1200.0)
        bell = Metal((low, low * draw.uniform(1.3, 1.6)), 300.0, _log(draw, 0.08, 0.4), 1.0, 5000.0)
        return Drum((bell,), bell.fall_s + 0.05, 0.5, 1.0, 250.0, seed=_seed(draw))
    if kind == 1:  # conga, bongo
        low = _log(draw, 180.0, 520.0)
        skin = Thump(low * 1.2, low, 0.02, _log(draw, 0.08, 0.35), 1.0)
        return Drum((skin, Hiss(900.0, 6000.0, 0.015, 0.2)), skin.fall_s + 0.05, 0.6, 0.5, 100.0, seed=_seed(draw))
    if kind == 2:  # wood block, clave
        high = _log(draw, 800.0, 2800.0)
        wood = Thump(high * 1.05, high, 0.01, _log(draw, 0.03, 0.12), 1.0)
        return Drum((wood,), wood.fall_s + 0.05, 0.5, 0.5, 300.0, seed=_seed(draw))
    grain = Hiss(_log(draw, 2500.0, 7000.0), 0.0, _log(draw, 0.05, 0.25), 1.0, (0.0, draw.uniform(0.01, 0.04)), 0.03)
    return Drum((grain,), grain.fall_s + 0.08, 0.35, 0.5, 2000.0, seed=_seed(draw))  # shaker, tambourine


RECIPES: Final[Mapping[str, Recipe]] = {
    "kick": _kick,
    "snare": _snare,
    "rim": _rim,
    "clap": _clap,
    "closed_hat": _closed_hat,
    "open_hat": _open_hat,
    "crash": _crash,
    "ride": _ride,
    "tom": _tom,
    "perc": _perc,
}
"""How a sound of each kind is synthesised, another one with every draw."""
