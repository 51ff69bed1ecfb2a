"""What is heard, streamed into a .wav file that can be played whenever the program ends, however it ends.

The callback copies into a ring; a writer thread empties it, appends to the file and then brings the header's sizes up
to date: what the header promises is always there. A file that can't be written is told once, and play goes on.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.notices import Warned

HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
RING_S: Final = 6.0
MAX_DATA: Final = 0xFFFF_FFFF - 4096  # RIFF sizes have 32 bits: four hours of 24-bit stereo at 48 kHz
CHANNELS: Final = 2

Block = NDArray[np.floating[Any]]


class WavCapture:
    """One file. ``feed`` is for the callback, ``pump`` and ``close`` for the writer.

    Args:
        path: the file; its folder is made.
        rate: frames per second.
        bits: 16 or 24.
        tell: gets one ``Warned`` when the file can't be written.
    """

    def __init__(self, path: Path, rate: int, *, bits: int = 24, tell: Callable[[Warned], None]) -> None:
        if bits not in (16, 24):
            raise ValueError(f"bits must be 16 or 24, got {bits}")
        self.path = path
        self.dropped_frames = 0
        self._rate = rate
        self._bits = bits
        self._tell = tell
        self._ring = np.zeros((round(RING_S * rate), CHANNELS), dtype=np.float32)
        self._fed = 0  # frames; only the callback writes it
        self._taken = 0  # frames; only the writer writes it
        self._written = 0  # bytes of sound in the file
        self._file: BinaryIO | None = None
        self._failed = False

    def feed(self, block: Block) -> None:
        """Take ``float32 [frames, 2]``; with a full ring it is counted instead. Thread: callback. Real-time: yes."""
        frames, size = len(block), len(self._ring)
        if self._failed or self._fed - self._taken + frames > size:
            self.dropped_frames += frames
            return
        at = self._fed % size
        first = min(frames, size - at)
        self._ring[at : at + first] = block[:first]
        self._ring[: frames - first] = block[first:]
        self._fed += frames

    def pump(self) -> None:
        """Write what was fed since. Thread: writer. Real-time: no."""
        if self._failed:
            return
        try:
            self._write()
        except OSError as error:
            self._fail(error.strerror or str(error))

    def close(self) -> None:
        """Write the rest and let the file go. Thread: writer. Real-time: no."""
        self.pump()
        if self._file is not None:
            with contextlib.suppress(OSError):  # what could be written was
                self._file.close()
            self._file = None

    def _write(self) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb", buffering=0)
            self._file.write(self._header())
        size = len(self._ring)
        before = self._written
        while self._taken < self._fed:
            at = self._taken % size
            frames = min(self._fed - self._taken, size - at)
            self._append(self._file, packed(self._ring[at : at + frames], self._bits))
            self._taken += frames
        if self._written != before:
            self._file.seek(0)
            self._file.write(self._header())

    def _append(self, file: BinaryIO, data: bytes) -> None:
        if self._written + len(data) > MAX_DATA:
            self._fail("a .wav file can't be longer than 4 GB; it is complete up to here")
            return
        file.seek(HEADER.size + self._written)
        done = file.write(data)
        self._written += done - done % (CHANNELS * self._bits // 8)
        if done < len(data):
            raise OSError(28, "No space left on device")

    def _header(self) -> bytes:
        width = CHANNELS * self._bits // 8
        return HEADER.pack(
            *(b"RIFF", HEADER.size - 8 + self._written, b"WAVE", b"fmt ", 16, 1, CHANNELS),
            *(self._rate, self._rate * width, width, self._bits, b"data", self._written),
        )

    def _fail(self, reason: str) -> None:
        self._failed = True
        self.dropped_frames += self._fed - self._taken
        if self._file is not None:
            with contextlib.suppress(OSError):  # the old header is right for what was written before
                self._file.seek(0)
                self._file.write(self._header())
        self._tell(Warned("capture", f"{self.path} can't be written: {reason}. Play goes on without it."))


def packed(block: Block, bits: int) -> bytes:
    """``float32 [frames, 2]`` as little-endian PCM of 16 or 24 bits."""
    scaled = np.round(np.clip(block, -1.0, 1.0) * float(2 ** (bits - 1) - 1)).astype("<i4")
    return np.ascontiguousarray(scaled).view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
