"""Who talks to us over OSC: where their answers go, when they were last heard, and how many errors they may be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hitloopd.control.osc_codec import MAX_DATAGRAM
from hitloopd.core.time import NS_PER_S

LEASE_S: Final = 65
LEASE_NS: Final = LEASE_S * NS_PER_S
MAX_CLIENTS: Final = 512
ERROR_BURST: Final = 64.0
ERRORS_PER_S: Final = 20.0


class Address(NamedTuple):
    """One end of a conversation. ``kind`` is ``udp``, ``tcp`` or ``slip``."""

    kind: str
    host: str
    port: int


@dataclass(slots=True)
class Client:
    """One sender.

    Args:
        source: where it sends from: what it is known by.
        target: where its answers and subscriptions go.
        heard_ns: when it last sent something, monotonic.
        name: as it called itself.
    """

    source: Address
    target: Address
    heard_ns: int
    name: str = ""
    untold: int = 0
    _budget: float = ERROR_BURST
    _budget_ns: int = 0

    @property
    def limit(self) -> int | None:
        """Most bytes of one message to it; a stream takes any."""
        return MAX_DATAGRAM if self.target.kind == "udp" else None

    @property
    def lease_ns(self) -> int | None:
        """When its subscriptions end unless it is heard; a connection lasts as long as it lasts."""
        return self.heard_ns + LEASE_NS if self.source.kind == "udp" else None

    def may_be_told(self, now_ns: int) -> bool:
        """Whether one more error may be sent; counts it as untold if not."""
        refill = (now_ns - self._budget_ns) * ERRORS_PER_S / NS_PER_S
        self._budget = min(ERROR_BURST, self._budget + refill)
        self._budget_ns = now_ns
        if self._budget < 1:
            self.untold += 1
            return False
        self._budget -= 1
        return True


@dataclass(slots=True)
class ClientBook:
    """All clients, the last heard at the end; when it is full, the one silent for longest goes.

    Args:
        gone: is told of every client that is forgotten.
    """

    gone: Callable[[Client], None]
    _clients: dict[Address, Client] = field(default_factory=dict[Address, Client])

    def __len__(self) -> int:
        return len(self._clients)

    def heard(self, source: Address, now_ns: int) -> Client:
        """The client at ``source``, new or known."""
        client = self._clients.pop(source, None) or Client(source, source, now_ns)
        client.heard_ns = now_ns
        self._clients[source] = client
        if len(self._clients) > MAX_CLIENTS:
            self.forget(next(iter(self._clients)))
        return client

    def redirect(self, client: Client, name: str, port: int) -> None:
        """Send ``client``'s answers to another port; an older client of that name and machine is forgotten.

        The name is what survives a restart of the client's program, whose source port is new each time.
        """
        same = [
            c.source
            for c in self._clients.values()
            if c is not client and c.name == name and c.source.host == client.source.host
        ]
        for source in same:
            self.forget(source)
        client.name = name
        client.target = client.source._replace(port=port)

    def forget(self, source: Address) -> None:
        """Let a client go; nothing happens where there is none."""
        client = self._clients.pop(source, None)
        if client is not None:
            self.gone(client)
