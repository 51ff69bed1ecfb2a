"""The paper's question to its listeners, as a measure: do the samples of a pack fit together, and do they vary?

A jury that no method knows hears the samples: a linear discriminant over mel cepstra of five pieces of a sound, growing
from 23 ms at its attack to a quarter of a second. It is taught with nothing but the references, as they are and out of
coloured noise, since samples of recordings have a background.

- *Cohesion*: how surely the jury, which has to name one of the lanes, names the one a sample was cut for. Five lanes by
  chance: 0.2. Listeners say of samples that they fit together when they can tell what each is meant to be.
- *Variety*: mean distance between the samples of a lane, relative to that between the references of the lane: 1 is as
  different as real one-shots are.
- *Filled*: lanes that have a sample at all.

What such a jury is worth is seen by what it says of sounds whose lane is known: ``evaluate-samples`` has it judge true
one-shots planted into recordings, with their lanes and with lanes drawn by lot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import librosa
import numpy as np
import scipy.fft
import scipy.special
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from offline.audio import RATE, Wave
from offline.extraction.classes import NONE, References
from offline.extraction.cuts import PREROLL, cut
from offline.extraction.pack import LANES
from offline.extraction.planted import mix_at, trimmed

WINDOW: Final = 1024
HOP: Final = 256
BANDS: Final = 40
EDGES: Final = (0, 4, 10, 22, 45, 87)
"""Frames at which a piece ends and the next begins: 23, 58, 128, 261 and 505 ms."""
CEPSTRA: Final = 14
DEPTH: Final = 1e-7  # of the power of the loudest place: 70 dB
LEVELS_DB: Final = (16.0, 8.0)
"""At which the references are heard over noise."""
STEEPEST: Final = 1.2  # noise falls by up to so many times 6 dB an octave
NOISES: Final = 16
RIDGE: Final = 0.02  # of the spread: lanes of a single reference say nothing of theirs


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one pack.

    Args:
        surely: of each sample, how surely the jury names its lane, 0..1.
        varied: of each lane with several samples, how different they are.
        filled: share of the lanes that have a sample.
    """

    surely: tuple[float, ...]
    varied: tuple[float, ...]
    filled: float

    def as_mapping(self) -> dict[str, float | None]:
        """Three figures; None where there is nothing to measure."""
        return {"cohesion": _mean(self.surely), "variety": _mean(self.varied), "filled": round(self.filled, 3)}


class Jury:
    """Judges packs against references."""

    def __init__(self, references: References) -> None:
        items = [item for item in references.items if item.lane != NONE]
        alone = np.stack([_cepstra(trimmed(item.sound)) for item in items])
        noises = _noises()
        heard = [
            _cepstra(_out_of(noises[(number + place) % NOISES], trimmed(item.sound), level, item.lane))
            for place, level in enumerate(LEVELS_DB)
            for number, item in enumerate(items)
        ]
        lanes = np.array([item.lane for item in items])
        raw = np.concatenate([alone, np.stack(heard)])
        self._middle, self._spread = raw.mean(axis=0), raw.std(axis=0) + 1e-9
        self._lanes = list(references.lanes)
        self._weights, self._biases = _discriminant(self._placed(raw), np.tile(lanes, 1 + len(LEVELS_DB)), self._lanes)
        self._usual = {lane: _mean_distance(self._placed(alone)[lanes == lane]) for lane in self._lanes}

    def judge(self, samples: Sequence[tuple[str, Wave]]) -> Verdict:
        """A pack as lanes, which must be among those of the references, and sounds."""
        if not samples:
            return Verdict((), (), 0.0)
        places = self._placed(np.stack([_cepstra(sound) for _, sound in samples]))
        lanes = np.array([lane for lane, _ in samples])
        votes = scipy.special.softmax(places @ self._weights + self._biases, axis=1)
        surely = votes[np.arange(len(lanes)), [self._lanes.index(lane) for lane in lanes]]
        several = [lane for lane in self._lanes if (lanes == lane).sum() > 1 and self._usual[lane] > 0]
        varied = [_mean_distance(places[lanes == lane]) / self._usual[lane] for lane in several]
        return Verdict(tuple(surely.tolist()), tuple(varied), len(set(lanes)) / len(LANES))

    def _placed(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        return (raw - self._middle) / self._spread


def _discriminant(
    known: NDArray[np.float64], lanes: NDArray[np.str_], names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights ``[places, lanes]`` and biases; a lane is no likelier for having more references."""
    middles = np.stack([known[lanes == name].mean(axis=0) for name in names])
    within = known - middles[[names.index(lane) for lane in lanes]]
    spread = ledoit_wolf(within, assume_centered=True)[0] + RIDGE * np.eye(known.shape[1])
    weights = np.linalg.solve(spread, middles.T)
    return weights, -0.5 * (middles.T * weights).sum(axis=0)


def _noises() -> list[Wave]:
    """A second and a half each, between white and falling by 7 dB an octave."""
    draw, length = np.random.default_rng(5), 3 * RATE // 2
    octaves = np.log2(np.maximum(np.fft.rfftfreq(length, 1 / RATE), 20.0))
    found: list[Wave] = []
    for number in range(NOISES):
        bins = draw.normal(size=(2, len(octaves))) * 2.0 ** (-STEEPEST * number / (NOISES - 1) * octaves)
        sound = np.fft.irfft(bins[0] + 1j * bins[1], length)
        found.append((0.05 * sound / sound.std()).astype(np.float32))
    return found


def _out_of(noise: Wave, sound: Wave, level_db: float, lane: str) -> Wave:
    """A sound in noise, cut out again as a sample is."""
    mixed = noise.copy()
    added = mix_at(noise, sound, PREROLL, level_db)
    mixed[PREROLL : PREROLL + len(added)] += added
    return cut(mixed[: PREROLL + RATE], lane).sound


def _cepstra(sound: Wave) -> NDArray[np.float64]:
    """How the spectrum's outline goes on from the attack, whatever the level."""
    length = (EDGES[-1] - 1) * HOP + WINDOW
    part = np.pad(sound[:length], (0, max(length - len(sound), 0))) / max(float(np.abs(sound).max()), 1e-9)
    power = librosa.feature.melspectrogram(y=part, sr=RATE, n_fft=WINDOW, hop_length=HOP, n_mels=BANDS, center=False)
    pieces = np.add.reduceat(power, EDGES[:-1], axis=1) / np.diff(EDGES)
    decibels = 10 * np.log10(np.maximum(pieces, max(float(pieces.max()) * DEPTH, 1e-12)))
    return scipy.fft.dct(decibels.astype(np.float64), axis=0, norm="ortho")[:CEPSTRA].ravel()


def _mean_distance(places: NDArray[np.float64]) -> float:
    count = len(places)
    if count < 2:
        return 0.0
    away = np.linalg.norm(places[:, None] - places[None], axis=2)
    return float(away.sum() / (count * (count - 1)))


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 3) if values else None
