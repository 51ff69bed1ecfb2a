"""What a separator and a transcriber have to be able to do, so that others can take the place of the built-in ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from offline.audio import Wave
from offline.transcription.heard import BassNote, DrumsHeard, Stems


class Separator(Protocol):
    """Tells drums and bass in a mix apart."""

    @property
    def name(self) -> str:
        """For tables and provenance; names its version or weights."""
        ...

    def separate(self, mix: Wave) -> Stems:
        """The stems of a stretch; a stretch is about a minute, with some seconds before and after it for context."""
        ...


class DrumTranscriber(Protocol):
    """Hears kick, snare, hihat and cymbal."""

    @property
    def name(self) -> str:
        """For tables and provenance."""
        ...

    def hear_drums(self, stems: Stems) -> DrumsHeard:
        """The hits of a stretch, and what else may be one."""
        ...


class BassTranscriber(Protocol):
    """Hears the bass line."""

    @property
    def name(self) -> str:
        """For tables and provenance."""
        ...

    def bass_notes(self, stems: Stems) -> Sequence[BassNote]:
        """The notes of a stretch, by start; one at a time."""
        ...
