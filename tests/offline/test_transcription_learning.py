"""The loop that teaches a network: it learns, and an interrupted course ends where an uninterrupted one does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from offline.transcription.learning import Course, learn

COURSE = Course(steps=60, pace=0.05)
SLOPE = torch.tensor([[2.0, -1.0]])


def fresh() -> tuple[nn.Module, Callable[[np.random.Generator], Tensor]]:
    torch.manual_seed(COURSE.seed)
    net = nn.Sequential(nn.Linear(2, 1), nn.Dropout(0.05))

    def loss_of(draw: np.random.Generator) -> Tensor:
        given = torch.from_numpy(draw.standard_normal((16, 2)).astype(np.float32))
        return ((net(given) - given @ SLOPE.T) ** 2).mean()

    return net, loss_of


def weights(net: nn.Module) -> list[list[float]]:
    return [parameter.detach().flatten().tolist() for parameter in net.parameters()]


def test_a_course_teaches(tmp_path: Path) -> None:
    net, loss_of = fresh()
    before = float(loss_of(np.random.default_rng(1)).detach())
    assert learn(net, loss_of, COURSE, tmp_path / "net.pt") > 0
    assert float(loss_of(np.random.default_rng(1)).detach()) < before / 10
    assert not net.training


def test_an_interrupted_course_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, loss_of = fresh()
    learn(whole, loss_of, COURSE, tmp_path / "whole.pt")
    first, loss_of = fresh()
    steps = iter(range(1000))
    learn(first, loss_of, COURSE, tmp_path / "half.pt", stop=lambda: next(steps) == 24)
    assert weights(first) != weights(whole)
    again, loss_of = fresh()
    learn(again, loss_of, COURSE, tmp_path / "half.pt")
    assert weights(again) == weights(whole)


def test_a_checkpoint_of_another_course_is_not_gone_on_from(tmp_path: Path) -> None:
    net, loss_of = fresh()
    learn(net, loss_of, Course(steps=5, pace=0.01), tmp_path / "net.pt")
    other, loss_of = fresh()
    learn(other, loss_of, COURSE, tmp_path / "net.pt")
    whole, loss_of = fresh()
    learn(whole, loss_of, COURSE, tmp_path / "whole.pt")
    assert weights(other) == weights(whole)
