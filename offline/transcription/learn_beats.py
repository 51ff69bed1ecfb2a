"""Teach the beat networks: ``python -m offline.transcription.learn_beats --help``.

Makes the lessons (kept in the work folder), trains two networks, and writes both as one ``model.onnx`` with its card.
Interrupted, the same command goes on from the last checkpoint.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hitloopd.core.errors import HitloopError
from offline.models.beat_ear import BeatEar, Shipped
from offline.transcription.beats.batches import SIZE, batch
from offline.transcription.beats.card import write_model
from offline.transcription.beats.lessons import BeatLesson, beat_lesson
from offline.transcription.beats.sight import CHANNELS
from offline.transcription.learning import Course, asked, learn, learner_options
from offline.transcription.lessons.make import Material

STEPS: Final = 1800
PACE: Final = 4e-3
LESSONS: Final = 300
EARS: Final = 2
"""Networks that are taught alike but for their seed: together they err less than either."""
VALIDATION: Final = 40
BATCHES: Final = 40


def lessons_of(material: Material, seeds: Iterable[int], work: Path) -> Iterator[BeatLesson]:
    """The lessons of some seeds."""
    for seed in seeds:
        lesson = beat_lesson(material, seed, work)
        if lesson is not None:
            yield lesson


def teach(lessons: Sequence[BeatLesson], course: Course, checkpoint: Path) -> tuple[BeatEar, float]:
    """A trained network and the seconds of CPU it took; the same lessons and course give the same weights."""
    torch.manual_seed(course.seed)
    net = BeatEar(CHANNELS)

    def loss_of(draw: np.random.Generator) -> Tensor:
        return _loss(net, *batch(lessons, draw))

    return net, learn(net, loss_of, course, checkpoint)


def judged(nets: Sequence[BeatEar], lessons: Sequence[BeatLesson]) -> float:
    """The mean loss of what the networks tell together, on lessons that were not learned from."""
    together = Shipped(nets).eval()
    losses: list[float] = []
    with torch.no_grad():
        for number in range(BATCHES):
            sight, wanted = map(torch.from_numpy, batch(lessons, np.random.default_rng(number)))
            losses.append(float(functional.binary_cross_entropy(together(sight), wanted)))
    return float(np.mean(losses))


def _loss(net: nn.Module, sight: NDArray[np.float32], wanted: NDArray[np.float32]) -> Tensor:
    return functional.binary_cross_entropy_with_logits(net(torch.from_numpy(sight)), torch.from_numpy(wanted))


def main(words: Sequence[str] | None = None) -> int:
    """Run the command."""
    prog = "python -m offline.transcription.learn_beats"
    options, places = asked(learner_options(prog, __doc__, Path("models/beat-ear"), LESSONS, STEPS), words)
    try:
        material = Material.load(places)
        lessons = list(lessons_of(material, range(options.lessons), options.work))
        seeds = range(options.seed, options.seed + EARS)
        courses = [Course(options.steps, pace=PACE, seed=seed) for seed in seeds]
        taught = [teach(lessons, course, options.work / f"beat-ear-{course.seed}.pt") for course in courses]
        nets = [net for net, _ in taught]
        valid = list(lessons_of(Material.load(places, train=False), range(VALIDATION), options.work))
        loss = judged(nets, valid)
        facts = {
            "lessons": len(lessons),
            "networks": EARS,
            "steps": options.steps,
            "batch": SIZE,
            "seed": options.seed,
            "cpu_s": round(sum(cpu_s for _, cpu_s in taught)),
            "loss_on_lessons_of_other_songs_and_sounds": round(loss, 4),
        }
        write_model(options.out, nets, facts, places)
    except HitloopError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.out}: loss {loss:.4f} on lessons of other songs and sounds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
