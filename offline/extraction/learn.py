"""Teach the listener: ``python -m offline.extraction.learn --references DIR --fields DIR --out models/listener``.

Some minutes on one core. The weights are plain arrays (``listener.Network`` plays them without torch); the card beside
them says what they were taught with and under which licences.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hitloopd.core.errors import UnavailableError
from offline.catalogue import Source, source_of
from offline.extraction.classes import Reference, load_references, reference_files
from offline.extraction.general_midi import font_sounds, own_sounds
from offline.extraction.lessons import Lessons, field_recordings, heard_files, make_lessons
from offline.extraction.listener import LABELS
from offline.extraction.mel import ALL_BANDS
from offline.extraction.shapes import SEGMENTS, SIZE
from offline.jobs import write_atomically

CHANNELS: Final = 12
HIDDEN: Final = 64
DROPPED: Final = 0.3
WIDE: Final = (256, 96)
WIDE_DROPPED: Final = 0.4
BATCH: Final = 128
EPOCHS: Final = 5
RATE_OF_LEARNING: Final = 2e-3
SMOOTHING: Final = 0.05
NONES_FOR_ONE: Final = 0.7
LESSONS: Final = 20_000
FONT: Final = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")


class Convolutional(nn.Module):
    """Three convolutions over segments and bands, two layers above them."""

    def __init__(self) -> None:
        super().__init__()
        c = CHANNELS
        self.first, self.first_norm = nn.Conv2d(2, c, (3, 5), (1, 2), (1, 2)), nn.BatchNorm2d(c)
        self.second, self.second_norm = nn.Conv2d(c, 2 * c, 3, 2, 1), nn.BatchNorm2d(2 * c)
        self.third, self.third_norm = nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.BatchNorm2d(2 * c)
        self.drop = nn.Dropout(DROPPED)
        self.fourth = nn.Linear(2 * c * (SEGMENTS // 2) * (ALL_BANDS // 4), HIDDEN)
        self.fourth_norm = nn.BatchNorm1d(HIDDEN)
        self.last = nn.Linear(HIDDEN, len(LABELS))

    def forward(self, seen: Tensor) -> Tensor:
        """Logits of the labels for ``float32 [n, 2, SEGMENTS, ALL_BANDS]``."""
        x = functional.relu(self.first_norm(self.first(seen)))
        x = functional.relu(self.second_norm(self.second(x)))
        x = functional.relu(self.third_norm(self.third(x)))
        x = functional.relu(self.fourth_norm(self.fourth(self.drop(x.flatten(1)))))
        return self.last(self.drop(x))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The weights as ``listener.Network`` wants them."""
        names = ("first", "second", "third", "fourth")
        found = dict(item for name in names for item in _folded(self, name).items())
        return found | {"last": _array(self.last.weight.T), "last_bias": _array(self.last.bias)}


