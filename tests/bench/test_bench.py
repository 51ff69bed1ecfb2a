"""The measuring instruments themselves: a figure is worth what they are worth."""

from __future__ import annotations

import random

import numpy as np
import onnxruntime
import pytest

from tests.bench.rows import Row, table
from tests.bench.soak import ledger
from tests.bench.stats import against_grid, spread
from tests.bench.tempo_sweep import drift_us
from tests.bench.tiny_onnx import model

PERIOD_NS = 60e9 / (174 * 24)


def ticks(count: int = 1400, *, late_us=lambda _index: 0.0, bpm: float = 174.0) -> list[int]:
    period = 60e9 / (bpm * 24)
    return [round(10**9 + i * period + late_us(i) * 1000) for i in range(count)]


def test_quantiles_take_the_upper_neighbour() -> None:
    found = spread([float(value) for value in range(1, 1002)])
    assert (found.n, found.p50, found.p99, found.p999, found.max) == (1001, 501, 991, 1000, 1001)
    assert spread([1.0, 9.0]).p50 == 9.0


def test_an_even_clock_is_punctual_however_late_it_always_is() -> None:
    fit = against_grid(ticks(late_us=lambda _: 5000.0), 174)
    assert fit.lateness.max < 0.01
    assert fit.bpm == pytest.approx(174, abs=1e-4)
    assert abs(fit.drift_ms_per_min) < 0.001


def test_lateness_is_measured_from_the_early_side() -> None:
    rng = random.Random(1)
    late = [rng.uniform(0, 100) for _ in range(1400)]
    late[700] = 9000.0
    fit = against_grid(ticks(late_us=late.__getitem__), 174)
    assert fit.lateness.p50 == pytest.approx(50, abs=5)
    assert fit.lateness.p99 == pytest.approx(98, abs=5)
    assert fit.lateness.max == pytest.approx(9000, abs=20)


def test_an_absolute_grid_is_not_tilted_by_what_is_late() -> None:
    fit = against_grid(ticks(late_us=lambda i: 5000.0 if i > 1380 else 1.0), 174, absolute=True)
    assert (fit.lateness.p50, fit.lateness.max) == pytest.approx((0, 4999), abs=0.1)
    fast = against_grid(ticks(bpm=174.01), 174, absolute=True)
    assert fast.lateness.max > 1000  # here a wrong tempo does count


def test_a_wrong_tempo_is_drift_and_a_missing_tick_is_lost() -> None:
    slow = against_grid(ticks(bpm=173.0), 174)
    assert slow.drift_ms_per_min == pytest.approx(60_000 / 173, rel=0.01)
    assert slow.lateness.max < 0.01
    assert against_grid(ticks()[:700] + ticks()[703:], 174).lost == 3


def test_drift_compares_the_last_bar_with_the_first() -> None:
    assert drift_us(ticks(late_us=lambda i: 0.01 * i), 174) == pytest.approx(13.04, abs=0.01)
    assert drift_us(ticks(late_us=lambda i: 9000.0 * (i % 97 == 0)), 174) == pytest.approx(0, abs=0.01)


def test_the_ledger_finds_what_sounds_on_and_what_is_released_twice() -> None:
    on, off, other = (int.from_bytes(bytes(m), "little") for m in ((0x99, 36, 90), (0x89, 36, 0), (0x99, 38, 90)))
    silent_on = int.from_bytes(bytes((0x99, 36, 0)), "little")
    assert ledger([on, off, on, silent_on]) == (2, 0, 0)
    assert ledger([on, other, off]) == (2, 1, 0)
    assert ledger([on, off, off]) == (1, 0, 1)


def test_the_hand_made_model_runs() -> None:
    weight = np.eye(4, dtype=np.float32) * 0.5
    session = onnxruntime.InferenceSession(model([weight.tobytes()] * 2, 4, 1), providers=["CPUExecutionProvider"])
    (out,) = session.run(None, {"x": np.ones((1, 4), np.float32)})
    assert out == pytest.approx(np.tanh(np.tanh(0.5) * 0.5), abs=1e-6)


def test_the_table_keeps_every_word() -> None:
    row = Row("figure " * 20, "bar", "measured " * 20, ok=False)
    text = table([row])
    assert text.count("figure") == 21  # the head has one too
    assert text.count("measured") == 21
    assert "MISSED" in text
