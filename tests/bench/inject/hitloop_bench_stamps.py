"""Instants written to memory that outlives the program: one file per stream, read while it runs or after it was
killed.

A record is two native int64: the monotonic ns, and a value (a message of up to three bytes, the first one lowest, or
the ns that a stall took). The first record's first number is how many there are.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path

RECORD = struct.Struct("=qq")
CAPACITY = 300_000
FOLDER = os.environ.get("HITLOOP_BENCH_STAMPS", "")


class Stamps:
    """A stream of instants. ``add`` costs about a microsecond and never touches the disk: the folder is in memory."""

    def __init__(self, name: str) -> None:
        self._count = 0
        self._memory: mmap.mmap | None = None
        if FOLDER:
            safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
            path = Path(FOLDER) / f"{safe}.{os.getpid()}.stamps"
            size = RECORD.size * (CAPACITY + 1)
            with path.open("w+b") as file:
                file.write(bytes(size))  # every page exists before the first instant
                file.flush()
                self._memory = mmap.mmap(file.fileno(), size)

    def add(self, value: int, at_ns: int | None = None) -> None:
        """Note ``at_ns``, now by default."""
        now = time.monotonic_ns() if at_ns is None else at_ns
        if self._memory is None or self._count >= CAPACITY:
            return
        self._count += 1
        RECORD.pack_into(self._memory, self._count * RECORD.size, now, value)
        RECORD.pack_into(self._memory, 0, self._count, 0)


def read(path: Path) -> list[tuple[int, int]]:
    """The records of a stream so far."""
    data = path.read_bytes()
    if len(data) < RECORD.size:
        return []
    (count, _) = RECORD.unpack_from(data, 0)
    return [RECORD.unpack_from(data, RECORD.size * (index + 1)) for index in range(count)]
