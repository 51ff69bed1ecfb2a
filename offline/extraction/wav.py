"""WAV files with 24 bits that say where they are from: a ``bext`` chunk (EBU 3285) and a RIFF INFO list."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

import numpy as np

from offline.audio import Wave

FULL: Final = 8_388_607
_BEXT_TEXT: Final = (256, 32, 32, 10, 8)
_BEXT_REST: Final = 64 + 10 + 180  # UMID, loudness and what is reserved


def wav_bytes(sound: Wave, rate: int, info: Mapping[str, str], *, description: str, time_reference: int) -> bytes:
    """A mono WAV file.

    Args:
        sound: -1..1; what is beyond is clipped.
        rate: frames per second.
        info: RIFF INFO, four-letter ids to texts (INAM, IART, ICOP, ICMT, ISRC, IGNR, ISFT).
        description: of the bext chunk, at most 256 bytes of it.
        time_reference: frames from the start of the recording to this sample.
    """
    chunks = (
        _chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, rate * 3, 3, 24)),
        _chunk(b"bext", _bext(description, info, time_reference)),
        _chunk(b"LIST", b"INFO" + b"".join(_chunk(key.encode(), _text(value)) for key, value in info.items())),
        _chunk(b"data", _pcm(sound)),
    )
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _pcm(sound: Wave) -> bytes:
    whole = np.clip(np.rint(sound.astype(np.float64) * FULL), -FULL - 1, FULL).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _bext(description: str, info: Mapping[str, str], time_reference: int) -> bytes:
    texts = (description, info.get("IART", ""), info.get("ISFT", ""), "", "")
    fields = b"".join(
        text.encode("ascii", "replace")[:size].ljust(size, b"\0") for text, size in zip(texts, _BEXT_TEXT, strict=True)
    )
    return fields + struct.pack("<IIH", time_reference & 0xFFFFFFFF, time_reference >> 32, 1) + bytes(_BEXT_REST)


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
