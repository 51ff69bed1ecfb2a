"""Teach the bass network: ``python -m offline.transcription.learn_bass --help``.

Makes the lessons (kept in the work folder), trains, finds out how strict to be on lessons of other songs, and writes
``model.onnx`` with its card. Interrupted, the same command goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from offline.models.bass_ear import BassEar
from offline.transcription.bass.batches import batch
from offline.transcription.bass.card import Taught, write_model
from offline.transcription.bass.decode import Said, Strictness, notes_of
from offline.transcription.bass.ear import loudness
from offline.transcription.bass.sight import levels
from offline.transcription.bass.study import UNKNOWN, Page, pages
from offline.transcription.heard import BassNote
from offline.transcription.judging.scores import Tally, bass_tallies, pooled
from offline.transcription.judging.truth import Truth
from offline.transcription.learning import Course, learn
from offline.transcription.lessons.make import FONT, PIECE_S, VERSION, Places

CHECKPOINT: Final = "bass-ear.pt"
POSITIVE: Final = 2.0
"""An onset's frame weighs so much more than one without: most are without."""
WEIGHT_OF_PITCHES: Final = 0.25
ONSETS: Final = tuple(np.arange(0.1, 0.71, 0.05).round(2).tolist())
SOUNDS: Final = (0.1, 0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one training.

    Args:
        lessons: to learn from.
        validation: lessons to find out with how strict to be.
        steps: batches.
        batch: stretches of 7 s in a batch.
        pace: highest rate of learning.
        seed: of weights and batches.
    """

    lessons: int = 400
    validation: int = 40
    steps: int = 2400
    batch: int = 12
    pace: float = 3e-3
    seed: int = 0


def fresh(seed: int) -> BassEar:
    """A network that has learned nothing."""
    torch.manual_seed(seed)
    return BassEar().to(memory_format=torch.channels_last)


def loss_of(net: BassEar, seen: Tensor, onsets: Tensor, pitches: Tensor) -> Tensor:
    """How far the network is off on a batch."""
    onset, pitch = net(seen)
    begins = functional.binary_cross_entropy_with_logits(onset, onsets, pos_weight=torch.tensor(POSITIVE))
    sounds = functional.cross_entropy(pitch.flatten(0, 1), pitches.flatten(), ignore_index=UNKNOWN)
    return begins + WEIGHT_OF_PITCHES * sounds


def said_of(net: BassEar, page: Page) -> Said:
    """What the network says of a whole lesson."""
    seen = page.mix.astype(np.float32)
    with torch.no_grad():
        onset, pitch = net(torch.from_numpy(levels(seen))[None])
    return Said(torch.sigmoid(onset)[0].numpy(), torch.softmax(pitch, 2)[0].numpy(), loudness(seen))


def truth_of(page: Page) -> Truth:
    """The line that is played in a lesson."""
    line = [BassNote(float(a), float(b), int(pitch), 1.0, 1.0) for a, b, pitch in page.notes]
    return Truth((), (), (), tuple(line), (), 120.0, PIECE_S)


def judged(net: BassEar, validation: Sequence[Page]) -> tuple[Strictness, dict[str, Tally]]:
    """How strict to be, as is best on lessons that were not learned from, and how well the bass is heard there."""
    every = [(said_of(net, page), truth_of(page)) for page in validation]
    found: list[tuple[float, Strictness, dict[str, Tally]]] = []
    for onset, sound in product(ONSETS, SOUNDS):
        strictness = Strictness(onset, sound)
        tallies = [bass_tallies(truth, notes_of(said, strictness)) for said, truth in every]
        scores = {name: pooled(tally[name] for tally in tallies) for name in tallies[0]}
        found.append((sum(score.f for score in scores.values()), strictness, scores))
    _, strictness, scores = max(found, key=lambda each: each[0])
    return strictness, scores


def main(words: Sequence[str] | None = None) -> int:
    """Teach, and write the model with its card."""
    parser = argparse.ArgumentParser(prog="python -m offline.transcription.learn_bass", description=__doc__)
    parser.add_argument("--midi", type=Path, required=True, help="folder with freedoom and groove in it")
    parser.add_argument("--oneshots", type=Path, required=True, help="labelled one-shots")
    parser.add_argument("--font", type=Path, default=FONT)
    parser.add_argument("--work", type=Path, required=True, help="folder for lessons and the checkpoint")
    parser.add_argument("--out", type=Path, required=True)
    for name, default in asdict(Settings()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    args = parser.parse_args(words)
    settings = Settings(**{name: getattr(args, name) for name in asdict(Settings())})
    torch.set_num_threads(1)
    places = Places(args.midi, args.oneshots, args.font)
    lessons = list(pages(places, range(settings.lessons), args.work, train=True))
    validation = list(pages(places, range(settings.validation), args.work, train=False))
    net = fresh(settings.seed)
    course = Course(settings.steps, settings.pace, seed=settings.seed)
    cpu_s = learn(net, lambda draw: loss_of(net, *batch(lessons, settings.batch, draw)), course, args.work / CHECKPOINT)
    strictness, scores = judged(net, validation)
    print(*(f"{name}: F {score.f:.3f}" for name, score in scores.items()), sep="\n")
    training = asdict(settings) | {"version_of_lessons": VERSION, "cpu_s": round(cpu_s)}
    write_model(args.out, Taught(net, strictness, scores, training), places)
    return 0


if __name__ == "__main__":
    sys.exit(main())
