"""A mailbox between a driver's thread and the player: a bounded deque, and a socket that makes ``select`` return."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from typing import Final

MAX_WAITING: Final = 8192


class Inbox:
    """Messages with their time of arrival; ``fileno`` can be waited on.

    Attributes:
        overflowed: messages that pushed an older one out because the player did not come.
    """

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._messages: deque[tuple[int, bytes]] = deque(maxlen=limit)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._woken = False
        self.overflowed = 0

    def put(self, at_ns: int, data: bytes) -> None:
        """Add one and wake the player. Thread: driver's. Real-time: yes."""
        if len(self._messages) == self._messages.maxlen:
            self.overflowed += 1
        self._messages.append((at_ns, data))
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):  # full means it is awake already; closed, that nobody listens
                self._writer.send(b"\0")

    def take(self) -> list[tuple[int, bytes]]:
        """All there is. Thread: player. Real-time: yes."""
        if self._woken:
            with contextlib.suppress(OSError):  # the byte may not be there yet
                self._reader.recv(4096)
            self._woken = False  # before emptying: what is added from here on wakes again
        messages: list[tuple[int, bytes]] = []
        while self._messages:
            messages.append(self._messages.popleft())
        return messages

    def fileno(self) -> int:
        """For ``select``; -1 once closed. Thread: any. Real-time: yes."""
        return self._reader.fileno()

    def close(self) -> None:
        """Let the sockets go. Thread: player. Real-time: no."""
        self._reader.close()
        self._writer.close()
