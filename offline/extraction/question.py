"""The paper's question to its listeners, as a measure: do the samples of a pack fit together, and do they vary?

Measured in a space that no method works in: means and deviations of 20 mel cepstra over a sample's first half second,
each in units of its spread over all references.

- *Cohesion*: of the five references nearest to a sample, how many are of the lane it was cut for. A pack is coherent if
  its kick is heard as a kick; 0.2 would be chance among five equal lanes.
- *Variety*: mean distance between the samples of a lane, relative to that between the references of the lane: 1 is as
  different as real one-shots are.
- *Filled*: lanes that have a sample at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import librosa
import numpy as np
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.extraction.classes import NONE, References
from offline.extraction.pack import LANES
from offline.extraction.planted import trimmed

NEAREST: Final = 5
CEPSTRA: Final = 20
HEARD_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one pack."""

    cohesion: float
    variety: float
    filled: float


class Jury:
    """Judges packs against references."""

    def __init__(self, references: References) -> None:
        items = [item for item in references.items if item.lane != NONE]
        raw = np.stack([_cepstra(trimmed(item.sound)) for item in items])
        self._middle, self._spread = raw.mean(axis=0), raw.std(axis=0) + 1e-9
        self._known = (raw - self._middle) / self._spread
        self._lanes = np.array([item.lane for item in items])
        self._usual = {lane: _mean_distance(self._known[self._lanes == lane]) for lane in LANES}

    def judge(self, samples: Sequence[tuple[str, Wave]]) -> Verdict:
        """A pack as lanes and sounds."""
        if not samples:
            return Verdict(0.0, 0.0, 0.0)
        places = (np.stack([_cepstra(sound) for _, sound in samples]) - self._middle) / self._spread
        lanes = np.array([lane for lane, _ in samples])
        away = np.linalg.norm(places[:, None] - self._known[None], axis=2)
        nearest = self._lanes[np.argsort(away, axis=1)[:, :NEAREST]]
        several = [lane for lane in LANES if (lanes == lane).sum() > 1 and self._usual[lane] > 0]
        varied = [_mean_distance(places[lanes == lane]) / self._usual[lane] for lane in several]
        return Verdict(
            float((nearest == lanes[:, None]).mean()),
            float(np.mean(varied)) if varied else 0.0,
            len(set(lanes)) / len(LANES),
        )


def _cepstra(sound: Wave) -> NDArray[np.float64]:
    part = sound[: round(HEARD_S * RATE)]
    part = np.pad(part, (0, max(2048 - len(part), 0))) / max(float(np.abs(part).max()), 1e-9)
    cepstra = librosa.feature.mfcc(y=part, sr=RATE, n_mfcc=CEPSTRA, n_fft=1024, hop_length=256)
    return np.concatenate([cepstra.mean(axis=1), cepstra.std(axis=1)]).astype(np.float64)


def _mean_distance(places: NDArray[np.float64]) -> float:
    count = len(places)
    if count < 2:
        return 0.0
    away = np.linalg.norm(places[:, None] - places[None], axis=2)
    return float(away.sum() / (count * (count - 1)))
