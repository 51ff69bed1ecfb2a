"""The drum transcriber ``ear``: small trained networks, which hear a drums stem and a whole mix alike.

One says what is hit. Another, taught for longer and on stranger kits, has a say in what *may* be a hit, which is told
apart once the bars are known: where one is sure of something wrong, the other mostly is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES, Lane
from hitloopd.generate.card import CARD
from hitloopd.generate.learned import Session
from offline.audio import SILENCE
from offline.transcription.drums.peaks import ANY, Rule, hits
from offline.transcription.drums.repeats import steadied
from offline.transcription.drums.sounds import with_sounds
from offline.transcription.drums.spectrum import Levels, levels, log_power, reference
from offline.transcription.ear_files import network, read_card, shipped
from offline.transcription.heard import DrumsHeard, Stems

KIND: Final = "drum-ear"
SHIPPED: Final = shipped(KIND)
"""The network that comes with hitloopd."""
SECOND: Final = shipped("kit-ear")
"""The one that has a say in what may be a hit."""
UNSURE: Final = 1e-6
"""Probabilities nearer to 0 or 1 than this count as that."""

Heard = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Onsets and velocities, ``[frames, lanes]`` each."""


@dataclass(frozen=True, slots=True, eq=False)
class Ear:
    """The networks.

    Args:
        session: runs the one that says what is hit.
        second: runs the other; without it the first one says alone what may be a hit.
        rules: which peaks are hits, of each lane, as the card of the first has them.
        name: with the first digits of their hashes.
    """

    session: Session
    second: Session | None
    rules: Sequence[Rule]
    name: str

    @classmethod
    def load(cls, folder: Path = SHIPPED, second: Path | None = SECOND) -> Ear:
        """The networks of two model folders, or of one alone.

        Raises:
            UnavailableError: one is not there, is damaged, or can't be run.
        """
        card = _card(folder)
        rules = [_rule(folder, card["hits"], lane) for lane in DRUM_LANES]
        name = f"ear {_digits(card)}"
        if second is None:
            return cls(network(folder, card), None, rules, name)
        other = _card(second)
        return cls(network(folder, card), network(second, other), rules, f"{name}+{_digits(other)}")

    def hear_drums(self, stems: Stems) -> DrumsHeard:
        """The hits of a stretch, and what else may be one."""
        if float(np.abs(stems.drums).max(initial=0.0)) < SILENCE:
            return DrumsHeard(())
        log = log_power(stems.drums)
        seen = levels(log, reference(log))
        first = _heard(self.session, seen)
        may_be = _together(first, _heard(self.second, seen)) if self.second is not None else first
        candidates = with_sounds(hits(*may_be, [ANY] * len(self.rules)), seen)
        return DrumsHeard(hits(steadied(first[0]), first[1], self.rules), candidates)


def _heard(session: Session, seen: Levels) -> Heard:
    onsets, forces = session.run(["onsets", "velocities"], {"levels": seen[None]})
    return np.asarray(onsets)[0], np.asarray(forces)[0]


def _digits(card: Mapping[str, Any]) -> str:
    return str(card["sha256"])[:8]


def _together(*every: Heard) -> Heard:
    """The means of what is heard: of onsets that of the logarithms of their odds."""
    odds = [logit(np.clip(onsets, UNSURE, 1.0 - UNSURE)) for onsets, _ in every]
    return expit(np.mean(odds, axis=0)), np.mean([forces for _, forces in every], axis=0)


def _card(folder: Path) -> Mapping[str, Any]:
    card = read_card(folder, KIND, "drum")
    if not isinstance(card.get("hits"), Mapping):
        raise UnavailableError(f"{folder / CARD} does not say which peaks are hits.")
    return card


def _rule(folder: Path, table: Mapping[str, Any], lane: Lane) -> Rule:
    try:
        return Rule(**{key: float(value) for key, value in table[lane.value].items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnavailableError(f"{folder / CARD} does not say which peaks are hits of the {lane.value}.") from error
