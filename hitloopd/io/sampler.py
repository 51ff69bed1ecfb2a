"""The sampler: 64 voices over one bank, started at the exact frame.

Conventions: frame offsets count from the start of the block that ``render`` makes next; lanes are numbered as in
``core.pattern.LANES``; velocity is 0..1. All voices are read by one index and mixed by one matrix product, so a block
of 64 voices costs little more than one of 8. Memory is taken once. Knows no clock, no queue and no device.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import LANES, Lane
from hitloopd.io.bank import GUARD, Bank

VOICES: Final = 64
SPARE: Final = 16  # voices that may still fade out after they were stolen
CHOKE_S: Final = 0.003
STEAL_S: Final = 0.003
RELEASE_S: Final = 0.010  # a bass note ends this fast: short enough to be tight, long enough not to click
VELOCITY_POWER: Final = 1.5  # velocity 0.5 is 9 dB down: between the linear and the square law of most samplers
SOUNDING: Final = 1 << 40  # a fade that never begins
BASS: Final = LANES.index(Lane.BASS)

Block = NDArray[np.floating[Any]]


class Sampler:
    """Plays one bank.

    Args:
        bank: its sounds.
        block_max: the longest block it will be asked for, up to ``bank.GUARD``.
        voices: how many sound at once; one more fades the oldest out.
    """

    def __init__(self, bank: Bank, block_max: int = 1024, *, voices: int = VOICES) -> None:
        if block_max > GUARD:
            raise ValueError(f"block_max must be up to {GUARD}, got {block_max}")
        total = voices + SPARE
        self.bank = bank
        self._limit = voices
        self._count = 0
        self._stolen = 0
        self._position = np.zeros(total, dtype=np.int64)  # in the bank, of the next block's first frame
        self._end = np.zeros(total, dtype=np.int64)
        self._fade_at = np.full(total, SOUNDING, dtype=np.int64)  # block frame at which the fade begins
        self._fade_length = np.ones(total, dtype=np.int64)
        self._started = np.zeros(total, dtype=np.int64)  # frame since the beginning, for stealing and choking
        self._lane = np.zeros(total, dtype=np.int64)
        self._pitch = np.zeros(total, dtype=np.int64)
        self._level = np.zeros(total, dtype=np.float32)
        self._now = 0
        self._frames = np.arange(block_max, dtype=np.int64)
        self._index = np.zeros((total, block_max), dtype=np.int64)
        self._sound = np.zeros((total, block_max), dtype=np.float32)
        self._ramp = np.zeros(block_max, dtype=np.float32)
        self._lane_gain = np.zeros((2, len(LANES)), dtype=np.float32)
        self._gain_before = np.zeros((2, len(LANES)), dtype=np.float32)
        self._gain_db = [0.0] * len(LANES)
        self._pan = [0.0] * len(LANES)
        self._muted = [False] * len(LANES)
        self._choke = _choke_groups(bank)
        self._fade_frames = {name: max(int(s * bank.rate), 2) for name, s in FADES.items()}
        for lane, slot in bank.kit.slots.items():
            self._gain_db[LANES.index(lane)], self._pan[LANES.index(lane)] = slot.gain_db, slot.pan
        for lane in range(len(LANES)):
            self._set_gain(lane)
        self._gain_before[:] = self._lane_gain

    @property
    def active(self) -> int:
        """How many voices sound, fading ones included. Thread: any. Real-time: yes."""
        return self._count

    @property
    def stolen(self) -> int:
        """How many voices had to make room since the beginning. Thread: any. Real-time: yes."""
        return self._stolen

    def set_gain(self, lane: int, gain_db: float | None) -> None:
        """A slot's gain; what sounds follows within a block; ``None``: the kit's. Thread: callback. Real-time: yes."""
        slot = self.bank.kit.slots.get(LANES[lane])
        self._gain_db[lane] = (slot.gain_db if slot else 0.0) if gain_db is None else gain_db
        self._set_gain(lane)

    def set_pan(self, lane: int, pan: float | None) -> None:
        """A slot's place, -1 left .. 1 right; ``None``: the kit's. Thread: callback. Real-time: yes."""
        slot = self.bank.kit.slots.get(LANES[lane])
        self._pan[lane] = (slot.pan if slot else 0.0) if pan is None else pan
        self._set_gain(lane)

    def set_choke(self, lane: int, group: str | None) -> None:
        """Which lanes a hit cuts off; ``None``: as the kit has it. Thread: callback. Real-time: yes."""
        slot = self.bank.kit.slots.get(LANES[lane])
        self._choke[lane] = (slot.choke if slot else "") if group is None else group

    def set_mute(self, lane: int, on: bool) -> None:  # noqa: FBT001 - one shape with the other settings
        """Silence a lane within one block, or let it sound. Thread: callback. Real-time: yes."""
        self._muted[lane] = on
        self._set_gain(lane)

    def settle(self) -> None:
        """Take gains over at once instead of gliding: before the first note. Thread: callback. Real-time: yes."""
        self._gain_before[:] = self._lane_gain

    def note_on(self, offset: int, lane: int, velocity: float, pitch: int = 60) -> bool:
        """Start a voice at frame ``offset`` of the next block; ``False`` when the lane has no sound for it.

        Thread: callback. Real-time: yes.
        """
        start = int(self.bank.starts[lane, pitch])
        if start < 0:
            pitch = self.bank.nearest_pitch(lane, pitch)
            if pitch < 0:
                return False
            start = int(self.bank.starts[lane, pitch])
        if self._choke[lane]:
            self._choke_others(offset, lane)
        if self._count - self._fading() >= self._limit:
            self._steal(offset)
        voice = self._free_voice()
        self._position[voice] = start - offset
        self._end[voice] = start + int(self.bank.lengths[lane, pitch])
        self._fade_at[voice] = SOUNDING
        self._started[voice] = self._now + offset
        self._lane[voice] = lane
        self._pitch[voice] = pitch
        self._level[voice] = min(max(velocity, 0.0), 1.0) ** VELOCITY_POWER
        return True

    def note_off(self, offset: int, lane: int, pitch: int) -> None:
        """Release a bass note; drums ring out. Thread: callback. Real-time: yes."""
        if lane != BASS or not self._count:
            return
        pitch = self.bank.nearest_pitch(lane, pitch)
        n = self._count
        held = (self._lane[:n] == lane) & (self._pitch[:n] == pitch) & (self._started[:n] <= self._now + offset)
        self._fade(np.flatnonzero(held & (self._fade_at[:n] == SOUNDING)), offset, "release")

    def fade_all(self, offset: int = 0) -> None:
        """Everything ends, quickly and without a click. Thread: callback. Real-time: yes."""
        self._fade(np.flatnonzero(self._fade_at[: self._count] == SOUNDING), offset, "release")

    def render(self, out: Block) -> None:
        """Write the next block into ``float32 [frames, 2]``. Thread: callback. Real-time: yes."""
        frames = len(out)
        n = self._count
        if n:
            self._mix(out, frames, n)
            self._advance(frames, n)
        else:
            out.fill(0.0)
        self._gain_before[:] = self._lane_gain
        self._now += frames

    def _mix(self, out: Block, frames: int, n: int) -> None:
        index, sound = self._index[:n, :frames], self._sound[:n, :frames]
        np.add(self._position[:n, None], self._frames[:frames], out=index)
        np.take(self.bank.data, index, out=sound, mode="clip")
        fading = np.flatnonzero(self._fade_at[:n] < frames)
        if len(fading):
            passed = self._frames[:frames] - self._fade_at[fading, None]
            left = np.clip(1.0 - passed / self._fade_length[fading, None], 0.0, 1.0).astype(np.float32)
            sound[fading] *= left * left * (3.0 - 2.0 * left)
        lanes, level = self._lane[:n], self._level[:n]
        np.matmul(sound.T, (self._lane_gain[:, lanes] * level).T, out=out)
        if not np.array_equal(self._lane_gain, self._gain_before):
            ramp = ((self._frames[:frames] + 1) / frames).astype(np.float32)[:, None]
            before = sound.T @ (self._gain_before[:, lanes] * level).T
            out += (before - out) * (1.0 - ramp)

    def _advance(self, frames: int, n: int) -> None:
        self._position[:n] += frames
        fading = self._fade_at[:n] != SOUNDING
        self._fade_at[:n] -= frames * fading
        over = (self._position[:n] >= self._end[:n]) | (self._fade_at[:n] + self._fade_length[:n] <= 0)
        gone = np.flatnonzero(over)
        for voice in gone[::-1]:
            self._remove(int(voice))

    def _remove(self, voice: int) -> None:
        """The last voice moves into the hole, so that those that sound are always the first ones."""
        last = self._count - 1
        if voice != last:
            for column in (
                self._position,
                self._end,
                self._fade_at,
                self._fade_length,
                self._started,
                self._lane,
                self._pitch,
                self._level,
            ):
                column[voice] = column[last]
        self._count = last

    def _free_voice(self) -> int:
        if self._count == len(self._position):  # so many fades at once that one must end now: the most faded
            self._remove(int(np.argmin(self._fade_at[: self._count])))
        self._count += 1
        return self._count - 1

    def _fading(self) -> int:
        return int(np.count_nonzero(self._fade_at[: self._count] != SOUNDING))

    def _steal(self, offset: int) -> None:
        """The quietest of the older half makes room: the one least missed."""
        sounding = np.flatnonzero(self._fade_at[: self._count] == SOUNDING)
        older = sounding[np.argsort(self._started[sounding], kind="stable")][: max(len(sounding) // 2, 1)]
        rest = 1.0 - (self._now - self._started[older]) / np.maximum(self._end[older] - self._position[older], 1)
        victim = older[np.argmin(self._level[older] * np.maximum(rest, 0.01))]
        self._fade(np.array([victim]), offset, "steal")
        self._stolen += 1

    def _choke_others(self, offset: int, lane: int) -> None:
        """Cut the group's voices, but not those of other lanes that begin with this one: an accent of both sounds."""
        n = self._count
        group = self._choke[lane]
        member = np.fromiter((g == group for g in self._choke), dtype=bool, count=len(LANES))
        cut = member[self._lane[:n]] & (self._fade_at[:n] == SOUNDING) & (self._started[:n] < self._now + offset)
        self._fade(np.flatnonzero(cut), offset, "release" if lane == BASS else "choke")

    def _fade(self, voices: NDArray[np.int64], offset: int, kind: str) -> None:
        self._fade_at[voices] = offset
        self._fade_length[voices] = self._fade_frames[kind]

    def _set_gain(self, lane: int) -> None:
        """Equal power: the sum of both sides' squares is the same at every place."""
        gain = 0.0 if self._muted[lane] else 10.0 ** (self._gain_db[lane] / 20)
        angle = (self._pan[lane] + 1.0) * np.pi / 4
        self._lane_gain[:, lane] = gain * np.cos(angle), gain * np.sin(angle)


FADES: Final = {"choke": CHOKE_S, "steal": STEAL_S, "release": RELEASE_S}


def _choke_groups(bank: Bank) -> list[str]:
    groups = [""] * len(LANES)
    for lane, slot in bank.kit.slots.items():
        groups[LANES.index(lane)] = slot.choke
    return groups
