"""Teach the part network: ``python -m offline.transcription.learn_parts --help``.

Makes whole songs whose drums are known (kept in the work folder), has the first drum network hear them, teaches
which of its candidates are hits in the light of the song's bars and of what sounds alike, finds how likely a hit of
each lane has to be on other songs, and writes ``model.onnx`` with its card. A lane that is not clearly told better by
its bars is not among the card's ``hits``. Interrupted, the same command goes on from the last checkpoint.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.nn import functional

from hitloopd.core.errors import HitloopError
from hitloopd.core.pattern import DRUM_LANES
from offline.jobs import job_key
from offline.models.part_ear import PartEar, Shipped
from offline.training.recipe import ExportPlan
from offline.transcription.drums.alike import AGAIN, SEEN, UTMOST, likelihood, with_told
from offline.transcription.drums.bar_grid import CELLS, LANES, SURE
from offline.transcription.drums.ear import Ear
from offline.transcription.drums.part import INPUT, KIND, OUTPUT
from offline.transcription.drums.part_lessons import SIZE, THERE, VERSION, PartLesson, batch, bent, part_lessons
from offline.transcription.ear_card import write_ear
from offline.transcription.judging.scores import Tally, pooled
from offline.transcription.learning import Course, asked, learn, learner_options
from offline.transcription.lessons.make import Material, Places

STEPS: Final = 1600
PACE: Final = 3e-3
DECAY: Final = 0.02
LESSONS: Final = 160
VALIDATION: Final = 24
EARS: Final = 3
"""Networks that are taught alike but for their seed: together they err less than either."""
HEARD: Final = (0.35, 0.4, 0.25)
"""Shares of the batches that were not heard before, once, and twice."""
POSITIVE: Final = 1.5
"""A hit weighs so much as that many candidates that are none."""
LEASTS: Final = tuple(round(0.2 + 0.05 * step, 2) for step in range(13))
CLEARLY: Final = 3.0
"""Standard errors by which a lane must be heard better on other songs to be told by their bars: those are mixes, and a
lane that gains little there may lose where drums stand alone."""
EXAMPLE_ROWS: Final = 12


def teach(lessons: Sequence[PartLesson], course: Course, checkpoint: Path) -> tuple[PartEar, float]:
    """A trained network and the seconds of CPU it took; the same lessons and course give the same weights."""
    torch.manual_seed(course.seed)
    net = untaught()

    def loss_of(draw: np.random.Generator) -> Tensor:
        parts = batch(lessons, draw)
        seen = seen_again(net, parts, int(draw.choice(len(HEARD), p=HEARD)))
        truth = torch.from_numpy(np.stack([part.truth for part in parts]).astype(np.float32))
        return _loss(net(seen), truth, seen[:, THERE])

    return net, learn(net, loss_of, course, checkpoint)


def untaught() -> PartEar:
    """A network that begins."""
    return PartEar(SEEN, LANES, CELLS, SURE, UTMOST)


def seen_again(net: nn.Module, parts: Sequence[PartLesson], times: int) -> Tensor:
    """What the network sees of some pages that it has heard so often already, ``[n, SEEN, rows, CELLS]``."""
    seen = torch.from_numpy(np.stack([with_told(part.sight) for part in parts]))
    moments = [part.moments() for part in parts] if times else []
    for _ in range(times):
        with torch.no_grad():
            odds = net(seen).numpy()
        pages = zip(parts, moments, odds, strict=True)
        told = [with_told(part.sight, those.told(likelihood(own, part.sight))) for part, those, own in pages]
        seen = torch.from_numpy(np.stack(told))
    return seen


def _loss(odds: Tensor, truth: Tensor, there: Tensor) -> Tensor:
    weight = torch.tensor(POSITIVE)
    every = functional.binary_cross_entropy_with_logits(odds, truth, pos_weight=weight, reduction="none")
    return (every * there).sum() / there.sum().clamp(min=1.0)


def likely(net: nn.Module, lesson: PartLesson) -> NDArray[np.float32]:
    """The probability of each cell's hit, ``[LANES, rows, CELLS]``; 0 where there is no candidate."""
    with torch.no_grad():
        odds = net(seen_again(net, [lesson], AGAIN)).numpy()[0]
    return likelihood(odds, lesson.sight)


def least_likely(net: nn.Module, lessons: Sequence[PartLesson]) -> dict[str, float]:
    """How likely a hit of each lane has to be, so that it is worth most."""
    every = [likely(net, lesson) for lesson in lessons]
    least: dict[str, float] = {}
    for number, lane in enumerate(DRUM_LANES):
        tried = [(worth(_tallies(every, lessons, number, bound)), bound) for bound in LEASTS]
        least[lane.value] = max(tried)[1]
    return least


def compared(
    net: nn.Module, lessons: Sequence[PartLesson], least: Mapping[str, float]
) -> dict[str, tuple[list[Tally], list[Tally]]]:
    """How well each lane of each song is heard before its bars are known, and then."""
    every = [likely(net, lesson) for lesson in lessons]
    return {
        lane.value: ([lesson.before[number] for lesson in lessons], _tallies(every, lessons, number, least[lane.value]))
        for number, lane in enumerate(DRUM_LANES)
    }


