"""Recipe ``weave``: our own network, by maximum likelihood.

Of each batch it is told, by chance, all of the style, its family or nothing; the energy or nothing; and in some
batches a random set of lanes is given, so that one network learns to draw whole bars and any lanes that fit the
others. Bars without a bass teach the drums: the network is told that there is none. Every second of the bars that
repeat another one is left out. Matrices are trained with Muon (Jordan et al., 2024: momentum made orthogonal by a few
Newton-Schulz steps), the rest with AdamW; sampling and export use a running mean of the weights.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hitloopd.generate.weave_bar import Drawn, Wish
from hitloopd.generate.weave_net import HitInputs, StepInputs
from hitloopd.generate.weave_walk import walk
from offline.dataset.store import Bars as DataSet
from offline.models import weave_branches, weave_drawing
from offline.models.weave import Shape, Weave
from offline.training import weave_tokens as tokens
from offline.training.config import TrainingConfig
from offline.training.data import choose
from offline.training.muon import Muon
from offline.training.recipe import ExportPlan, Rolls
from offline.training.weave_data import Songs, Tags, songs_of, tags_of

_LOOKS: Final = 768  # validation bars
_AT_ONCE: Final = 128
_ANY_ENERGY: Final = -1.0
_CLIP: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """Settings of the network and its training.

    Args:
        width, layers, reader_layers, heads, hit_width, dropout: see ``offline.models.weave.Shape``.
        learning_rate: AdamW's; Muon's is ``muon_share`` times that.
        muon_share: see there.
        weight_decay: of both.
        cool_down: share of the epochs, at the end, over which the rates fall to nothing.
        given: share of batches in which lanes are given.
        tell_style, tell_energy: share of bars that are told them.
        fine_weight: weight of the micro-timing within a step, which is mostly chance.
        mean: how slowly the running mean of the weights follows.
        least_style: bars that a style needs for a tag of its own.
        bass_times: how often an epoch has each bar with a bass, which are few.
        temperature: of the run's pictures.
    """

    width: int = 128
    layers: int = 3
    reader_layers: int = 2
    heads: int = 4
    hit_width: int = 128
    dropout: float = 0.1
    learning_rate: float = 1e-3
    muon_share: float = 3.0
    weight_decay: float = 0.05
    cool_down: float = 0.5
    given: float = 0.4
    tell_style: float = 0.75
    tell_energy: float = 0.6
    fine_weight: float = 0.3
    mean: float = 0.998
    least_style: int = 80
    bass_times: int = 1
    temperature: float = 1.0


class WeaveRecipe:
    """The network, its optimisers, and the running mean that draws."""

    def __init__(self, config: Config, bars: DataSet | None, device: torch.device) -> None:
        self.config, self._device = config, device
        self._tags = Tags({}, 0)
        self._bass_share = 0.0
        self._count = 0
        self._facts: dict[str, Any] = {}
        self.items = 0
        if bars is not None:
            self._take(bars)
            self._build()

    def step(self, rows: Tensor, epoch: float) -> Mapping[str, float]:
        """One step on the likelihood of these bars."""
        rng = np.random.default_rng([self.config.seed, self._count])
        picked = self._rows[rows.numpy()]
        batch = self._batch(self._train, picked, rng)
        self.net.train()
        parts = self.net.loss_parts(batch)
        loss = torch.stack([value * self._weight(name) for name, value in parts.items()]).sum()
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), _CLIP)
        self._optimiser.step(self._rate(epoch))
        self._count += 1
        follow = min(self.config.mean, self._count / (self._count + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.mean.parameters()), list(self.net.parameters()), 1 - follow)
        kind = "given" if bool(batch.given.any()) else "whole"
        return {f"{kind}_loss": loss.item(), f"{kind}_share": 1.0}

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Nats per bar of unseen songs when nothing is told: all of it, its parts, and with lanes given."""
        rng = np.random.default_rng(1)
        rows = rng.permutation(len(self._valid))[:_LOOKS]
        given = rng.random((len(rows), tokens.LANES)) < 0.5
        sums: dict[str, float] = {}
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            for name, lanes in (("", np.zeros_like(given[: len(part)])), ("given_", given[start : start + _AT_ONCE])):
                style, energy = np.full(len(part), self._tags.count), np.full(len(part), _ANY_ENERGY)
                found = self.mean.loss_parts(self._valid.batch(part, style, energy, lanes, self._device))
                for key, value in found.items():
                    sums[name + key] = sums.get(name + key, 0.0) + value.item() * len(part) / len(rows)
        whole = {key: value for key, value in sums.items() if not key.startswith("given_")}
        told = sum(value for key, value in sums.items() if key.startswith("given_"))
        return {"nats": sum(whole.values()), "nats_given": told, **whole}

    def state_dict(self) -> dict[str, Any]:
        """Everything, and what the tags mean."""
        return {
            "net": self.net.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "count": self._count,
            "tags": dict(self._tags.numbers),
            "styles": self._tags.count,
            "bass_share": self._bass_share,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """As ``state_dict``."""
        self._tags = Tags(dict(state["tags"]), int(state["styles"]))
        self._bass_share = float(state["bass_share"])
        self._build()
        self.net.load_state_dict(state["net"])
        self.mean.load_state_dict(state["mean"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._count = int(state["count"])

    def sample(self, n: int, seed: int) -> Rolls:
        """Bars in no style and of no energy in particular, a bass in as many as the data set has."""
        basses = np.random.default_rng([seed, 5]).random(n) < self._bass_share
        wishes = [
            Wish(seed * 100_003 + index, self._tags.count, has_bass=bool(bass), temperature=self.config.temperature)
            for index, bass in enumerate(basses)
        ]
        net = TorchNet(self.mean)
        drawn = [bar for start in range(0, n, 256) for bar in walk(net, wishes[start : start + 256])]
        return (tokens.rolls_of(tokens_of(drawn)) / np.float32(127)).astype(np.float32)

    def export_module(self) -> ExportPlan:
        """The drawing, its four steps as branches."""
        net = copy.deepcopy(self.mean).cpu().eval()
        turns = weave_branches.examples(net)
        return ExportPlan(
            module=weave_branches.branches(net),
            inputs=turns[0],
            input_names=weave_branches.INPUTS,
            output_names=weave_branches.OUTPUTS,
            dynamic_axes=weave_branches.DYNAMIC,
            kind="weave",
            card={
                "tags": dict(self._tags.numbers),
                "any_style": self._tags.count,
                "styles": sorted(self._tags.numbers),
                "parameters": sum(p.numel() for p in net.parameters()),
            },
            turns=turns,
        )

    def facts(self) -> Mapping[str, Any]:
        """Sizes, share of the bars, tags."""
        return self._facts | {
            "parameters": sum(p.numel() for p in self.net.parameters()),
            "steps": self._count,
            "style_tags": self._tags.count,
        }

    def _take(self, bars: DataSet) -> None:
        chosen = choose(bars, self.config)
        self._tags = tags_of([str(style) for style in bars.style[chosen.train]], self.config.least_style)
        self._train = songs_of(bars, chosen.train, self._tags)
        self._valid = songs_of(bars, chosen.valid, self._tags)
        again = np.flatnonzero(bars.duplicate[chosen.train])
        self._rows: npt.NDArray[np.int64] = np.setdiff1d(np.arange(len(chosen.train)), again[::2])
        basses = self._rows[self._train.bass[self._rows] > 0]
        self._rows = np.concatenate([self._rows, *(basses,) * (self.config.bass_times - 1)])
        self.items = len(self._rows)
        self._bass_share = float(self._train.bass.mean())
        self._facts = {**chosen.facts(), "repeated_bars_left_out": len(again[::2])}

    def _build(self) -> None:
        config = self.config
        shape = Shape(
            self._tags.count,
            config.width,
            config.layers,
            config.reader_layers,
            config.heads,
            config.hit_width,
            config.dropout,
            coarse=config.precision == "bfloat16",
        )
        self.net = Weave(shape).to(self._device)
        self.mean = Weave(replace(shape, coarse=False)).to(self._device).eval()
        self.mean.load_state_dict(self.net.state_dict())
        self._optimiser = Muon(self.net, config.learning_rate, config.muon_share, config.weight_decay)

    def _batch(self, songs: Songs, rows: npt.NDArray[np.int64], rng: np.random.Generator) -> Any:  # noqa: ANN401 - Bars
        config, n = self.config, len(rows)
        told = rng.random(n)
        style = np.where(told < config.tell_style / 3, songs.family[rows], songs.style[rows])
        style = np.where(told < config.tell_style, style, self._tags.count)
        energy = np.where(rng.random(n) < config.tell_energy, songs.energy[rows], _ANY_ENERGY)
        given = np.zeros((n, tokens.LANES), dtype=bool)
        if rng.random() < config.given:
            given = rng.random((n, tokens.LANES)) < rng.random((n, 1))
        return songs.batch(rows, style, energy, given, self._device)

    def _weight(self, part: str) -> float:
        return self.config.fine_weight if part == "fine" else 1.0

    def _rate(self, epoch: float) -> float:
        """Share of the full rate: up in 200 steps, down over the last epochs."""
        left = (self.config.epochs - epoch) / max(self.config.cool_down * self.config.epochs, 1e-9)
        return max(min(1.0, (self._count + 1) / 200, left), 1e-3)


class TorchNet:
    """A trained network as ``weave_walk`` wants it."""

    def __init__(self, net: Weave) -> None:
        self._drawing = weave_drawing.Drawing(net).eval()
        self._device = next(net.parameters()).device
        self.width = net.shape.width
        self.past = (net.shape.layers, net.shape.heads, net.shape.width // net.shape.heads)

    def whole(self, *arrays: Any) -> Any:  # noqa: ANN401 - numpy arrays
        """See ``weave_net.Net``."""
        return self._run(lambda *told: (self._drawing.whole(*told),), arrays)[0]

    def read(self, *arrays: Any) -> Any:  # noqa: ANN401
        """See ``weave_net.Net``."""
        return self._run(self._drawing.read, arrays)

    def step(self, told: StepInputs) -> Any:  # noqa: ANN401
        """See ``weave_net.Net``."""
        return self._run(self._drawing.step, told)

    def hit(self, told: HitInputs) -> Any:  # noqa: ANN401
        """See ``weave_net.Net``."""
        return self._run(lambda *parts: self._drawing.hit(weave_drawing.HitInputs(*parts)), told)

    def _run(self, what: Any, arrays: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: ANN401
        with torch.no_grad():
            tensors = [torch.from_numpy(np.ascontiguousarray(array)).to(self._device) for array in arrays]
            return tuple(out.cpu().numpy() for out in what(*tensors))


def tokens_of(drawn: list[Drawn]) -> npt.NDArray[np.int16]:
    """Drawn bars as tokens."""
    hits = np.zeros((len(drawn), tokens.CELLS, tokens.LANES, tokens.SLOTS, tokens.FACTS), dtype=np.int16)
    hits[..., tokens.PLACE] = -1
    for index, bar in enumerate(drawn):
        for cell, lanes in enumerate(bar.hits):
            for lane, own in enumerate(lanes):
                for slot, hit in enumerate(own[: tokens.SLOTS]):
                    hits[index, cell, lane, slot] = hit
    hits[..., : tokens.BASS, :, tokens.PITCH] = 0
    return hits


def build(config: Config, bars: DataSet | None, device: torch.device) -> WeaveRecipe:
    """The recipe; without bars it is whole once a state is loaded."""
    return WeaveRecipe(config, bars, device)
