"""Teach the bar network: ``python -m offline.transcription.learn_bars --help``.

Needs the lessons of the beat network (``learn_beats``, in the same work folder; what is missing is made), finds the
beats in them with the networks that ship, and teaches which of these are the first of a bar: what is raised is the
probability of all true places of a stretch together, as they follow each other.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from hitloopd.core.errors import HitloopError
from offline.models.bar_ear import BarEar
from offline.training.recipe import ExportPlan
from offline.transcription.beats.bar_lessons import BEATS, SIZE, BarLesson, bar_lessons, batch
from offline.transcription.beats.bar_lines import INPUT, KIND, OUTPUT, bar_lines, turn_costs
from offline.transcription.beats.bar_sight import CHANNELS
from offline.transcription.ear_card import write_ear
from offline.transcription.learn_beats import lessons_of
from offline.transcription.learning import Course, asked, learn, learner_options
from offline.transcription.lessons.make import Material, Places

STEPS: Final = 300
PACE: Final = 5e-3
DECAY: Final = 8.0
LESSONS: Final = 300
VALIDATION: Final = 40
_NEVER: Final = -1e4


def teach(lessons: Sequence[BarLesson], course: Course, checkpoint: Path) -> tuple[BarEar, float]:
    """A trained network and the seconds of CPU it took; the same lessons and course give the same weights."""
    torch.manual_seed(course.seed)
    net = BarEar(CHANNELS)
    every = torch.from_numpy(np.concatenate([lesson.sight for lesson in lessons], axis=1))
    net.mean.copy_(every.mean(dim=1, keepdim=True))
    net.spread.copy_(every.std(dim=1, keepdim=True) + 1e-3)

    def loss_of(draw: np.random.Generator) -> Tensor:
        sights, possible = map(torch.from_numpy, batch(lessons, draw))
        return unlikely(net(sights), possible)

    return net, learn(net, loss_of, course, checkpoint)


def unlikely(odds: Tensor, possible: Tensor) -> Tensor:
    """By how much, in logarithms, the possible ways through the places fall short of all ways; the mean of a batch.

    Args:
        odds: ``[n, 4, beats]``.
        possible: likewise, of truth values.
    """
    return (_all_ways(odds) - _all_ways(odds.masked_fill(~possible, _NEVER))).mean()


def _all_ways(odds: Tensor) -> Tensor:
    cost = torch.from_numpy(turn_costs()).to(odds.dtype)
    total = odds[:, :, 0]
    for beat in range(1, odds.shape[2]):
        total = torch.logsumexp(total[:, :, None] + cost, dim=1) + odds[:, :, beat]
    return torch.logsumexp(total, dim=1)


def right(net: nn.Module, lessons: Sequence[BarLesson]) -> float:
    """The mean share of beats that get their true place."""
    shares: list[float] = []
    for lesson in lessons:
        with torch.no_grad():
            odds = net(torch.from_numpy(lesson.sight[None]))[0].numpy().T.astype(np.float64)
        none = [0] * len(odds)
        found = bar_lines(odds, none, [False] * len(odds)).places
        known = lesson.places >= 0
        shares.append(float((found == lesson.places)[known].mean()))
    return float(np.mean(shares)) if shares else 0.0


def write_model(folder: Path, net: BarEar, facts: dict[str, float], places: Places) -> None:
    """``model.onnx`` and ``card.yaml``.

    Raises:
        ParityError: the file does not say what the network says.
    """
    axes = {name: {0: "songs", 2: "beats"} for name in (INPUT, OUTPUT)}
    example = torch.randn(2, CHANNELS, 200, generator=torch.Generator().manual_seed(1))
    told = {
        "made_by": "python -m offline.transcription.learn_bars",
        "input": f"{INPUT} float32 [songs, {CHANNELS}, beats]: offline/transcription/beats/bar_sight.py",
        "output": f"{OUTPUT} float32 [songs, 4, beats]: what speaks for each place in the bar, logarithms of odds",
    }
    plan = ExportPlan(net.eval(), (example,), (INPUT,), (OUTPUT,), axes, kind=KIND, card=told)
    write_ear(folder, plan, facts, {}, places)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command."""
    prog = "python -m offline.transcription.learn_bars"
    options, places = asked(learner_options(prog, __doc__, Path("models/bar-ear"), LESSONS, STEPS), words)
    try:
        some = lessons_of(Material.load(places), range(options.lessons), options.work)
        lessons = list(bar_lessons(some))
        other = lessons_of(Material.load(places, train=False), range(VALIDATION), options.work)
        valid = list(bar_lessons(other))
        checkpoint = options.work / f"bar-ear-{len(lessons)}.pt"  # more lessons are another course
        net, cpu_s = teach(lessons, Course(options.steps, PACE, DECAY, options.seed), checkpoint)
        share = right(net, valid)
        facts = {
            "lessons": len(lessons),
            "steps": options.steps,
            "batch": SIZE,
            "beats": BEATS,
            "seed": options.seed,
            "cpu_s": round(cpu_s),
            "right_places_in_lessons_of_other_songs_and_sounds": round(share, 4),
        }
        write_model(options.out, net, facts, places)
    except HitloopError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.out}: {share:.1%} of the beats in their place in lessons of other songs and sounds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
