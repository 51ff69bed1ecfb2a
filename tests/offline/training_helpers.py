"""A tiny data set, and a recipe that is nothing but chance, for the tests of training."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import numpy as np
import torch

from offline.dataset.store import Bars, Events, save
from offline.models.gan import Discriminator, Generator
from offline.models.vae import Decoder, Encoder
from offline.training import gan, vae, vaegan
from offline.training.recipe import ExportPlan


def tiny_bars(n=24, seed=3):
    """Make n bars of four songs; song 2 validates, song 3 tests, the last training bar is a copy of the first."""
    dice = np.random.default_rng(seed)
    rolls = np.zeros((n, 128, 20), dtype=np.uint8)
    for roll in rolls:
        for row in (0, 1, 2, 5):
            for step in dice.choice(16, 5, replace=False) * 8:
                roll[step : step + 5, row] = dice.integers(40, 127)
    song = np.arange(n) % 4
    training = np.flatnonzero(song < 2)
    rolls[training[-1]] = rolls[training[0]]
    duplicate = np.zeros(n, dtype=bool)
    duplicate[training[-1]] = True
    text = {name: np.array([""] * n) for name in ("file", "style", "key")}
    bar, row = np.zeros(0, np.int32), np.zeros(0, np.uint8)
    return Bars(
        rolls=rolls,
        has_bass=song != 1,
        song=np.array([f"song{i}" for i in song]),
        split=np.array(["train", "train", "valid", "test"])[song],
        bar=np.arange(n) // 4,
        root=np.full(n, 36),
        tempo_bpm=np.full(n, 120, np.float32),
        author=np.array(["Ada", "Bo", "Cy", "Di"])[song],
        licence=np.array(["CC0 1.0", "CC BY 4.0", "CC BY 4.0", "CC BY-SA 4.0"])[song],
        family=np.array(["cc0", "by", "by", "by-sa"])[song],
        title=np.array([f"Song {i}" for i in song]),
        origin=np.full(n, "midi"),
        second=np.full(n, -1, np.float32),
        duplicate=duplicate,
        events=Events(bar, row, np.zeros(0, np.int16), np.zeros(0, np.int16), np.zeros(0, np.uint8)),
        **text,
    )


NARROW = 1 / 16


def narrow_networks(patch):
    """Every recipe as it is, with a sixteenth of the channels: nothing that is tested so depends on how many.

    The networks themselves are tested at their full size in ``test_models_gan`` and ``test_models_vae``.
    """
    patch.setattr(gan, "Generator", partial(Generator, width=NARROW))
    patch.setattr(gan, "Discriminator", lambda width, dropout: Discriminator(width * NARROW, dropout))
    patch.setattr(vaegan, "Decoder", partial(Decoder, width=NARROW))
    patch.setattr(vae, "Decoder", partial(Decoder, width=NARROW))
    patch.setattr(vae, "Encoder", partial(Encoder, width=NARROW))


def tiny_folder(folder: Path, **changes):
    save(folder, tiny_bars(**changes))
    return folder


class Dice:
    """A recipe that adds chance from every source to a number per row: any slip in order or chance shows."""

    def __init__(self, items=10):
        self.items = items
        self.held = torch.zeros(items, dtype=torch.float64)
        self.steps = 0

    def step(self, rows, epoch):
        self.held[rows] = self.held[rows] * 1.5 + torch.rand(len(rows), dtype=torch.float64) + epoch
        self.held += random.random() + np.random.random()  # noqa: NPY002 - the global one is what is tested
        self.steps += 1
        return {"loss": float(self.held.sum())}

    def validate(self):
        return {"score": float((self.held.sum() * 7919) % 10)}

    def state_dict(self):
        return {"held": self.held, "steps": self.steps}

    def load_state_dict(self, state):
        self.held, self.steps = state["held"].clone(), state["steps"]

    def sample(self, n, seed):
        return np.random.default_rng(seed).random((n, 128, 20)).astype(np.float32)

    def export_module(self) -> ExportPlan:
        raise AssertionError

    def facts(self):
        return {}
