"""Links: how the processes talk. One datagram is one message, so a process killed half-way can't desync the stream.

Conventions: a message is any picklable object of up to ``MAX_BYTES`` pickled. Nothing here blocks and nothing here
raises for what the other side did: what could not be delivered or read is counted. The supervisor makes the pair and
keeps both ends open; a restarted process gets the same end and finds there what was sent while it was away.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import sys
from collections import deque
from typing import Final

MAX_BYTES: Final = 61_440  # fits a loopback UDP datagram too (65 507)
BUFFER_BYTES: Final = 4 * 1024 * 1024
MAX_BACKLOG: Final = 4096
MAX_BACKLOG_BYTES: Final = 8 * 1024 * 1024
MAX_RECEIVE: Final = 512  # so that a flood can't hold the player for longer than a few ms

_PROTOCOL: Final = 5
_SO_SNDBUFFORCE: Final = 32  # Linux: past wmem_max, for root only
_SO_RCVBUFFORCE: Final = 33


class Link:
    """One end. ``fileno`` can be waited on.

    Args:
        sock: a connected datagram or sequenced-packet socket; owned from now on.
        max_backlog: messages kept here while the socket is full.

    Attributes:
        dropped: messages that found socket and backlog full, were too long or found nobody.
        corrupt: datagrams that came in and were no message.
    """

    def __init__(self, sock: socket.socket, *, max_backlog: int = MAX_BACKLOG) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._buffer = memoryview(bytearray(MAX_BYTES + 1))
        self._backlog: deque[bytes] = deque()
        self._backlog_bytes = 0
        self._max_backlog = max_backlog
        self._closed = False
        self.dropped = 0
        self.corrupt = 0

    def __reduce__(self) -> tuple[type[Link], tuple[socket.socket]]:
        """Travel to a spawned child (``multiprocessing`` knows how to send the socket); the counters start anew."""
        return (Link, (self._sock,))

    @property
    def closed(self) -> bool:
        """True once nobody holds the other end any more, or this one was closed. Thread: owner. Real-time: yes."""
        return self._closed

    def fileno(self) -> int:
        """For ``select``; -1 once closed here. Thread: any. Real-time: yes."""
        return self._sock.fileno()

    def send(self, message: object) -> bool:
        """Hand over one message; False (and ``dropped`` one more) if there is no room or nobody to take it.

        Order is kept: while older ones wait in the backlog, this one waits behind them.

        Thread: owner. Real-time: yes.
        """
        data = pickle.dumps(message, _PROTOCOL)
        if len(data) > MAX_BYTES:
            self.dropped += 1
            return False
        if (not self._backlog or self.flush()) and self._push(data):
            return True
        return self._keep(data)

    def flush(self) -> bool:
        """Try the backlog again; True when it is empty. Thread: owner. Real-time: yes."""
        while self._backlog:
            data = self._backlog[0]
            if not self._push(data):
                return False
            self._backlog.popleft()
            self._backlog_bytes -= len(data)
        return True

    def receive(self, limit: int = MAX_RECEIVE) -> list[object]:
        """What has arrived, in order, at most ``limit`` messages. Thread: owner. Real-time: yes."""
        messages: list[object] = []
        for _ in range(limit):
            size = self._pull()
            if size <= 0:
                break
            try:
                messages.append(pickle.loads(self._buffer[:size]))
            except Exception:  # noqa: BLE001 - a pickle cut by a crash can raise anything at all
                self.corrupt += 1
        return messages

    def close(self) -> None:
        """Let this end go. What is in the backlog is lost. Thread: owner. Real-time: no."""
        self._closed = True
        self._sock.close()

    def _push(self, data: bytes) -> bool:
        """True when done with: sent, or nobody is there to take it."""
        if self._closed:
            self.dropped += 1
            return True
        try:
            self._sock.send(data)
        except (ConnectionError, FileNotFoundError):
            self._closed = True
            self.dropped += 1
        except OSError:  # EAGAIN; macOS says ENOBUFS
            return False
        return True

    def _keep(self, data: bytes) -> bool:
        room = len(self._backlog) < self._max_backlog and self._backlog_bytes + len(data) <= MAX_BACKLOG_BYTES
        if not room:
            self.dropped += 1
            return False
        self._backlog.append(data)
        self._backlog_bytes += len(data)
        return True

    def _pull(self) -> int:
        """Size of the datagram now in the buffer; 0 for nothing there."""
        if self._sock.fileno() < 0:
            return 0
        try:
            size = self._sock.recv_into(self._buffer)
        except ConnectionError:
            self._closed = True
            return 0
        except OSError:  # EAGAIN
            return 0
        if size == 0:  # sequenced packets: end of file, since no message is empty
            self._closed = True
        return size


def pair() -> tuple[Link, Link]:
    """Two connected ends. Thread: any. Real-time: no."""
    return tuple(Link(_roomy(sock)) for sock in _sockets(sys.platform))  # pyright: ignore[reportReturnType]


def _sockets(platform: str) -> tuple[socket.socket, socket.socket]:
    """Sequenced packets where they exist: in order, never lost, with end of file."""
    if platform == "win32":
        return _udp_pair()
    kind = socket.SOCK_SEQPACKET if platform.startswith("linux") else socket.SOCK_DGRAM
    return socket.socketpair(socket.AF_UNIX, kind)


def _udp_pair() -> tuple[socket.socket, socket.socket]:
    """Loopback sockets that hear each other only. A full receiver loses datagrams silently: the best there is."""
    left, right = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    left.bind(("127.0.0.1", 0))
    right.bind(("127.0.0.1", 0))
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    return left, right


def _roomy(sock: socket.socket) -> socket.socket:
    options = [socket.SO_SNDBUF, socket.SO_RCVBUF]
    if sys.platform.startswith("linux"):
        options += [_SO_SNDBUFFORCE, _SO_RCVBUFFORCE]
    for option in options:
        with contextlib.suppress(OSError):  # a smaller buffer only means an earlier backlog
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    return sock
