from __future__ import annotations

import numpy as np
import pytest

from hitloopd.io.audio_clock import DRIFT_FRAMES, FrameDll, FrameMap

RATE = 48_000
BLOCK = 128
SIXTEENTH_NS, SIXTEENTH = 120_000_000, 5760  # 125 BPM


class Device:
    """A device with jitter and an error of its clock; calls back until a moment."""

    def __init__(self, dll: FrameDll, *, ppm: float = 0.0, jitter_us: float = 0.0, seed: int = 0) -> None:
        self.dll, self.frame, self.now_ns = dll, 0, 1_000_000_000.0
        self.block_ns = BLOCK / (RATE * (1 + ppm * 1e-6)) * 1e9
        self.jitter_us, self.random = jitter_us, np.random.default_rng(seed)

    def run_to(self, until_ns: float) -> None:
        while self.now_ns < until_ns:
            late_us = self.random.exponential(self.jitter_us) if self.jitter_us else 0.0
            self.dll.update(round(self.now_ns + min(late_us, 2000) * 1e3), self.frame)
            self.frame += BLOCK
            self.now_ns += self.block_ns

    def true_frame(self, at_ns: float) -> float:
        return self.frame + (at_ns - self.now_ns) * BLOCK / self.block_ns


def placed(device: Device, seconds: float, *, begin_ns: int = 2_000_000_000) -> tuple[np.ndarray, np.ndarray]:
    frames, truth = [], []
    line = FrameMap(device.dll, RATE)
    for i in range(int(seconds * 1e9 / SIXTEENTH_NS)):
        at_ns = begin_ns + i * SIXTEENTH_NS
        device.run_to(at_ns - 20_000_000)
        frames.append(line.frame_at(at_ns))
        truth.append(device.true_frame(at_ns))
    return np.array(frames), np.array(truth)


@pytest.mark.parametrize("jitter_us", [0.0, 50.0, 150.0])
def test_sixteenths_are_equally_spaced_to_the_sample_where_the_clocks_agree(jitter_us):
    frames, truth = placed(Device(FrameDll(RATE), jitter_us=jitter_us), 60)
    assert set(np.diff(frames)) == {SIXTEENTH}
    assert np.abs(frames - truth).max() < DRIFT_FRAMES + 5


@pytest.mark.parametrize("ppm", [-150.0, -20.0, 60.0, 150.0])
def test_a_drifting_device_is_followed_one_frame_at_a_time(ppm):
    frames, truth = placed(Device(FrameDll(RATE), ppm=ppm, jitter_us=50.0), 120)
    assert set(np.diff(frames)) <= {SIXTEENTH - 1, SIXTEENTH, SIXTEENTH + 1}
    assert np.abs(frames - truth).max() < DRIFT_FRAMES + 15


def test_the_loop_finds_the_devices_rate():
    device = Device(FrameDll(RATE), ppm=100.0, jitter_us=80.0)
    device.run_to(31e9)
    assert device.dll.ppm == pytest.approx(100.0, abs=15.0)


def test_after_an_interruption_the_line_moves_at_once_and_only_once():
    device = Device(FrameDll(RATE), jitter_us=30.0)
    line = FrameMap(device.dll, RATE)
    frames = []
    for i in range(60):
        if i == 20:
            device.now_ns += 2 * device.block_ns  # two blocks were never asked for
            device.dll.reset()
        device.run_to(2e9 + i * SIXTEENTH_NS - 20e6)
        frames.append(line.frame_at(2_000_000_000 + i * SIXTEENTH_NS))
    odd = [i for i, step in enumerate(np.diff(frames)) if step != SIXTEENTH]
    assert len(odd) == 1
    assert 19 <= odd[0] <= 22
    assert abs(frames[-1] - device.true_frame(2e9 + 59 * SIXTEENTH_NS)) < 10


def test_a_jump_of_the_clock_resets_the_loop():
    device = Device(FrameDll(RATE))
    device.run_to(3e9)
    device.now_ns += 500e6
    device.run_to(6e9)
    assert device.dll.resets == 1
    assert device.dll.frame_at(round(device.now_ns)) == pytest.approx(device.frame, abs=2)


def test_one_late_callback_moves_the_estimate_by_less_than_a_frame():
    device = Device(FrameDll(RATE))
    device.run_to(10e9)
    before = device.dll.frame_at(11_000_000_000)
    device.dll.update(round(device.now_ns + 3e6), device.frame)
    assert device.dll.frame_at(11_000_000_000) == pytest.approx(before, abs=1.0)


def test_events_of_one_moment_get_one_frame_even_while_the_line_moves():
    device = Device(FrameDll(RATE), ppm=150.0)
    line = FrameMap(device.dll, RATE)
    for i in range(400):
        at_ns = 2_000_000_000 + i * SIXTEENTH_NS
        device.run_to(at_ns - 20_000_000)
        assert len({line.frame_at(at_ns) for _ in range(3)}) == 1
    assert line.slews > 0