def worth(tallies: Sequence[Tally]) -> float:
    """The mean of two F: of all songs together, and of the songs one by one."""
    return 0.5 * pooled(tallies).f + 0.5 * fmean(tally.f for tally in tallies)


def clearly_better(before: Sequence[Tally], after: Sequence[Tally]) -> bool:
    """Whether the F of songs grows by more than three standard errors."""
    gains = np.array([now.f - then.f for then, now in zip(before, after, strict=True)])
    return float(gains.mean()) > CLEARLY * float(gains.std(ddof=1)) / len(gains) ** 0.5


def _tallies(
    every: Sequence[NDArray[np.float32]], lessons: Sequence[PartLesson], number: int, bound: float
) -> list[Tally]:
    return [_tally(told[number] >= bound, lesson, number) for told, lesson in zip(every, lessons, strict=True)]


def strangers(lessons: Sequence[PartLesson]) -> list[PartLesson]:
    """The lessons with odds as of sounds that are further from those that the drum network learned from."""
    return [
        replace(lesson, sight=bent(lesson.sight, np.random.default_rng(number)))
        for number, lesson in enumerate(lessons)
    ]


def _tally(found: NDArray[np.bool_], lesson: PartLesson, number: int) -> Tally:
    truth = lesson.truth[number]
    return Tally(int(found.sum()), int(truth.sum()) + lesson.missed[number], int((found & truth).sum()))


def write_model(
    folder: Path,
    net: Shipped,
    told: tuple[Mapping[str, float], Mapping[str, Tally]],
    facts: Mapping[str, Any],
    places: Places,
) -> None:
    """``model.onnx`` and ``card.yaml``.

    Raises:
        ParityError: the file does not say what the network says.
    """
    least, scores = told
    axes = {name: {0: "songs", 2: "rows"} for name in (INPUT, OUTPUT)}
    draw = torch.Generator().manual_seed(1)
    example = torch.rand(2, SEEN, EXAMPLE_ROWS, CELLS, generator=draw) * 2 - 1
    card = {
        "made_by": "python -m offline.transcription.learn_parts",
        "input": f"{INPUT} float32 [songs, {SEEN}, rows, {CELLS}]: offline/transcription/drums/{{bar_grid,alike}}.py",
        "output": f"{OUTPUT} float32 [songs, {LANES}, rows, {CELLS}]: logarithms of the odds that a candidate is a hit",
        "lanes": [lane.value for lane in DRUM_LANES],
        "hits": dict(least),
    }
    plan = ExportPlan(net.eval(), (example,), (INPUT,), (OUTPUT,), axes, kind=KIND, card=card)
    write_ear(folder, plan, facts, scores, places)


@threadpool_limits.wrap(limits=1, user_api="blas")  # with more threads sums are others in their last digits
def main(words: Sequence[str] | None = None) -> int:
    """Run the command."""
    prog = "python -m offline.transcription.learn_parts"
    options, places = asked(learner_options(prog, __doc__, Path("models/part-ear"), LESSONS, STEPS), words)
    try:
        ear = Ear.load(second=None)  # taught with what both hear, it does no better with what both hear
        known, others = Material.load(places), Material.load(places, train=False)
        lessons = list(part_lessons(known, others.sounds, ear, range(options.lessons), options.work))
        valid = list(part_lessons(others, others.sounds, ear, range(VALIDATION), options.work))
        courses = [Course(options.steps, PACE, DECAY, options.seed + number) for number in range(EARS)]
        # other lessons are another course
        key = job_key(VERSION, ear.name, len(lessons))
        at = [options.work / f"part-ear-{key}-{course.seed}.pt" for course in courses]
        taught = [teach(lessons, course, checkpoint) for course, checkpoint in zip(courses, at, strict=True)]
        net = Shipped([one for one, _ in taught]).eval()
        least = least_likely(net, [*valid, *strangers(valid)])
        heard = compared(net, valid, least)
        better = {lane: bound for lane, bound in least.items() if clearly_better(*heard[lane])}
        facts: dict[str, Any] = {
            "lessons": len(lessons),
            "validation": len(valid),
            "heard_by": ear.name,
            "steps": options.steps,
            "batch": SIZE,
            "seed": options.seed,
            "networks": EARS,
            "cpu_s": round(sum(cpu_s for _, cpu_s in taught)),
            "worth_before_and_after": {
                lane: [round(worth(before), 3), round(worth(after), 3)] for lane, (before, after) in heard.items()
            },
        }
        scores = {lane: pooled(heard[lane][1]) for lane in better}
        write_model(options.out, net, (better, scores), facts, places)
    except HitloopError as error:
        print(error, file=sys.stderr)
        return 1
    for lane, (before, after) in facts["worth_before_and_after"].items():
        print(
            f"{lane}: {before:.3f} before the bars are known, {after:.3f} then{'' if lane in better else ': left out'}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
