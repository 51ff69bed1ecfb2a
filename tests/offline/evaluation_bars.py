"""A small made-up data set with songs, for the tests of the judge."""

from __future__ import annotations

import functools

import numpy as np

from offline.dataset.store import Bars, Events
from offline.evaluation.hits import render
from offline.evaluation.reference import Reference, build

SONGS = 24
EACH = 40
LENGTHS = (4, 4, 4, 4, 7)


@functools.cache
def bars() -> Bars:
    """24 songs of 40 bars; every song has its own rhythm, of which each bar leaves out or adds a little."""
    rng = np.random.default_rng(3)
    hits = []
    for song in range(SONGS):
        chances = np.where(rng.random((16, 5)) < 0.35, 0.9, 0.04)
        for bar in range(song * EACH, (song + 1) * EACH):
            for cell, lane in np.argwhere(rng.random((16, 5)) < chances):
                row = lane if lane < 4 else 4 + 2 * (song % 5)
                late = int(rng.integers(-1, 3)) if cell else 0
                hits.append((bar, 8 * cell + late, row, LENGTHS[lane], 60 + 5 * int(lane) + int(rng.integers(20))))
    count = SONGS * EACH
    rolls = render(count, hits)
    song = np.array([f"song{index // EACH:02d}" for index in range(count)])
    number = np.arange(count) // EACH
    split = np.where(number < 16, "train", np.where(number < 18, "valid", "test"))
    text = np.full(count, "x")
    return Bars(
        rolls=rolls,
        has_bass=(rolls[:, :, 4:] > 0).any(axis=(1, 2)),
        song=song,
        split=split,
        file=song,
        bar=np.arange(count) % EACH,
        root=np.full(count, 36),
        style=np.where(number % 2, "house", "rock/slow"),
        tempo_bpm=np.full(count, 120, dtype=np.float32),
        key=text,
        author=text,
        licence=text,
        family=np.full(count, "cc0"),
        title=song,
        origin=np.full(count, "midi"),
        second=np.full(count, -1, np.float32),
        duplicate=np.zeros(count, dtype=bool),
        events=Events(*(np.zeros(0, dtype=kind) for kind in ("i4", "u1", "i2", "i2", "u1"))),
    )


@functools.cache
def held() -> Reference:
    """The reference of whole bars."""
    return build(bars(), "whole")
