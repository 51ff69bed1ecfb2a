"""Who listens, by name: separators, and transcribers of drums and of the bass."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from offline.transcription.bass import bass_transcriber
from offline.transcription.beat_features import beat_features
from offline.transcription.beats import find_bars
from offline.transcription.drums import drum_transcriber
from offline.transcription.listen import Ears
from offline.transcription.separate import AUTO, separator


@dataclass(frozen=True, slots=True)
class Choice:
    """Who shall listen, by name; ``auto`` is the best that runs here."""

    separator: str = AUTO
    drums: str = AUTO
    bass: str = AUTO


@functools.cache
def ears(choice: Choice) -> Ears:
    """Those who were chosen.

    Raises:
        UnavailableError: one of them does not run here; the message says what it needs.
        UnknownNameError: there is none of that name.
    """
    return Ears(
        separator(choice.separator),
        drum_transcriber(choice.drums),
        bass_transcriber(choice.bass),
        beat_features,
        find_bars,
    )
