"""The bass transcriber ``ear``: a small trained network, which hears a bass in a whole mix and in a stem alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from hitloopd.core.errors import UnavailableError
from hitloopd.generate.card import CARD
from hitloopd.generate.learned import Session
from offline.audio import SILENCE, Wave
from offline.transcription.bass.decode import Said, Strictness, notes_of
from offline.transcription.bass.sight import BANDS, Sight, levels, spectra
from offline.transcription.ear_files import network, read_card, shipped
from offline.transcription.heard import BassNote, Stems

KIND: Final = "bass-ear"
SHIPPED: Final = shipped(KIND)
"""The network that comes with hitloopd."""
INPUT: Final = "levels"
OUTPUTS: Final = ("onsets", "pitches")
ATTACK: Final = 3  # frames from an onset in which a note is loudest


@dataclass(frozen=True, slots=True, eq=False)
class BassEar:
    """The network.

    Args:
        session: that runs it.
        strictness: as its card has it.
        name: with the first digits of its hash.
    """

    session: Session
    strictness: Strictness
    name: str

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> BassEar:
        """The network of a model folder.

        Raises:
            UnavailableError: it is not there, is damaged, or can't be run.
        """
        card = _card(folder)
        digest = str(card["sha256"])
        asked = card["strictness"]
        session = network(folder, card)
        return cls(session, Strictness(float(asked["onset"]), float(asked["sound"])), f"ear {digest[:8]}")

    def bass_notes(self, stems: Stems) -> Sequence[BassNote]:
        """The notes of a stretch, one at a time."""
        return self.heard_in(stems.bass)

    def heard_in(self, sound: Wave) -> Sequence[BassNote]:
        """The bass line of any sound."""
        if float(np.abs(sound).max(initial=0.0)) < SILENCE:
            return []
        seen = spectra(sound)
        onsets, pitches = self.session.run(list(OUTPUTS), {INPUT: levels(seen)[None]})
        said = Said(np.asarray(onsets)[0], np.asarray(pitches)[0], loudness(seen))
        return notes_of(said, self.strictness)


def loudness(seen: Sight) -> NDArray[np.float32]:
    """How loud the lows are in the attack that begins at each frame, 0..1 of the loudest of the stretch."""
    amplitude = (10.0 ** seen[:, BANDS : 2 * BANDS]).mean(axis=1)
    loudest = scipy.ndimage.maximum_filter1d(amplitude, ATTACK, origin=-(ATTACK // 2))
    return np.sqrt(loudest / max(float(loudest.max(initial=0.0)), SILENCE)).astype(np.float32)


def _card(folder: Path) -> Mapping[str, Any]:
    card = read_card(folder, KIND, "bass")
    asked = card.get("strictness")
    if not isinstance(asked, Mapping) or {"onset", "sound"} - set(asked):
        raise UnavailableError(f"{folder / CARD} does not say how strict to be with notes.")
    return card
