"""What clients want to be told: values and events, coalesced, for as long as they are heard (PROTOCOL rule 34).

Conventions: every message of a subscription to a value ends with the bar in which it takes effect, -1 for "in force
already": the same shape as the answer to a set. Events (``/hitloop/event/...``) carry what the table says.
Sans-I/O: ``step`` sends what has waited long enough and says when to come again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hitloopd.control.addresses import EVENTS, ROOT
from hitloopd.control.clients import Address, Client
from hitloopd.control.lookup import STATE, resolve, unknown
from hitloopd.control.osc_codec import encode, encode_bundle, encode_reply
from hitloopd.control.schedule import WallClock
from hitloopd.core.errors import HitloopError, UnavailableError, UnknownNameError
from hitloopd.ports.surface import Value

BEAT, BAR, NOTE, TRANSPORT, WARNING, KIT = (ROOT + row.template for row in EVENTS)
TOPICS: Final = {
    "beat": (BEAT,),
    "bar": (BAR,),
    "note": (NOTE,),
    "state": (TRANSPORT, WARNING, KIT, *(endpoint.address for endpoint in STATE)),
}
DEFAULT_TOPICS: Final = ("beat", "bar", "state")
MAX_SUBSCRIBERS: Final = 128
MAX_WISHES: Final = 64  # of one client, kept for a restart; who has more asks anew

Args = tuple[Value, ...]


def addresses_of(what: str) -> tuple[str, ...]:
    """The addresses that a topic, an address or a pattern stands for; empty stands for beat, bar and state.

    Raises:
        PatternError: a pattern can't be read.
        UnknownNameError: nothing answers to it, or nothing under it can be watched.
    """
    if not what:
        return tuple(address for topic in DEFAULT_TOPICS for address in TOPICS[topic])
    if what in TOPICS:
        return TOPICS[what]
    if what in (BEAT, BAR, NOTE, TRANSPORT, WARNING, KIT):
        return (what,)
    if not what.startswith("/"):
        raise UnknownNameError(f"There is no '{what[:80]}' to subscribe to: {', '.join(TOPICS)} or an address are.")
    found = tuple(endpoint.address for endpoint in resolve(what) if endpoint.row.readable)
    if not found:
        raise UnknownNameError(f"Nothing to watch at '{what[:80]}'. {unknown(what)}")
    return found


@dataclass(slots=True)
class Watch:
    """One client's interest in one address."""

    client: Client
    address: str
    interval_ns: int
    timetag: bool
    free_ns: int = 0
    last: Args | None = None
    waiting: tuple[Args, int] | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asked to be told, or (``on`` false) no longer to be told."""

    what: str
    interval_ns: int = 0
    timetag: bool = False
    on: bool = True


@dataclass(slots=True)
class Subscriptions:
    """All watches, by address.

    Args:
        send: hands bytes to the network; never blocks, never raises.
        clock: for the time tags of events that are yet to sound.
        value: the value in force of an address; may raise ``HitloopError``.
    """

    send: Callable[[bytes, Address], None]
    clock: WallClock
    value: Callable[[str], Args]
    _by_address: dict[str, dict[Address, Watch]] = field(default_factory=dict[str, dict[Address, Watch]])
    _clients: dict[Address, Client] = field(default_factory=dict[Address, Client])
    _wishes: dict[Address, list[Wish]] = field(default_factory=dict[Address, list[Wish]])
    _waiting: dict[tuple[Address, str], Watch] = field(default_factory=dict[tuple[Address, str], Watch])
    _events: dict[str, Args] = field(default_factory=dict[str, Args])

    def __len__(self) -> int:
        return len(self._clients)

    def watched(self, address: str) -> bool:
        """Whether anybody wants to know."""
        return address in self._by_address

    def add(self, client: Client, what: str, now_ns: int, *, interval_ns: int = 0, timetag: bool = False) -> None:
        """Begin to tell ``client``; it gets the current values at once. Several calls add up.

        Raises:
            HitloopError: there is nothing of that name, or there are too many subscribers.
        """
        addresses = addresses_of(what)
        if client.source not in self._clients and len(self._clients) >= MAX_SUBSCRIBERS:
            raise UnavailableError(f"There are {MAX_SUBSCRIBERS} subscribers already; let one unsubscribe first.")
        self._clients[client.source] = client
        self._wish(client, Wish(what, interval_ns, timetag))
        for address in addresses:
            watch = Watch(client, address, interval_ns, timetag)
            self._by_address.setdefault(address, {})[client.source] = watch
            self._waiting.pop((client.source, address), None)
            current = self._current(address)
            if current is not None:
                self._deliver(watch, current, now_ns, now_ns)

    def remove(self, client: Client, what: str) -> None:
        """Tell it no longer; empty: nothing more at all. Raises as ``addresses_of``."""
        addresses: Iterable[str] = addresses_of(what) if what else tuple(self._by_address)
        for address in addresses:
            self._by_address.get(address, {}).pop(client.source, None)
            self._waiting.pop((client.source, address), None)
            if not self._by_address.get(address, True):
                del self._by_address[address]
        self._wish(client, Wish(what, on=False))
        if not any(client.source in watches for watches in self._by_address.values()):
            self._clients.pop(client.source, None)
            self._wishes.pop(client.source, None)

    def drop(self, client: Client) -> None:
        """Forget a client that went away."""
        if client.source in self._clients:
            self.remove(client, "")

    @property
    def wishes(self) -> Mapping[Address, tuple[Client, Sequence[Wish]]]:
        """Who wants to be told what, in the order in which it was asked."""
        return {source: (self._clients[source], tuple(wishes)) for source, wishes in self._wishes.items()}

    def event(self, address: str, args: Args, at_ns: int, now_ns: int) -> None:
        """Tell that something happens at ``at_ns``."""
        if address in (BEAT, BAR, TRANSPORT):
            self._events[address] = args
        self._tell(address, args, at_ns, now_ns)

    def changed(self, address: str, values: Args, bar: int, now_ns: int) -> None:
        """Tell a value; who knows it already is not told again."""
        self._tell(address, (*values, bar), now_ns, now_ns, only_new=True)

    @property
    def next_ns(self) -> int | None:
        """When ``step`` has something to do next."""
        moments = [watch.free_ns for watch in self._waiting.values()]
        moments += [client.lease_ns for client in self._clients.values() if client.lease_ns is not None]
        return min(moments, default=None)

    def step(self, now_ns: int) -> None:
        """Send what waited long enough; let go of who was silent too long."""
        for client in [c for c in self._clients.values() if c.lease_ns is not None and c.lease_ns <= now_ns]:
            self.drop(client)
        for key, watch in [(k, w) for k, w in self._waiting.items() if w.free_ns <= now_ns]:
            del self._waiting[key]
            if watch.waiting is not None:
                args, at_ns = watch.waiting
                watch.waiting = None
                self._deliver(watch, args, at_ns, now_ns)

    def _wish(self, client: Client, wish: Wish) -> None:
        earlier = [kept for kept in self._wishes.get(client.source, ()) if kept.what != wish.what]
        self._wishes[client.source] = [*earlier, wish][-MAX_WISHES:]

    def _current(self, address: str) -> Args | None:
        if address.startswith(f"{ROOT}/event/"):
            return self._events.get(address)
        try:
            return (*self.value(address), -1)
        except HitloopError:
            return None  # what has no value yet is told when it gets one

    def _tell(self, address: str, args: Args, at_ns: int, now_ns: int, *, only_new: bool = False) -> None:
        for watch in tuple(self._by_address.get(address, {}).values()):
            newest = watch.waiting[0] if watch.waiting else watch.last
            if only_new and newest is not None and newest[:-1] == args[:-1]:
                continue
            if now_ns < watch.free_ns:
                watch.waiting = (args, at_ns)
                self._waiting[watch.client.source, address] = watch
            else:
                self._deliver(watch, args, at_ns, now_ns)

    def _deliver(self, watch: Watch, args: Args, at_ns: int, now_ns: int) -> None:
        watch.last, watch.free_ns = args, now_ns + watch.interval_ns
        for data in self._encoded(watch, args, at_ns):
            self.send(data, watch.client.target)

    def _encoded(self, watch: Watch, args: Args, at_ns: int) -> Sequence[bytes]:
        if watch.timetag:
            return (encode_bundle(self.clock.tag_of(at_ns), (encode(watch.address, args),)),)
        return encode_reply(watch.address, args, watch.client.limit)
