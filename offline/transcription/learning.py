"""The loop that teaches a transcriber's network: batches drawn by step, one cycle of the pace, a checkpoint in time.

A step's batch is decided by the seed and its number alone, so a run that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from offline.jobs import write_atomically
from offline.transcription.lessons.make import FONT, Places

CHECKPOINT_S: Final = 60.0
SAY_S: Final = 20.0
STEEPEST: Final = 1.0
"""Longer gradients are shortened to it: a recurrent layer's can be huge once in a while."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a network is taught.

    Args:
        steps: batches.
        pace: the learning rate at its highest.
        decay: of weights.
        seed: decides the batches and the first weights.
    """

    steps: int
    pace: float = 3e-3
    decay: float = 0.01
    seed: int = 0


def learn(
    net: nn.Module,
    loss_of: Callable[[np.random.Generator], Tensor],
    course: Course,
    checkpoint: Path,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> float:
    """Teach a network until its course is over or ``stop`` says so; gives the seconds of CPU spent, earlier runs' too.

    Args:
        net: changed in place; its first weights should come from the course's seed.
        loss_of: draws a batch and gives the network's loss on it.
        course: how long and how.
        checkpoint: file that an interrupted course goes on from.
        stop: asked after each step.
    """
    optimiser = torch.optim.AdamW(net.parameters(), course.pace, weight_decay=course.decay)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, course.pace, total_steps=course.steps + 1, pct_start=0.15)
    first, spent_s = _resumed(checkpoint, course, net, optimiser, pace)
    began_s, stored_s, said_s, losses = time.process_time(), time.monotonic(), time.monotonic(), 0.0
    net.train()
    for step in range(first, course.steps):
        torch.manual_seed(course.seed * 1_000_003 + step)  # what drops out is decided by the step too
        loss = loss_of(np.random.default_rng((course.seed, step)))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), STEEPEST)
        optimiser.step()
        pace.step()
        now = float(loss.detach())
        losses = 0.98 * losses + 0.02 * now if step > first else now
        over = stop()
        if over or time.monotonic() - stored_s > CHECKPOINT_S or step + 1 == course.steps:
            now_s = spent_s + time.process_time() - began_s
            _store(checkpoint, course, step + 1, now_s, net, optimiser, pace)
            stored_s = time.monotonic()
        if time.monotonic() - said_s > SAY_S:
            print(f"step {step + 1} of {course.steps}  loss {losses:.4f}", file=sys.stderr, flush=True)
            said_s = time.monotonic()
        if over:
            break
    net.eval()
    return spent_s + time.process_time() - began_s


def _resumed(checkpoint: Path, course: Course, net: nn.Module, *others: Any) -> tuple[int, float]:  # noqa: ANN401
    """The step to go on at and the CPU seconds spent so far; everything begins anew for another course."""
    if not checkpoint.is_file():
        return 0, 0.0
    held = torch.load(checkpoint, weights_only=True)
    if held["course"] != _plain(course):
        return 0, 0.0
    for part, state in zip((net, *others), held["states"], strict=True):
        part.load_state_dict(state)
    return int(held["step"]), float(held["cpu_s"])


def _store(checkpoint: Path, course: Course, step: int, cpu_s: float, *parts: Any) -> None:  # noqa: ANN401
    buffer = io.BytesIO()
    states = [part.state_dict() for part in parts]
    torch.save({"course": _plain(course), "step": step, "cpu_s": cpu_s, "states": states}, buffer)
    write_atomically(checkpoint, buffer.getvalue())


def _plain(course: Course) -> list[float]:
    return [course.steps, course.pace, course.decay, course.seed]


def learner_options(prog: str, description: str | None, out: Path, lessons: int, steps: int) -> argparse.ArgumentParser:
    """The options of a command that makes lessons and teaches a network with them."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--midi", type=Path, required=True, help="folder with freedoom and groove in it")
    parser.add_argument("--oneshots", type=Path, required=True, help="labelled one-shots in folders by class")
    parser.add_argument("--font", type=Path, default=FONT, help="General MIDI sound font; its drums are not used")
    parser.add_argument("--work", type=Path, required=True, help="folder for lessons and checkpoints")
    parser.add_argument("--out", type=Path, default=out, help="where the model goes")
    parser.add_argument("--lessons", type=int, default=lessons)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser


def asked(parser: argparse.ArgumentParser, words: Sequence[str] | None) -> tuple[argparse.Namespace, Places]:
    """What such a command is asked for, and where its material lies; from then on torch takes as many threads."""
    options = parser.parse_args(words)
    torch.set_num_threads(options.threads)
    return options, Places(options.midi, options.oneshots, options.font)
