"""Banks, kits and events for the tests of the sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hitloopd.core.kit import Kit, Slot
from hitloopd.core.pattern import DRUM_LANES, LANES, Lane
from hitloopd.io.bank import Bank, make_bank
from hitloopd.io.sampler import Sampler

KITS = Path(__file__).parents[2] / "configs" / "kits"
RATE = 48_000
KICK, SNARE, HIHAT, CYMBAL, BASS = range(5)


def sine(hz: float, seconds: float, level: float = 0.5) -> np.ndarray:
    """Starts and ends at zero."""
    t = np.arange(round(seconds * RATE)) / RATE
    edge = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.005)
    return (level * edge * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def ones(frames: int) -> np.ndarray:
    return np.ones(frames, dtype=np.float32)


def bank_of(sounds: dict[Lane, np.ndarray], **slots: dict) -> Bank:
    """A bank with the same sound at all sixteen bass pitches."""
    kit = Kit("test", {lane: Slot("made", **slots.get(lane.value, {})) for lane in sounds})
    drums = {lane: sounds[lane] for lane in DRUM_LANES if lane in sounds}
    bass = dict.fromkeys(range(36, 52), sounds[Lane.BASS]) if Lane.BASS in sounds else {}
    return make_bank(kit, RATE, drums, bass)


def rendered(sampler: Sampler, frames: int, block: int = 128) -> np.ndarray:
    """``frames`` of stereo in blocks."""
    out = np.zeros((frames, 2), dtype=np.float32)
    for at in range(0, frames, block):
        sampler.render(out[at : at + block])
    return out


def note_on(
    at_ns: int, lane: int, velocity: int = 127, pitch: int = 60, tick: int = 0, *, sound: int = 0
) -> tuple[int, int, bytes]:
    return (at_ns, tick, bytes((0x90 | lane, pitch, velocity)) + (sound.to_bytes(4, "big") if sound else b""))


def note_off(at_ns: int, lane: int, pitch: int = 60, tick: int = 0) -> tuple[int, int, bytes]:
    return (at_ns, tick, bytes((0x80 | lane, pitch, 0)))


def largest_step(x: np.ndarray) -> float:
    return float(np.abs(np.diff(x, axis=0)).max())


assert len(LANES) == 5
