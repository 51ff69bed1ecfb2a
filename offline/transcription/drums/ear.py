"""The drum transcriber ``ear``: a small trained network, which hears a drums stem and a whole mix alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES, Lane
from hitloopd.generate.card import CARD
from hitloopd.generate.learned import Session
from offline.audio import SILENCE
from offline.transcription.drums.peaks import ANY, Rule, hits
from offline.transcription.drums.repeats import steadied
from offline.transcription.drums.sounds import with_sounds
from offline.transcription.drums.spectrum import levels, log_power, reference
from offline.transcription.ear_files import network, read_card, shipped
from offline.transcription.heard import DrumsHeard, Stems

KIND: Final = "drum-ear"
SHIPPED: Final = shipped(KIND)
"""The network that comes with hitloopd."""


@dataclass(frozen=True, slots=True, eq=False)
class Ear:
    """The network.

    Args:
        session: that runs it.
        rules: which peaks are hits, of each lane, as its card has them.
        name: with the first digits of its hash.
    """

    session: Session
    rules: Sequence[Rule]
    name: str

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Ear:
        """The network of a model folder.

        Raises:
            UnavailableError: it is not there, is damaged, or can't be run.
        """
        card = _card(folder)
        rules = [_rule(folder, card["hits"], lane) for lane in DRUM_LANES]
        return cls(network(folder, card), rules, f"ear {str(card['sha256'])[:8]}")

    def hear_drums(self, stems: Stems) -> DrumsHeard:
        """The hits of a stretch, and what else may be one."""
        if float(np.abs(stems.drums).max(initial=0.0)) < SILENCE:
            return DrumsHeard(())
        log = log_power(stems.drums)
        seen = levels(log, reference(log))
        onsets, forces = self.session.run(["onsets", "velocities"], {"levels": seen[None]})
        onsets, forces = np.asarray(onsets)[0], np.asarray(forces)[0]
        candidates = with_sounds(hits(onsets, forces, [ANY] * len(self.rules)), seen)
        return DrumsHeard(hits(steadied(onsets), forces, self.rules), candidates)


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
