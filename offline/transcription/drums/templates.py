"""The drum transcriber ``templates``: takes attacks apart into those of known drums and of whatever else plays.

Non-negative matrix factorisation of what *rises* in each band, so that what sounds on does not count. Some columns are
fixed, the attacks of drums that hitloopd synthesises; others are free to become the instruments of the song (partially
fixed NMF, after Yoo et al. 2010 and Wu and Lerch 2015). A lane's activation is the loudest of its drums'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import DRUM_LANES, Lane
from hitloopd.io.synth.voices import render
from offline.audio import RATE, SILENCE, Wave
from offline.extraction.mel import mel_power
from offline.transcription.drums.peaks import Rule, find_peaks, hits
from offline.transcription.drums.spectrum import BANDS, HOP, SIZE
from offline.transcription.heard import DrumsHeard, Stems
from offline.transcription.lessons.kits import RECIPES

LANE_KINDS: Final[Mapping[Lane, Sequence[str]]] = {
    Lane.KICK: ("kick",),
    Lane.SNARE: ("snare", "clap", "rim"),
    Lane.HIHAT: ("closed_hat",),
    Lane.CYMBAL: ("open_hat", "crash", "ride"),
}
EACH: Final = 8
"""Drums of each kind."""
FREE: Final = 6
ROUNDS: Final = 30
LAG: Final = 2  # frames over which a rise counts
PRESSED: Final = 0.4  # power to this: nearer to loudness, so that quiet hats count beside kicks
RULES: Final = tuple(Rule(least, 0.0, least) for least in (0.55, 0.45, 0.12, 0.28))
"""A full hit is 1 already: the floor alone decides."""
_LEAD: Final = np.zeros(RATE // 10, np.float32)
_SEED: Final = 11
_TINY: Final = 1e-9

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Attacks of known drums.

    Args:
        attacks: ``[drums, SIZE]``, each with a sum of one.
        lanes: of each drum, as an index into the drum lanes.
        rules: which peaks are hits, of each lane.
    """

    attacks: Matrix
    lanes: NDArray[np.int64]
    rules: Sequence[Rule] = RULES

    @property
    def name(self) -> str:
        """For tables and provenance."""
        return "templates"

    @classmethod
    def synthesised(cls) -> Templates:
        """From drums that hitloopd makes itself."""
        draw = np.random.default_rng(_SEED)
        known = [
            (np.asarray(render(RECIPES[kind](draw), RATE), np.float32), lane)
            for lane, kinds in LANE_KINDS.items()
            for kind in kinds
            for _ in range(EACH)
        ]
        return cls.of(known)

    @classmethod
    def of(cls, known: Iterable[tuple[Wave, Lane]]) -> Templates:
        """From one-shots and their lanes."""
        attacks: list[Matrix] = []
        lanes: list[int] = []
        for sound, lane in known:
            rise = rises(power_of(np.concatenate([_LEAD, sound])))
            attacks.append(rise[int(rise.sum(axis=1).argmax())])
            lanes.append(DRUM_LANES.index(lane))
        table = np.array(attacks)
        return cls(table / np.maximum(table.sum(axis=1, keepdims=True), _TINY), np.array(lanes))

    def hear_drums(self, stems: Stems) -> DrumsHeard:
        """The hits of a stretch; what else may be one is not told."""
        if float(np.abs(stems.drums).max(initial=0.0)) < SILENCE:
            return DrumsHeard(())
        heights = self.activations(power_of(stems.drums))
        return DrumsHeard(hits(heights, np.sqrt(np.clip(heights, 0.0, 1.0)), self.rules))

    def activations(self, power: Matrix) -> Matrix:
        """How hard each lane is hit, ``[frames, lanes]``: 1 is a full hit, as most of the louder ones are."""
        parts = _factored(rises(power), self.attacks)
        lanes = [parts[:, self.lanes == lane].sum(axis=1) for lane in range(len(DRUM_LANES))]
        return np.stack([lane / max(_full(lane), _TINY) for lane in lanes], axis=1).astype(np.float32)


def _full(activation: Matrix) -> float:
    """The mean height of the louder peaks."""
    heights = find_peaks(activation, _TINY).heights
    return float(heights[heights >= 0.5 * heights.max()].mean()) if len(heights) else 0.0


def power_of(sound: Wave) -> Matrix:
    """Power of all bands, ``[frames, SIZE]``."""
    return mel_power(sound, bands=BANDS, hop=HOP)


def rises(power: Matrix) -> Matrix:
    """By how much each band's loudness grows, ``[frames, SIZE]``."""
    loudness = power ** np.float32(PRESSED)
    before = np.pad(loudness, ((LAG, 0), (0, 0)), mode="edge")[: len(loudness)]
    return np.maximum(loudness - before, np.float32(0.0))


def _factored(seen: Matrix, attacks: Matrix) -> Matrix:
    """How much of each attack is in each frame, beside free parts that are found on the way."""
    draw = np.random.default_rng(_SEED)
    free = draw.random((FREE, SIZE), dtype=np.float32) + np.float32(0.1)
    parts = np.concatenate([attacks, free / free.sum(axis=1, keepdims=True)])
    amounts = np.full((len(seen), len(parts)), seen.mean() + _TINY, np.float32)
    for _ in range(ROUNDS):
        share = seen / np.maximum(amounts @ parts, _TINY)
        amounts *= (share @ parts.T) / np.maximum(parts.sum(axis=1), _TINY)
        share = seen / np.maximum(amounts @ parts, _TINY)
        grown = parts * (amounts.T @ share) / np.maximum(amounts.sum(axis=0), _TINY)[:, None]
        parts[len(attacks) :] = grown[len(attacks) :] / np.maximum(
            grown[len(attacks) :].sum(axis=1, keepdims=True), _TINY
        )
    return amounts[:, : len(attacks)]
