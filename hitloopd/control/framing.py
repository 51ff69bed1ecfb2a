"""Packets in a byte stream: OSC 1.0's length prefix and OSC 1.1's SLIP (PROTOCOL rule 37). Sans-I/O."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, Protocol

from pythonosc import slip

from hitloopd.core.errors import HitloopError

MAX_FRAME: Final = 2**20  # far above the longest pattern; below what could fill the memory


class FramingError(HitloopError):
    """The stream can't be followed any more; the connection has to end."""

    code = "packet"


class Framing(Protocol):
    """How packets lie in a stream."""

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are whole now.

        Raises:
            FramingError: it can't be followed.
        """
        ...

    def frame(self, packet: bytes) -> bytes:
        """One packet as it goes on the wire."""
        ...


@dataclass(slots=True)
class LengthPrefix:
    """Four bytes of size, big-endian, before each packet."""

    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[bytes]:
        """See ``Framing``."""
        self._buffer += data
        packets: list[bytes] = []
        while len(self._buffer) >= 4:
            (size,) = struct.unpack_from(">i", self._buffer)
            if not 0 < size <= MAX_FRAME:
                raise FramingError(f"A packet of {size} bytes; 1 to {MAX_FRAME} are taken. Is this the SLIP port?")
            if len(self._buffer) < 4 + size:
                break
            packets.append(bytes(self._buffer[4 : 4 + size]))
            del self._buffer[: 4 + size]
        return packets

    def frame(self, packet: bytes) -> bytes:
        """See ``Framing``."""
        return struct.pack(">i", len(packet)) + packet


@dataclass(slots=True)
class Slip:
    """RFC 1055 with an END on both sides, as OSC 1.1 asks; a broken packet is skipped, the next END begins anew."""

    broken: int = 0
    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[bytes]:
        """See ``Framing``."""
        *whole, rest = data.split(b"\xc0")
        packets: list[bytes] = []
        for chunk in whole:
            self._buffer += chunk
            self._take(packets)
        self._buffer += rest
        if len(self._buffer) > MAX_FRAME:
            raise FramingError(f"More than {MAX_FRAME} bytes without an END. Is this the length-prefix port?")
        return packets

    def frame(self, packet: bytes) -> bytes:
        """See ``Framing``."""
        return slip.encode(packet)

    def _take(self, packets: list[bytes]) -> None:
        if self._buffer:
            try:
                packets.append(slip.decode(bytes(self._buffer)))
            except slip.ProtocolError:
                self.broken += 1
            self._buffer.clear()
