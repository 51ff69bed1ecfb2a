"""Teach the beat network: ``python -m offline.transcription.learn_beats --help``.

Makes the lessons (kept in the work folder), trains, and writes ``model.onnx`` with its card. Interrupted, the same
command goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hitloopd.core.errors import HitloopError
from offline.models.beat_ear import BeatEar
from offline.transcription.beat_batches import SIZE, batch
from offline.transcription.beat_card import write_model
from offline.transcription.beat_lessons import BeatLesson, beat_lesson
from offline.transcription.beat_sight import CHANNELS
from offline.transcription.learning import Course, learn
from offline.transcription.lessons import FONT, Material, Places

STEPS: Final = 620
PACE: Final = 4e-3
FIRST: Final = 220
MORE: Final = 0.2
VALIDATION: Final = 100
BATCHES: Final = 40


class Known:
    """The lessons so far: the first ones, and more with every batch, so that others may be made meanwhile.

    Args:
        lessons: whence they come.
        first: how many the first batch is drawn from.
        more: how many come in with each batch.
    """

    def __init__(self, lessons: Iterator[BeatLesson], first: int = FIRST, more: float = MORE) -> None:
        self._lessons, self._first, self._more = lessons, first, more
        self._held: list[BeatLesson] = []

    def at(self, step: int) -> Sequence[BeatLesson]:
        """What a batch is drawn from."""
        wanted = self._first + int(step * self._more)
        self._held += itertools.islice(self._lessons, max(wanted - len(self._held), 0))
        return self._held


def lessons_of(material: Material, seeds: Iterable[int], work: Path) -> Iterator[BeatLesson]:
    """The lessons of some seeds."""
    for seed in seeds:
        lesson = beat_lesson(material, seed, work)
        if lesson is not None:
            yield lesson


def teach(known: Known, course: Course, checkpoint: Path) -> tuple[BeatEar, float]:
    """A trained network and the seconds of CPU it took; the same lessons and course give the same weights."""
    torch.manual_seed(course.seed)
    net = BeatEar(CHANNELS)

    def loss_of(draw: np.random.Generator) -> Tensor:
        step = int(net.norm.num_batches_tracked)  # a run that was interrupted knows it too
        return _loss(net, *batch(known.at(step), draw))

    return net, learn(net, loss_of, course, checkpoint)


def judged(net: BeatEar, lessons: Sequence[BeatLesson]) -> float:
    """The mean loss on lessons that were not learned from."""
    with torch.no_grad():
        losses = [float(_loss(net, *batch(lessons, np.random.default_rng(number)))) for number in range(BATCHES)]
    return float(np.mean(losses))


def _loss(net: nn.Module, sight: Any, wanted: Any) -> Tensor:  # noqa: ANN401 - arrays
    logits = net(torch.from_numpy(sight))
    return functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(wanted))


def main(words: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = _parser().parse_args(words)
    torch.set_num_threads(options.threads)
    places = Places(options.midi, options.oneshots, options.font)
    try:
        material = Material.load(places)
        known = Known(lessons_of(material, itertools.count(), options.work))
        course = Course(options.steps, pace=PACE, seed=options.seed)
        net, cpu_s = teach(known, course, options.work / "beat-ear.pt")
        valid = list(lessons_of(Material.load(places, train=False), range(VALIDATION), options.work))
        loss = judged(net, valid)
        facts = {
            "lessons": len(known.at(course.steps - 1)),
            "steps": course.steps,
            "batch": SIZE,
            "seed": course.seed,
            "cpu_s": round(cpu_s),
            "loss_on_lessons_of_other_songs_and_sounds": round(loss, 4),
        }
        write_model(options.out, net, facts, places)
    except HitloopError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.out}: loss {loss:.4f} on lessons of other songs and sounds")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m offline.transcription.learn_beats", description=__doc__)
    parser.add_argument("--midi", type=Path, required=True, help="folder with freedoom and groove in it")
    parser.add_argument("--oneshots", type=Path, required=True, help="labelled one-shots in folders by class")
    parser.add_argument("--font", type=Path, default=FONT, help="General MIDI sound font; its drums are not used")
    parser.add_argument("--work", type=Path, required=True, help="folder for lessons and checkpoints")
    parser.add_argument("--out", type=Path, default=Path("models/beat-ear"), help="where the model goes")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
