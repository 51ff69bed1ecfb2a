"""The OSC door without sockets: bytes in from an address, bytes out to an address, commands to the desk.

Every message is either a question (a path alone), a use (arguments, or a button), or a mistake, which goes back to its
sender as ``/hitloop/sys/error`` and changes nothing. Nothing that comes from the network raises out of here.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any, Final

from hitloopd.control.clients import LEASE_S, Address, Client, ClientBook
from hitloopd.control.lookup import resolve, unknown
from hitloopd.control.osc_codec import IMMEDIATELY, Fault, Group, Message, decode, encode, encode_reply
from hitloopd.control.osc_events import publish
from hitloopd.control.schedule import Schedule, WallClock
from hitloopd.control.spec import Access, Call, Endpoint
from hitloopd.control.subscriptions import Subscriptions, Wish
from hitloopd.control.wire import ERROR, Raw
from hitloopd.core.errors import ArgumentError, HitloopError, UnavailableError
from hitloopd.core.notices import Notice
from hitloopd.core.time import NS_PER_MS, NS_PER_S
from hitloopd.ports.surface import Accepted, Desk, Outcome, Rejected, Value

NAME: Final = "hitloopd"
DEFAULT_MAX_AHEAD_S: Final = 5.0

Kept = list[Any]
"""A subscriber as JSON has it: host, port, where answers go, name, wishes."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class OscCounters:
    """What passed this door since it opened."""

    packets: int = 0
    messages: int = 0
    errors: int = 0
    untold: int = 0
    scheduled: int = 0
    ahead: int = 0
    failures: int = 0
    refused_hosts: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """Messages of one bundle that wait for their moment."""

    client: Client
    messages: tuple[Message, ...]
    at_ns: int


