"""Drum transcribers by name: ``ear`` is a small trained network, ``templates`` needs none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from offline.transcription.choice import AUTO, chosen
from offline.transcription.drums.ear import Ear
from offline.transcription.drums.templates import Templates
from offline.transcription.ports import DrumTranscriber

BEST: Final = "ear"
"""What ``auto`` is: it hears every lane better than the templates do."""

DRUMS: Final[Mapping[str, Callable[[], DrumTranscriber]]] = {
    "ear": Ear.load,
    "templates": Templates.synthesised,
}


def drum_transcriber(name: str = AUTO) -> DrumTranscriber:
    """The transcriber of that name, ready to work.

    Raises:
        HitloopError: as ``chosen`` says.
    """
    return chosen(name, "drum transcriber", DRUMS, BEST)
