"""A small OSC client for the command line: ask, wait, read the answers. No asyncio, so that it starts at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hitloopd.control.match import is_pattern
from hitloopd.control.osc_codec import Message, decode, encode
from hitloopd.control.wire import ERROR, Raw

if TYPE_CHECKING:  # see osc_codec
    from hitloopd.ports.surface import Value

MAX_REPLY: Final = 65_535
QUIET_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: its path and arguments; ``/hitloop/sys/error`` carries path, code and text."""

    path: str
    args: tuple[Raw, ...]

    @property
    def is_error(self) -> bool:
        """The request was refused."""
        return self.path == ERROR


def ask(
    host: str,
    port: int,
    address: str,
    args: Sequence[Value] = (),
    *,
    timeout_s: float = 1.0,
) -> list[Reply]:
    """Send one request and read its answers.

    An answer in parts (``index total text``) is put together. A pattern may be answered by several: after the first,
    it waits 20 ms for more.

    Returns:
        The answers in order; none where nobody answered in ``timeout_s``.

    Raises:
        OSError: the host can't be reached, or nobody listens at the port.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # Connected, so that a port where nobody listens says so at once, and strangers' datagrams stay out.
        sock.connect((host, port))
        sock.send(encode(address, args))
        return _collect(sock, address, timeout_s)


def parse_argument(word: str) -> Value:
    """A word of the command line as OSC value: int, float, true or false, else string."""
    for convert in (int, float):
        try:
            return convert(word)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(word.lower(), word)


def _collect(sock: socket.socket, address: str, timeout_s: float) -> list[Reply]:
    several = is_pattern(address)
    replies: list[Reply] = []
    parts: dict[int, str] = {}
    deadline = time.monotonic() + timeout_s
    while (left := deadline - time.monotonic()) > 0:
        sock.settimeout(min(left, QUIET_S) if replies else left)
        try:
            data = sock.recv(MAX_REPLY)
        except TimeoutError:
            break
        except ConnectionRefusedError:
            if not replies:
                raise
            break
        for message in _messages(data):
            whole = _joined(message, parts)
            # Whoever subscribes is sent values before the answer itself.
            if whole is not None and (several or whole.path in (address, ERROR)):
                replies.append(whole)
        if replies and not several:
            break
    return replies


def _messages(data: bytes) -> list[Message]:
    return [item for group in decode(data) for item in group.items if isinstance(item, Message)]


def _joined(message: Message, parts: dict[int, str]) -> Reply | None:
    """The answer, or ``None`` while parts of it are missing."""
    match message.args:
        case (int(index), int(total), str(text)) if total > 1 and 0 <= index < total:
            parts[index] = text
            if len(parts) < total:
                return None
            whole = "".join(parts[i] for i in range(total))
            parts.clear()
            return Reply(message.path, (whole,))
        case args:
            return Reply(message.path, args)
