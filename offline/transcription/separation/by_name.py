"""Separators by name: what tells drums and bass in a mix apart before they are transcribed.

``none`` hands the mix on, ``spectral`` needs nothing but arithmetic, ``demucs`` the user's own package and weights.
Stems that the user has as files need no separator: ``given_stems`` takes them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from offline.audio import Wave
from offline.transcription.choice import AUTO, chosen
from offline.transcription.heard import Stems
from offline.transcription.ports import Separator
from offline.transcription.separation.demucs import Demucs
from offline.transcription.separation.spectral import Spectral

BEST: Final = "none"
"""What ``auto`` is: the built-in transcribers learned from mixes. Of the rendered songs' bass notes they find .72 in
the mix, and .65 in the stem that ``spectral`` makes. Demucs was not measured: its weights were not at hand."""


@dataclass(frozen=True, slots=True)
class NoSeparator:
    """The mix itself, for drums and for bass."""

    @property
    def name(self) -> str:
        """For tables and provenance."""
        return "none"

    def separate(self, mix: Wave) -> Stems:
        """The mix three times."""
        return Stems(mix, mix, mix)


SEPARATORS: Final[Mapping[str, Callable[[], Separator]]] = {
    "none": NoSeparator,
    "spectral": Spectral,
    "demucs": Demucs.from_environment,
}


def separator(name: str = AUTO) -> Separator:
    """The separator of that name, ready to work.

    Raises:
        HitloopError: as ``chosen`` says.
    """
    return chosen(name, "separator", SEPARATORS, BEST)


def given_stems(mix: Wave, *, drums: Wave | None = None, bass: Wave | None = None) -> Stems:
    """Stems as the user has them; the mix in place of one that is not given.

    A stem that ends before the mix is followed by silence, one that ends after it is cut.
    """
    return Stems(
        mix,
        mix if drums is None else _as_long_as(mix, drums),
        mix if bass is None else _as_long_as(mix, bass),
    )


def _as_long_as(mix: Wave, stem: Wave) -> Wave:
    return np.pad(stem[: len(mix)], (0, max(len(mix) - len(stem), 0)))
