"""Bass transcribers by name.

``ear`` is the network that comes with hitloopd, ``pyin`` needs nothing but librosa, ``basic-pitch`` is a program that
the user has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from offline.transcription.bass.basic_pitch import BasicPitch
from offline.transcription.bass.ear import BassEar
from offline.transcription.bass.pyin import PYin
from offline.transcription.choice import AUTO, chosen
from offline.transcription.ports import BassTranscriber

BEST: Final = "ear"
"""What ``auto`` is: of those that are always there the one that hears best, and the quickest."""

BASSES: Final[Mapping[str, Callable[[], BassTranscriber]]] = {
    "ear": BassEar.load,
    "pyin": PYin,
    "basic-pitch": BasicPitch.from_environment,
}


def bass_transcriber(name: str = AUTO) -> BassTranscriber:
    """The transcriber of that name, ready to work.

    Raises:
        HitloopError: as ``chosen`` says.
    """
    return chosen(name, "bass transcriber", BASSES, BEST)
