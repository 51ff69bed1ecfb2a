"""Who listens, by name: separators, and transcribers of drums and of the bass."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from hitloopd.core.errors import UnavailableError
from hitloopd.generate.card import MODEL
from offline.transcription.bass.by_name import bass_transcriber
from offline.transcription.beats.bar_lines import SHIPPED as BARS
from offline.transcription.beats.bars import find_bars
from offline.transcription.beats.features import beat_features
from offline.transcription.beats.sense import SHIPPED as BEATS
from offline.transcription.drums.by_name import drum_transcriber
from offline.transcription.drums.part import SHIPPED as PART
from offline.transcription.drums.part import in_bars
from offline.transcription.listen import Ears
from offline.transcription.separation.by_name import AUTO, separator


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
        _beat_finder(),
        in_bars,
        _name(PART),
    )


def _beat_finder() -> str:
    """The name of what finds beats and bar lines, with the first digits of both hashes, as the transcribers have it."""
    return _name(BEATS, BARS)


def _name(*folders: Path) -> str:
    return "ear " + "+".join(_first_digits(folder / MODEL) for folder in folders)


def _first_digits(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    except OSError as error:
        raise UnavailableError(f"{path} can't be read ({error.strerror}): no network there.") from error
