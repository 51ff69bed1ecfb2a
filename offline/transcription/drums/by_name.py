"""Drum transcribers by name: ``ear`` is a small trained network, ``templates`` needs none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hitloopd.core.errors import UnknownNameError, nearest
from offline.transcription.drums.ear import Ear
from offline.transcription.drums.templates import Templates
from offline.transcription.ports import DrumTranscriber

AUTO: Final = "auto"
BEST: Final = "ear"
"""What ``auto`` is: it hears every lane better than the templates do."""

DRUMS: Final[Mapping[str, Callable[[], DrumTranscriber]]] = {
    "ear": Ear.load,
    "templates": Templates.synthesised,
}


def drum_transcriber(name: str = AUTO) -> DrumTranscriber:
    """The transcriber of that name, ready to work.

    Raises:
        UnknownNameError: there is none of that name; the message lists them.
        UnavailableError: it needs something that is not there; the message says what.
    """
    wanted = BEST if name == AUTO else name
    if wanted not in DRUMS:
        raise UnknownNameError(
            f"There is no drum transcriber '{name}'; there are {AUTO}, {', '.join(DRUMS)}.{nearest(name, DRUMS)}"
        )
    return DRUMS[wanted]()