class Dense(nn.Module):
    """Two wide layers over everything at once: it errs in other places than the convolutions do."""

    def __init__(self) -> None:
        super().__init__()
        self.dense1, self.dense1_norm = nn.Linear(SIZE, WIDE[0]), nn.BatchNorm1d(WIDE[0])
        self.dense2, self.dense2_norm = nn.Linear(*WIDE), nn.BatchNorm1d(WIDE[1])
        self.last = nn.Linear(WIDE[1], len(LABELS))
        self.drop = nn.Dropout(WIDE_DROPPED)

    def forward(self, seen: Tensor) -> Tensor:
        """Logits of the labels for ``float32 [n, 2, SEGMENTS, ALL_BANDS]``."""
        x = self.drop(functional.relu(self.dense1_norm(self.dense1(seen.flatten(1)))))
        x = self.drop(functional.relu(self.dense2_norm(self.dense2(x))))
        return self.last(x)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The weights as ``listener.Network`` wants them."""
        found = _folded(self, "dense1") | _folded(self, "dense2")
        return found | {"last": _array(self.last.weight.T), "last_bias": _array(self.last.bias)}


MEMBERS: Final = (Convolutional, Dense)
"""The listener is one of each; their votes are averaged."""


def _folded(net: nn.Module, name: str) -> dict[str, NDArray[np.float32]]:
    """A layer with its normalisation worked into it; dense weights ``[inputs, outputs]``."""
    layer, norm = getattr(net, name), getattr(net, f"{name}_norm")
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = layer.weight * scale.reshape(-1, *[1] * (layer.weight.dim() - 1))
    bias = (layer.bias - norm.running_mean) * scale + norm.bias
    return {name: _array(weight.T if weight.dim() == 2 else weight), f"{name}_bias": _array(bias)}


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().numpy().astype(np.float32)


def teach(lessons: Lessons, seed: int = 0, epochs: int = EPOCHS) -> list[dict[str, NDArray[np.float32]]]:
    """Train a listener; the same lessons and seed give the same weights on the same machine."""
    found: list[dict[str, NDArray[np.float32]]] = []
    for number, kind in enumerate(MEMBERS):
        torch.manual_seed(seed + number)
        net = kind()
        _train(net, lessons, np.random.default_rng(seed + number), epochs)
        found.append(net.arrays())
    return found


def _train(net: nn.Module, lessons: Lessons, draw: np.random.Generator, epochs: int) -> None:
    seen, labels = torch.from_numpy(lessons.seen), torch.from_numpy(lessons.labels)
    known = np.flatnonzero(lessons.labels < len(LABELS) - 1)
    nones = np.flatnonzero(lessons.labels == len(LABELS) - 1)
    some = min(len(nones), round(len(known) * NONES_FOR_ONE))
    steps = epochs * ((len(known) + some) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.02)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE_OF_LEARNING, total_steps=steps + 1)
    weights = _class_weights(lessons.labels)
    net.train()
    for _ in range(epochs):
        order = draw.permutation(np.concatenate([known, draw.choice(nones, some, replace=False)]))
        for first in range(0, len(order) - BATCH + 1, BATCH):
            batch = torch.from_numpy(order[first : first + BATCH])
            logits = net(_disturbed(seen[batch].float(), draw))
            loss = functional.cross_entropy(logits, labels[batch], weights, label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()
    net.eval()


def _class_weights(labels: NDArray[np.int64]) -> Tensor:
    counts = np.bincount(labels, minlength=len(LABELS)).astype(float)
    weights = (counts[:-1].mean() / np.maximum(counts, 1)) ** 0.5
    weights[-1] = 1.0
    return torch.tensor(np.minimum(weights, 3.0), dtype=torch.float32)


def _disturbed(seen: Tensor, draw: np.random.Generator) -> Tensor:
    """A band or a segment goes missing now and then, so that no single one decides."""
    count = len(seen)
    bands, segments = draw.integers(0, ALL_BANDS - 3, count), draw.integers(0, SEGMENTS, count)
    keep = np.ones((count, 1, SEGMENTS, ALL_BANDS), np.float32)
    for number in np.flatnonzero(draw.random(count) < 0.3):
        keep[number, 0, :, bands[number] : bands[number] + 4] = 0.0
    for number in np.flatnonzero(draw.random(count) < 0.3):
        keep[number, 0, segments[number]] = 0.0
    return seen * torch.from_numpy(keep)


def packed(members: Sequence[Mapping[str, NDArray[np.float32]]]) -> bytes:
    """Several networks as one file; half precision is enough for weights."""
    arrays = {
        f"{number}/{name}": array.astype(np.float16)
        for number, member in enumerate(members)
        for name, array in member.items()
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def every_sound(references: Path, font: Path) -> list[Reference]:
    """All there is to learn from; without the sound font where it can't be rendered."""
    sounds = list(load_references(references).items)
    try:
        sounds += font_sounds(font)
    except UnavailableError as error:
        print(f"{error} Going on without it.", file=sys.stderr)
    return [*sounds, *own_sounds()]


def main(words: Sequence[str] | None = None) -> int:
    """Teach on everything and write the weights with their card."""
    parser = argparse.ArgumentParser(prog="python -m offline.extraction.learn", description=__doc__)
    parser.add_argument("--references", type=Path, required=True)
    parser.add_argument("--fields", type=Path, required=True, help="folder of field recordings")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--font", type=Path, default=FONT)
    parser.add_argument("--lessons", type=int, default=LESSONS)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(words)
    began = time.process_time()
    lessons = make_lessons(
        every_sound(args.references, args.font), field_recordings(args.fields), args.lessons, args.seed
    )
    write_atomically(args.out / "weights.npz", packed(teach(lessons, args.seed)))
    card = _card(args, lessons, time.process_time() - began)
    write_atomically(args.out / "card.yaml", yaml.safe_dump(card, sort_keys=False, allow_unicode=True).encode())
    print(f"{args.out}: {len(lessons.labels)} lessons, {card['cpu_s']} s")
    return 0


def _card(args: argparse.Namespace, lessons: Lessons, cpu_s: float) -> dict[str, Any]:
    files = [path for path, _ in reference_files(args.references)] + heard_files(args.fields)
    sources = [source_of(path) for path in files]
    return {
        "kind": "listener",
        "made_by": "python -m offline.extraction.learn",
        "labels": list(LABELS),
        "input": f"float32 [n, 2, {SEGMENTS}, {ALL_BANDS}]: offline/extraction/shapes.py",
        "members": [kind.__name__.lower() for kind in MEMBERS],
        "seed": args.seed,
        "lessons": {label: int((lessons.labels == n).sum()) for n, label in enumerate(LABELS)},
        "cpu_s": round(cpu_s),
        "also_taught_with": [
            "FluidR3 GM sound font, drums and basses, rendered by fluidsynth; Frank Wen and contributors; MIT",
            "the kits synthesised by hitloopd itself; MIT",
        ],
        "sources": [_credit(source) for source in sources],
    }


def _credit(source: Source) -> dict[str, str]:
    return {"file": f"{source.path.parent.name}/{source.path.name}", **source.credit()}


if __name__ == "__main__":
    sys.exit(main())
