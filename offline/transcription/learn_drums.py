"""Teach the drum network: ``python -m offline.transcription.learn_drums --help``.

Makes the lessons (kept in the work folder), trains, finds which peaks are hits on lessons of other songs and sounds,
and writes ``model.onnx`` with its card. Interrupted, the same command goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hitloopd.core.errors import ConfigError
from hitloopd.core.pattern import DRUM_LANES
from offline.jobs import write_atomically
from offline.models.drum_ear import DrumEar
from offline.transcription.drums.batches import Beside, batch
from offline.transcription.drums.card import Taught, write_model
from offline.transcription.drums.pages import LANES, OUTPUTS, Page, kit_pages, pages, percussion_pages, song_pages
from offline.transcription.drums.peaks import Rule
from offline.transcription.drums.repeats import steadied
from offline.transcription.drums.scores import best_rule
from offline.transcription.drums.spectrum import SIZE, levels, reference
from offline.transcription.judging.scores import Tally
from offline.transcription.lessons.make import FONT, Places

CHECKPOINT: Final = "drum-ear.pt"
WEIGHT_OF_KINDS: Final = 0.3
WEIGHT_OF_FORCES: Final = 0.5
POSITIVE: Final = 2.0
_REPORT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one training.

    Args:
        lessons: to learn from.
        first: lessons with which training begins.
        more: lessons that come in with each step.
        validation: lessons to find the rules of hearing with.
        hands: pieces of percussion to mix under them.
        kits: pieces of drums on many kits to mix with their accompaniments.
        songs: whole songs to learn from, several pages of each; they are there from the start.
        steps: batches.
        batch: stretches of 8 s in a batch.
        rate: highest rate of learning.
        seed: of weights and batches.
        keep_every: steps between two checkpoints.
    """

    lessons: int = 600
    first: int = 100
    more: float = 0.25
    validation: int = 60
    hands: int = 100
    kits: int = 1200
    songs: int = 200
    steps: int = 2000
    batch: int = 12
    rate: float = 3e-3
    seed: int = 0
    keep_every: int = 200


@dataclass(slots=True)
class Run:
    """A training as it goes on; ``before`` is what was done to the weights that it began with, for the card."""

    net: DrumEar
    optimiser: torch.optim.Optimizer
    pace: torch.optim.lr_scheduler.LRScheduler
    step: int = 0
    cpu_s: float = 0.0
    before: dict[str, Any] | None = None


def begin(settings: Settings, start: Path | None = None) -> Run:
    """A fresh network, or one with the weights of another training's checkpoint.

    Raises:
        ConfigError: the checkpoint is missing or damaged.
    """
    torch.manual_seed(settings.seed)
    net = DrumEar(SIZE, len(OUTPUTS), LANES)
    held = _read(start) if start is not None else None
    if held is not None:
        net.load_state_dict(held["net"])
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total_steps=settings.steps + 1, pct_start=0.1)
    return Run(net, optimiser, pace, before=_history(held) if held is not None else None)


