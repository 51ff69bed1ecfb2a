"""Banks from kits: every sound of a kit read or made, at the device's rate and at the pitches that are wanted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from hitloopd.core.errors import ConfigError, HitloopError, RangeError
from hitloopd.core.kit import SYNTH, Kit, Slot
from hitloopd.core.pattern import DRUM_LANES, PITCHES, Lane
from hitloopd.io.bank import PITCH_COUNT, Bank, make_bank
from hitloopd.io.samples import FileSounds, Sound, at_rate, prepared
from hitloopd.io.synth.cache import SoundCache
from hitloopd.io.synth.recipes import RECIPES, Bass
from hitloopd.io.yin import fundamental

FARTHEST: Final = 24.0
"""Semitones that a bass sample is moved at most; a pattern's note farther away sounds in a nearer octave."""


@dataclass(frozen=True, slots=True)
class BankResult:
    """A bank, and what could not be loaded into it (one line each, for a person)."""

    bank: Bank
    problems: tuple[str, ...]


def bass_pitches(root: int) -> range:
    """The sixteen MIDI notes above (and with) ``root`` that fit into 0..127."""
    return range(max(root, 0), min(root + PITCHES, PITCH_COUNT))


def build_bank(
    kit: Kit,
    folder: Path,
    rate: int,
    pitches: Iterable[int],
    cache: SoundCache,
    *,
    whole: bool = False,
    files: FileSounds | None = None,
) -> BankResult:
    """Make or read every sound of a kit.

    A sample that is missing silences its lane and is told; the other lanes play.

    Args:
        kit: the kit.
        folder: where the names of its samples start.
        rate: of the device.
        pitches: the bass notes to have ready.
        cache: where built-in sounds are kept.
        whole: take the kit whole or not at all.
        files: keeps the sounds of files between calls.

    Raises:
        ConfigError: with ``whole``: a sample can't be played; all the reasons.

    Thread: any but the callback's. Real-time: no.
    """
    maker = _Maker(folder, rate, sorted({p for p in pitches if 0 <= p < PITCH_COUNT}), cache, files or FileSounds())
    problems: list[str] = []
    drums: dict[Lane, Sound] = {}
    bass: dict[int, Sound] = {}
    for lane, slot in kit.slots.items():
        try:
            if lane in DRUM_LANES:
                drums[lane] = maker.drum(slot)
            else:
                bass = maker.bass(slot)
        except HitloopError as error:
            problems.append(f"Kit '{kit.name}', lane {lane}: {error}{'' if whole else ' The lane is silent.'}")
    if whole and problems:
        raise ConfigError(problems)
    return BankResult(make_bank(kit, rate, drums, bass), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes one sound after the other for the same bank."""

    folder: Path
    rate: int
    pitches: list[int]
    cache: SoundCache
    files: FileSounds

    def drum(self, slot: Slot) -> Sound:
        if slot.sample.startswith(SYNTH):
            sound = self.cache.sound(RECIPES[slot.sample.removeprefix(SYNTH)], self.rate)
            return prepared(at_rate(sound, self.rate, self.rate, slot.tuning), self.rate) if slot.tuning else sound
        return self.files.made(self.folder / slot.sample, self.rate, slot.tuning)

    def bass(self, slot: Slot) -> dict[int, Sound]:
        if slot.sample.startswith(SYNTH):
            recipe = RECIPES[slot.sample.removeprefix(SYNTH)]
            if not isinstance(recipe, Bass):
                raise RangeError(f"'{slot.sample}' is a drum and has no pitch; use one of the built-in basses.")
            shift = round(slot.tuning)
            return {
                p: self.cache.sound(recipe, self.rate, int(np.clip(p + shift, 0, PITCH_COUNT - 1)))
                for p in self.pitches
            }
        path, hz = self.folder / slot.sample, slot.fundamental_hz
        moves = bass_moves(fundamental(*self.files.raw(path)) if hz is None else hz, self.pitches, slot.tuning)
        return {pitch: self.files.made(path, self.rate, move) for pitch, move in moves.items()}


def bass_moves(hz: float, pitches: Iterable[int], tuning: float) -> dict[int, float]:
    """MIDI note -> semitones to move a sample of this fundamental; a sample without one plays as it is everywhere.

    >>> bass_moves(440.0, [69, 57, 33], 0.0)
    {69: 0.0, 57: -12.0, 33: -24.0}
    """
    if hz <= 0:
        return dict.fromkeys(pitches, tuning)
    own = 69.0 + 12.0 * math.log2(hz / 440.0)
    return {pitch: round(_near(pitch - own) + tuning, 6) for pitch in pitches}


def _near(move: float) -> float:
    """The same pitch class in an octave that is at most ``FARTHEST`` away."""
    octaves = math.ceil((abs(move) - FARTHEST) / 12.0) if abs(move) > FARTHEST else 0
    return move - math.copysign(12.0 * octaves, move)
