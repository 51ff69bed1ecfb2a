"""What a restarted player needs, in memory that outlives it.

One writer (the player), one reader (the player after it). The newer of two slots with a whole checksum counts, so a
player killed while writing leaves the older one.
"""

from __future__ import annotations

import pickle
import struct
import zlib
from typing import Any, Final

from hitloopd.core.commands import Restore

SLOT_BYTES: Final = 32_768
STORE_BYTES: Final = 2 * SLOT_BYTES
_HEAD: Final = struct.Struct("<QII")  # sequence number, length, checksum


class Store:
    """Two slots in shared memory.

    Args:
        memory: a ``RawArray('B', STORE_BYTES)`` of the spawn context.
    """

    def __init__(self, memory: Any) -> None:  # noqa: ANN401 - ctypes arrays have no useful static type
        self._view = memoryview(memory).cast("B")
        self._sequence = max(self._header(0)[0], self._header(1)[0])

    def write(self, state: Restore) -> bool:
        """Keep ``state``; False if it is too large. Thread: player. Real-time: yes (some 20 µs)."""
        data = pickle.dumps(state, 5)
        if len(data) > SLOT_BYTES - _HEAD.size:
            return False
        self._sequence += 1
        start = self._sequence % 2 * SLOT_BYTES
        self._view[start + _HEAD.size : start + _HEAD.size + len(data)] = data
        _HEAD.pack_into(self._view, start, self._sequence, len(data), zlib.crc32(data))
        return True

    def read(self) -> Restore | None:
        """The last whole state, if there is one."""
        for slot in sorted((0, 1), key=lambda index: -self._header(index)[0]):
            sequence, length, checksum = self._header(slot)
            start = slot * SLOT_BYTES + _HEAD.size
            data = bytes(self._view[start : start + min(length, SLOT_BYTES - _HEAD.size)])
            if sequence and zlib.crc32(data) == checksum:
                state = pickle.loads(data)
                return state if isinstance(state, Restore) else None
        return None

    def _header(self, slot: int) -> tuple[int, int, int]:
        return _HEAD.unpack_from(self._view, slot * SLOT_BYTES)