def _history(held: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint says of its training and of those before."""
    told = {**held["settings"], "step": held["step"], "cpu_s": round(held["cpu_s"])}
    return told | ({"started_from": held["before"]} if held.get("before") else {})


def train(run: Run, lessons: Iterator[Page], beside: Beside, settings: Settings, checkpoint: Path) -> None:
    """Go on to the last step; a checkpoint now and then.

    It begins with the songs and the first lessons and takes more with each step, so that others may be made meanwhile
    by another process (``--lessons-only``).
    """
    known: list[Page] = list(beside.songs)
    run.net.to(memory_format=torch.channels_last)
    run.net.train()
    told, loss_sum, count = time.monotonic(), 0.0, 0
    began = time.process_time() - run.cpu_s
    while run.step < settings.steps:
        while len(known) - len(beside.songs) < min(settings.lessons, settings.first + int(run.step * settings.more)):
            known.append(next(lessons))
        seen, onsets, forces = (
            torch.from_numpy(a) for a in batch(known, beside, settings.batch, (settings.seed, run.step))
        )
        torch.manual_seed((settings.seed << 24) + run.step)  # dropout too follows from the step
        with torch.autocast("cpu", torch.bfloat16):
            logits, heard = run.net(seen)
        loss = _loss(logits.float(), heard.float(), onsets, forces)
        run.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(run.net.parameters(), 1.0)
        run.optimiser.step()
        run.pace.step()
        run.step += 1
        loss_sum, count = loss_sum + float(loss.detach()), count + 1
        run.cpu_s = time.process_time() - began
        if run.step % settings.keep_every == 0 or run.step == settings.steps:
            write_atomically(checkpoint, _held(run, settings))
        if time.monotonic() - told > _REPORT_S or run.step == settings.steps:
            left = (time.process_time() - began) / run.step * (settings.steps - run.step)
            print(
                f"step {run.step} of {settings.steps}: loss {loss_sum / count:.4f}, {left:.0f} s of processor left",
                file=sys.stderr,
                flush=True,
            )
            told, loss_sum, count = time.monotonic(), 0.0, 0
    run.net.eval()


def _loss(logits: Tensor, heard: Tensor, onsets: Tensor, forces: Tensor) -> Tensor:
    weight = torch.tensor(POSITIVE)
    lanes = functional.binary_cross_entropy_with_logits(logits[..., :LANES], onsets[..., :LANES], pos_weight=weight)
    kinds = functional.binary_cross_entropy_with_logits(logits[..., LANES:], onsets[..., LANES:], pos_weight=weight)
    there = (forces > 0).float()
    velocity = ((heard - forces) ** 2 * there).sum() / there.sum().clamp(min=1.0)
    return lanes + WEIGHT_OF_KINDS * kinds + WEIGHT_OF_FORCES * 0.1 * velocity


def _held(run: Run, settings: Settings) -> bytes:
    file = io.BytesIO()
    torch.save(
        {
            "settings": asdict(settings),
            "step": run.step,
            "cpu_s": run.cpu_s,
            "before": run.before,
            "net": run.net.state_dict(),
            "optimiser": run.optimiser.state_dict(),
            "pace": run.pace.state_dict(),
        },
        file,
    )
    return file.getvalue()


def resumed(settings: Settings, checkpoint: Path, start: Path | None = None) -> Run:
    """The run of a checkpoint, or a new one where there is none; ``start`` is as in ``begin``.

    Raises:
        ConfigError: the checkpoint is of other settings, or damaged.
    """
    run = begin(settings, start)
    if not checkpoint.is_file():
        return run
    held = _read(checkpoint)
    if held["settings"] != asdict(settings):
        raise ConfigError([f"{checkpoint}: of a training with other settings. Remove it, or choose another --work."])
    run.net.load_state_dict(held["net"])
    run.optimiser.load_state_dict(held["optimiser"])
    run.pace.load_state_dict(held["pace"])
    run.step, run.cpu_s, run.before = held["step"], held["cpu_s"], held.get("before")
    return run


def _read(checkpoint: Path) -> dict[str, Any]:
    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # a missing file, or whatever the unpickler meets in a damaged one
        raise ConfigError([f"{checkpoint}: no checkpoint: {' '.join(str(error).split())[:200]}"]) from error


def mean_weights(nets: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of the weights of trainings of one descent: steadier than the last of them."""
    first = nets[0]
    return {name: torch.stack([net[name].double() for net in nets]).mean(dim=0).to(first[name].dtype) for name in first}


def activations(net: DrumEar, page: Page) -> np.ndarray:
    """What is heard of a whole lesson, ``[frames, lanes]``: by the network, in the light of other bars."""
    log = page.mix.astype(np.float32)
    with torch.no_grad():
        logits, _ = net(torch.from_numpy(levels(log, reference(log)))[None])
    return steadied(torch.sigmoid(logits[0, :, :LANES]).numpy())


def judged(net: DrumEar, validation: Sequence[Page]) -> tuple[list[Rule], dict[str, Tally]]:
    """The best rule of each lane on lessons that were not learned from, and how well it is heard there."""
    every = [activations(net, page) for page in validation]
    rules: list[Rule] = []
    scores: dict[str, Tally] = {}
    for number, lane in enumerate(DRUM_LANES):
        truths = [np.sort(page.strokes[page.strokes[:, 1] == number, 0]).astype(np.float64) for page in validation]
        rule, scores[lane.value] = best_rule([activation[:, number] for activation in every], truths)
        rules.append(rule)
    return rules, scores


def _beside(settings: Settings) -> tuple[tuple[Callable[..., Iterator[Page]], range], ...]:
    """What is read before the first step: how its pages are made, and of which seeds."""
    return (
        (kit_pages, range(settings.kits)),
        (percussion_pages, range(settings.hands)),
        (song_pages, range(settings.songs)),
    )


def _made_from_the_last(places: Places, settings: Settings, work: Path) -> int:
    """Makes all pages, while another process does so from the first on; how many there are."""
    every = (*_beside(settings), (pages, range(settings.lessons)))
    return sum(1 for pages_of, seeds in every for _ in pages_of(places, reversed(seeds), work))


def main(words: Sequence[str] | None = None) -> int:
    """Teach, and write the model with its card."""
    parser = argparse.ArgumentParser(prog="python -m offline.transcription.learn_drums", description=__doc__)
    parser.add_argument("--midi", type=Path, required=True, help="folder with freedoom and groove in it")
    parser.add_argument("--oneshots", type=Path, required=True, help="labelled one-shots")
    parser.add_argument("--font", type=Path, default=FONT)
    parser.add_argument("--work", type=Path, required=True, help="folder for lessons and the checkpoint")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="checkpoint of another training, whose weights this one begins with")
    parser.add_argument(
        "--mean", type=Path, nargs="+", default=[], help="checkpoints whose weights are averaged with those taught here"
    )
    for name, default in asdict(Settings()).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(default), default=default, help="default %(default)s"
        )
    parser.add_argument("--lessons-only", action="store_true", help="make the pages, from the last to the first")
    args = parser.parse_args(words)
    settings = Settings(**{name: getattr(args, name) for name in asdict(Settings())})
    torch.set_num_threads(1)
    places = Places(args.midi, args.oneshots, args.font)
    if args.lessons_only:
        print(f"{_made_from_the_last(places, settings, args.work)} pages in {args.work}")
        return 0
    checkpoint = args.work / CHECKPOINT
    run = resumed(settings, checkpoint, args.start)
    beside = Beside(*(list(pages_of(places, seeds, args.work)) for pages_of, seeds in _beside(settings)))
    train(run, pages(places, range(settings.lessons), args.work), beside, settings, checkpoint)
    others = [_read(path) for path in args.mean]
    run.net.load_state_dict(mean_weights([run.net.state_dict(), *(other["net"] for other in others)]))
    rules, scores = judged(run.net, list(pages(places, range(settings.validation), args.work, train=False)))
    print(*(f"{lane}: F {score.f:.3f}" for lane, score in scores.items()), sep="\n")
    training: dict[str, Any] = asdict(settings) | {"cpu_s": round(run.cpu_s)}
    if others:
        training["mean_with"] = [{"seed": other["settings"]["seed"], "step": other["step"]} for other in others]
    if run.before is not None:
        training["started_from"] = run.before
    write_model(args.out, Taught(run.net, rules, scores, training), places)
    return 0


if __name__ == "__main__":
    sys.exit(main())