class OscCore:
    """Decodes, looks up, checks, asks or tells the desk, and answers.

    Args:
        desk: what carries commands out.
        send: hands one packet to the network; never blocks, never raises.
        version: of the program, for ``sys/version``.
        max_ahead_s: how far in the future a bundle may be dated; beyond, it runs at once with a warning.
        mono_ns: the monotonic clock.
        wall_ns: nanoseconds since 1970, for time tags.
    """

    def __init__(
        self,
        desk: Desk,
        send: Callable[[bytes, Address], None],
        *,
        version: str,
        max_ahead_s: float = DEFAULT_MAX_AHEAD_S,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.counters = OscCounters()
        self._desk = desk
        self._send = send
        self._version = version
        self._max_ahead_ns = round(max_ahead_s * NS_PER_S)
        self._now_ns = mono_ns
        self._clock = WallClock(mono_ns, wall_ns)
        self.subscriptions = Subscriptions(send, self._clock, desk.value)
        self.clients = ClientBook(self.subscriptions.drop)
        self.schedule: Schedule[Job] = Schedule()
        self._own: Mapping[str, Callable[[Client, Endpoint, Call], Sequence[Value]]] = {
            "/sys/ping": self._ping,
            "/sys/version": self._who,
            "/sys/subscribe": self._subscribe,
            "/sys/unsubscribe": self._unsubscribe,
            "/sys/client": self._redirect,
        }

    # ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, data: bytes, source: Address) -> None:
        """Take one packet. Never raises. Thread: control loop. Real-time: no."""
        now_ns = self._now_ns()
        self.counters.packets += 1
        client = self.clients.heard(source, now_ns)
        for group in decode(data):
            for item in group.items:
                if isinstance(item, Fault):
                    self._fault(client, item.path, item.code, item.text)
            self._group(client, group, len(data), now_ns)

    def publish(self, notice: Notice) -> None:
        """Tell subscribers. Never raises. Thread: control loop. Real-time: no."""
        try:
            publish(notice, self.subscriptions, self._desk, self._now_ns())
        except Exception:  # whoever publishes has better things to do than to mend a subscriber's message
            log.exception("could not tell %s", type(notice).__name__)
            self.counters.failures += 1

    def step(self, now_ns: int) -> int | None:
        """Run bundles that are due, send what waited; when to come again. Thread: control loop. Real-time: no."""
        for job in self.schedule.pop_due(now_ns):
            self._run(job.client, job.messages, job.at_ns)
        self.subscriptions.step(now_ns)
        return self.next_ns()

    def next_ns(self) -> int | None:
        """When ``step`` has something to do next. Thread: control loop. Real-time: no."""
        moments = [m for m in (self.schedule.next_ns, self.subscriptions.next_ns) if m is not None]
        return min(moments, default=None)

    def now_ns(self) -> int:
        """Now, on the clock it was given."""
        return self._now_ns()

    def gone(self, source: Address) -> None:
        """A connection ended. Thread: control loop. Real-time: no."""
        self.clients.forget(source)

    def kept(self) -> list[Kept]:
        """Who subscribes to what, for ``recall``; connections end with us, so their clients ask anew."""
        return [
            [source.host, source.port, client.target.port, client.name, [[*astuple(wish)] for wish in wishes]]
            for source, (client, wishes) in self.subscriptions.wishes.items()
            if source.kind == "udp"
        ]

    def recall(self, kept: Iterable[Kept]) -> None:
        """Tell those who subscribed before we were restarted, as if they had just asked. Thread: control loop."""
        for host, port, target, name, wishes in kept:
            client = self.clients.heard(Address("udp", host, port), self._now_ns())
            client.name, client.target = name, client.source._replace(port=target)
            for wish in (Wish(*fields) for fields in wishes):
                with contextlib.suppress(HitloopError):  # what could be watched before may be gone
                    self._fulfil(client, wish)

    def _fulfil(self, client: Client, wish: Wish) -> None:
        if wish.on:
            now_ns = self._now_ns()
            self.subscriptions.add(client, wish.what, now_ns, interval_ns=wish.interval_ns, timetag=wish.timetag)
        else:
            self.subscriptions.remove(client, wish.what)

    def _group(self, client: Client, group: Group, size: int, now_ns: int) -> None:
        messages = tuple(item for item in group.items if isinstance(item, Message))
        at_ns = now_ns if group.tag <= IMMEDIATELY else self._clock.mono_of(group.tag)
        if not messages:
            return
        if at_ns <= now_ns:
            self._run(client, messages, now_ns)
        elif at_ns - now_ns > self._max_ahead_ns:
            self.counters.ahead += 1
            self._run(client, messages, now_ns)
            text = (
                f"The bundle is dated more than {self._max_ahead_ns / NS_PER_S:g} s ahead: it was carried out at once."
            )
            self._tell(client, messages[0].path, "ahead", text)
        elif self.schedule.add(at_ns, Job(client, messages, at_ns), size):
            self.counters.scheduled += len(messages)
        else:
            text = f"{len(self.schedule)} bundles wait already; this one was not carried out. Send it nearer its time."
            self._fault(client, messages[0].path, "full", text)

    def _run(self, client: Client, messages: Sequence[Message], at_ns: int) -> None:
        for message in messages:
            self.counters.messages += 1
            try:
                endpoints = resolve(message.path)
            except HitloopError as error:
                self._fault(client, message.path, error.code, str(error))
                continue
            if not endpoints:
                self._fault(client, message.path, "unknown", partial(unknown, message.path))
            for endpoint in endpoints:
                self._use(client, endpoint, message.args, at_ns)

    def _use(self, client: Client, endpoint: Endpoint, args: Sequence[Raw], at_ns: int) -> None:
        try:
            self._dispatch(client, endpoint, args, at_ns)
        except HitloopError as error:
            self._fault(client, endpoint.path, error.code, str(error))
        except Exception as error:  # a fault in the desk must not end the door
            log.exception("OSC %s failed", endpoint.path)
            self.counters.failures += 1
            self._fault(client, endpoint.path, "error", f"{endpoint.path} failed inside hitloopd: {error}")

    def _dispatch(self, client: Client, endpoint: Endpoint, args: Sequence[Raw], at_ns: int) -> None:
        row, own = endpoint.row, self._own.get(endpoint.row.template)
        if row.access is Access.NONE:
            raise UnavailableError(f"{endpoint.path} is only ever sent to clients; subscribe to be told.")
        if row.acts_bare and tuple(args) == (math.inf,):
            args = ()  # OSC's impulse on a button: a press
        if own is None and endpoint.asks(args):
            self._reply(client, endpoint.path, self._desk.value(endpoint.address))
            return
        call = endpoint.call(args, at_ns)
        if own is not None:
            self._reply(client, endpoint.path, own(client, endpoint, call))
        elif row.build is None:
            raise ArgumentError(f"{endpoint.path} can only be asked: send it without arguments.")
        elif row.is_release(call):
            self._reply(client, endpoint.path, (0, -1))
        else:
            self._desk.submit(endpoint.address, row.build(call), partial(self._answer, client, endpoint.path))

    # ── what the door itself answers ────────────────────────────────────────────────────────────────────────────────

    def _ping(self, _client: Client, _endpoint: Endpoint, call: Call) -> Sequence[Value]:
        return call.args

    def _who(self, _client: Client, _endpoint: Endpoint, _call: Call) -> Sequence[Value]:
        return (NAME, self._version, os.getpid())

    def _subscribe(self, client: Client, _endpoint: Endpoint, call: Call) -> Sequence[Value]:
        what, interval_ms = call.text(0), call.whole(1)
        self.subscriptions.add(
            client,
            what,
            self._now_ns(),
            interval_ns=interval_ms * NS_PER_MS,
            timetag=call.text(2) == "timetag",
        )
        return (what or "beat bar state", interval_ms, LEASE_S)

    def _unsubscribe(self, client: Client, _endpoint: Endpoint, call: Call) -> Sequence[Value]:
        self.subscriptions.remove(client, call.text(0))
        return (call.text(0, "all"),)

    def _redirect(self, client: Client, endpoint: Endpoint, call: Call) -> Sequence[Value]:
        if client.source.kind != "udp":
            raise UnavailableError(f"{endpoint.path} is for UDP; a connection's answers go back on it.")
        self.clients.redirect(client, call.text(0)[:80], call.whole(1))
        return call.args

    # ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, client: Client, path: str, outcome: Outcome) -> None:
        match outcome:
            case Accepted(values, bar):
                self._reply(client, path, (*values, bar))
            case Rejected(code, text):
                self._fault(client, path, code, text)

    def _reply(self, client: Client, path: str, values: Sequence[Value]) -> None:
        for data in encode_reply(path, values, client.limit):
            self._send(data, client.target)

    def _fault(self, client: Client, path: str, code: str, text: str | Callable[[], str]) -> None:
        self.counters.errors += 1
        self._tell(client, path, code, text)

    def _tell(self, client: Client, path: str, code: str, text: str | Callable[[], str]) -> None:
        if not client.may_be_told(self._now_ns()):
            self.counters.untold += 1
            return
        text = text if isinstance(text, str) else text()
        if client.untold:
            text, client.untold = f"{text} ({client.untold} errors before it were not told.)", 0
        self._send(encode(ERROR, (path[:200], code, text[:900])), client.target)
