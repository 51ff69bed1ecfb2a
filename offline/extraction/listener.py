"""Who tells the class of a sound from its shape: a small trained network, or the references themselves.

Conventions: a listener gives ``float32 [n, 11]``: a probability for each of the ten classes and, last, for "none of
these". It knows no recording and no time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import DeviceError
from offline.audio import RATE, Wave
from offline.extraction.classes import CLASSES, LANE_OF, NONE
from offline.extraction.mel import HOP, mel_power
from offline.extraction.pack import LANES
from offline.extraction.shapes import SIZE, Shapes, shapes

LABELS: Final = (*CLASSES, NONE)
_ROOT: Final = Path(__file__).resolve().parents[2]
_PLACES: Final = (_ROOT / "hitloopd" / "data" / "models", _ROOT / "models")  # a wheel, a checkout
_FOUND: Final = tuple(place / "listener" / "weights.npz" for place in _PLACES)
SHIPPED: Final = next((path for path in _FOUND if path.is_file()), _FOUND[-1])
"""The network that comes with hitloopd."""
LEAD: Final = round(0.25 * RATE)

Scores = NDArray[np.float32]


class Listener(Protocol):
    """Anything that can tell classes apart."""

    def listen(self, seen: Shapes) -> Scores:
        """Probabilities of the eleven labels for each shape."""
        ...


def sound_shape(sound: Wave, onset: int = 0) -> Shapes:
    """The shape of a sound that stands alone: with silence before and after it, ``float32 [1, 2, …]``."""
    alone = np.pad(sound[onset:][: 2 * RATE], (LEAD, RATE // 4))
    frame = np.array([(LEAD + HOP // 2) // HOP])
    return shapes(mel_power(alone.astype(np.float32)), frame)


def outlines(seen: Shapes) -> Scores:
    """Unit vectors whose product tells how alike two sounds are: ``float32 [n, …]``."""
    flat = seen[:, 0].reshape(len(seen), SIZE // 2)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)


def lane_scores(scores: Scores) -> Scores:
    """Probabilities of the five lanes: ``float32 [n, 5]``; what is missing to one is "none"."""
    table = np.array([[LANE_OF.get(label, NONE) == lane for lane in LANES] for label in LABELS], np.float32)
    return scores @ table


@dataclass(frozen=True, slots=True)
class Network:
    """Small networks in numpy whose votes are averaged: no library is needed to play them.

    Args:
        weights: of each, arrays by name, as ``learn`` writes them.
    """

    weights: Sequence[Mapping[str, NDArray[np.float32]]]

    @classmethod
    def load(cls, path: Path) -> Network:
        """Read the weights.

        Raises:
            DeviceError: they can't be read.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name].astype(np.float32) for name in stored.files}
        except (OSError, ValueError) as error:
            raise DeviceError(f"The listener's weights {path} can't be read: {error}") from error
        members = sorted({name.split("/")[0] for name in arrays})
        return cls([{k.split("/")[1]: v for k, v in arrays.items() if k.split("/")[0] == m} for m in members])

    def listen(self, seen: Shapes) -> Scores:
        """Probabilities of the eleven labels for each shape."""
        if not len(seen):
            return np.zeros((0, len(LABELS)), np.float32)
        parts = [seen[first : first + 256] for first in range(0, len(seen), 256)]
        total = [np.mean([_softmax(_forward(member, part)) for member in self.weights], axis=0) for part in parts]
        return np.concatenate(total).astype(np.float32)


def _forward(weights: Mapping[str, NDArray[np.float32]], seen: Shapes) -> Scores:
    if "first" in weights:
        x = _convolved(seen, weights["first"], weights["first_bias"], (1, 2))
        x = _convolved(x, weights["second"], weights["second_bias"], (2, 2))
        x = _convolved(x, weights["third"], weights["third_bias"], (1, 1))
        layers = ("fourth",)
    else:
        x, layers = seen, ("dense1", "dense2")
    x = x.reshape(len(x), -1)
    for name in layers:
        x = np.maximum(x @ weights[name] + weights[f"{name}_bias"], 0.0)
    return x @ weights["last"] + weights["last_bias"]


def _convolved(x: Shapes, kernel: NDArray[np.float32], bias: NDArray[np.float32], stride: tuple[int, int]) -> Shapes:
    """A padded two-dimensional convolution and a rectifier, as one matrix product."""
    out, _, high, wide = kernel.shape
    padded = np.pad(x, ((0, 0), (0, 0), (high // 2, high // 2), (wide // 2, wide // 2)))
    views = np.lib.stride_tricks.sliding_window_view(padded, (high, wide), axis=(2, 3))[
        :, :, :: stride[0], :: stride[1]
    ]
    n, _, rows, columns = views.shape[:4]
    flat = views.transpose(0, 2, 3, 1, 4, 5).reshape(n * rows * columns, -1)
    result = np.maximum(flat @ kernel.reshape(out, -1).T + bias, 0.0)
    return result.reshape(n, rows, columns, out).transpose(0, 3, 1, 2)


def _softmax(x: Scores) -> Scores:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The ``nearest`` references vote, each by how alike it is; a sound that is like none of them is "none".

    Args:
        known: outlines of the references, ``float32 [references, …]``.
        labels: their classes, as indices into ``LABELS``.
        nearest: how many vote.
        familiar: likeness at which a sound is as likely one of them as none.
    """

    known: Scores
    labels: NDArray[np.int64]
    nearest: int = 7
    familiar: float = 0.62

    def listen(self, seen: Shapes) -> Scores:
        """Probabilities of the eleven labels for each shape."""
        alike = outlines(seen) @ self.known.T
        count = min(self.nearest, len(self.labels))
        order = np.argsort(-alike, axis=1, kind="stable")[:, :count]
        best = np.take_along_axis(alike, order, axis=1)
        votes = np.exp(12.0 * (best - best[:, :1]))
        scores = np.zeros((len(seen), len(LABELS)), np.float32)
        for rank in range(count):
            scores[np.arange(len(seen)), self.labels[order[:, rank]]] += votes[:, rank]
        scores /= np.maximum(scores.sum(axis=1, keepdims=True), 1e-9)
        likeness = (best * votes).sum(axis=1, keepdims=True) / votes.sum(axis=1, keepdims=True)
        known = 1.0 / (1.0 + np.exp(-18.0 * (likeness - self.familiar)))
        scores *= known
        scores[:, -1:] += 1.0 - known
        return scores


@dataclass(frozen=True, slots=True)
class Together:
    """The network says how likely it is any of the classes; which one, it decides together with the references.

    Args:
        network: knows field sound and many kits.
        references: know what the user wants.
        weight: of the references' vote; the network's is one.
    """

    network: Network
    references: Neighbours
    weight: float = 0.7

    def listen(self, seen: Shapes) -> Scores:
        """Probabilities of the eleven labels for each shape."""
        scores, votes = self.network.listen(seen), self.references.listen(seen)
        known = scores[:, :-1].sum(axis=1, keepdims=True)
        shares = votes[:, :-1] / np.maximum(votes[:, :-1].sum(axis=1, keepdims=True), 1e-9)
        scores[:, :-1] = (scores[:, :-1] + self.weight * known * shares) / (1.0 + self.weight)
        return scores


def neighbours(sounds: Sequence[tuple[Wave, str]]) -> Neighbours:
    """A listener from labelled one-shots alone."""
    known = np.concatenate([outlines(sound_shape(sound)) for sound, _ in sounds])
    return Neighbours(known, np.array([LABELS.index(kind) for _, kind in sounds]))
