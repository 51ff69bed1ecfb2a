"""Native JACK MIDI: every event on its exact frame.

What a musician wants to know: a clock at 174 BPM leaves with intervals of 689 or 690 frames and nothing else, where
RtMidi's JACK output puts everything at the start of the next period (±0.7 ms at 64 frames). Ports are ``hitloopd:out``,
``hitloopd:clock`` and ``hitloopd:in``. When the server goes away the ports are lost, the rest plays on, and they come
back with the server.

The player hands over events ahead of time (``JackOut.lead_ns``) and needs no spin for them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from hitloopd.core.errors import HitloopError
from hitloopd.core.notices import PortBack, PortLost
from hitloopd.io.frame_clock import FrameClock
from hitloopd.io.jack_calls import JackCalls
from hitloopd.io.jack_ports import LEAD_MARGIN_NS, Cycle, JackIn, JackOut
from hitloopd.io.midi_ports import (
    CLIENT_NAME,
    DEFAULT_INPUTS,
    DEFAULT_OUTPUTS,
    MEND_JACK_SERVER,
    find_port,
    load_jack,
    open_jack_client,
    unavailable,
)
from hitloopd.io.realtime import assist_thread
from hitloopd.ports.clock import Timescale

DRAIN_S: Final = 0.5
STALLED_NS: Final = 2_000_000_000


class JackMidi:
    """One JACK client with its MIDI ports. Constructing touches nothing; ``open`` does.

    Args:
        client: the client's name.
        outputs: output port -> pattern of the port to connect it with, now and whenever it comes back; "" for none.
        inputs: input port -> likewise.

    Attributes:
        outs: the output ports by name, each a ``ports.midi.MidiOut``.
        ins: the input ports by name, each a ``ports.midi.MidiIn``.
        xruns: as the server told.
    """

    def __init__(
        self,
        client: str = CLIENT_NAME,
        *,
        outputs: Mapping[str, str] = DEFAULT_OUTPUTS,
        inputs: Mapping[str, str] = DEFAULT_INPUTS,
    ) -> None:
        self._name = client
        self._connect = {own: pattern for own, pattern in (*outputs.items(), *inputs.items()) if pattern}
        self._client: Any = None
        self._cycle: Cycle | None = None
        self._down = threading.Event()
        self._rewire = threading.Event()
        self._helper: threading.Thread | None = None
        self._events: deque[PortLost | PortBack] = deque(maxlen=256)
        self._connected: dict[str, str] = {}
        self._missing: set[str] = set()
        self._told = False
        self._seen = (0, 0)
        self._closing = False
        self._rate = 48_000
        self.outs = {name: JackOut(name) for name in outputs}
        self.ins = {name: JackIn(name) for name in inputs}
        self.xruns = 0

    @property
    def client_name(self) -> str:
        """The name the server gave us: another one where ours was taken."""
        return self._client.name if self._client is not None else self._name

    @property
    def lead_ns(self) -> int:
        """How early events are wanted. Thread: any. Real-time: yes."""
        return max((port.lead_ns for port in self.outs.values()), default=0)

    @property
    def timescale(self) -> Timescale | None:
        """The card's own time, once it is known well enough. Thread: player. Real-time: yes."""
        cycle = self._cycle
        return cycle.clock if cycle is not None and not self.lost and cycle.clock.settled else None

    @property
    def lost(self) -> bool:
        """True while there is no server. Thread: any. Real-time: yes."""
        return self._client is None or self._down.is_set()

    @property
    def counters(self) -> dict[str, int]:
        """cycles, skipped, resyncs, xruns, sent, late, dropped. Thread: any. Real-time: yes."""
        cycle = self._cycle
        outs = self.outs.values()
        return {
            "cycles": cycle.cycles if cycle else 0,
            "skipped": cycle.skipped if cycle else 0,
            "resyncs": cycle.clock.resyncs if cycle else 0,
            "xruns": self.xruns,
            "sent": sum(port.sent for port in outs),
            "late": sum(port.late for port in outs),
            "dropped": sum(port.dropped for port in outs),
        }

    def open(self) -> JackMidi:
        """Connect to the server.

        Raises:
            UnavailableError: JACK-Client, libjack or a server is missing; the message names what mends it.

        Thread: player. Real-time: no.
        """
        self._open()
        self._wire()
        return self

    def watch(self) -> list[PortLost | PortBack]:
        """What went and came since the last call; starts what brings lost things back. Call it about once a second.

        Thread: player. Real-time: yes (opening and connecting happen on a helper thread).
        """
        self._notice_loss()
        idle = self._helper is None or not self._helper.is_alive()
        if idle and not self._closing and (self.lost or self._rewire.is_set()):
            self._helper = threading.Thread(target=self._mend, name="jack-mend", daemon=True)
            self._helper.start()
        events: list[PortLost | PortBack] = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def close(self) -> None:
        """Wait until every event is out, at most half a second, then let the server go. Thread: player."""
        self._closing = True
        deadline = time.monotonic() + DRAIN_S
        while not self.lost and time.monotonic() < deadline and any(port.waiting for port in self.outs.values()):
            time.sleep(0.002)
        if not self.lost:
            time.sleep(2 * max(self.lead_ns, 1_000_000) / 1e9)  # what was written last is heard two periods on
        if self._helper is not None:
            self._helper.join(timeout=5)
        self._let_go()
        for port in (*self.outs.values(), *self.ins.values()):
            port.close()

    # ── opening and mending, off the player's thread ────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        jack = load_jack()
        client = open_jack_client(self._name)
        try:
            self._play_through(jack, client)
        except jack.JackError as error:  # the server went, or is not quite there yet: leave no client that has the name
            client.close(ignore_errors=True)
            raise unavailable(f"the JACK server does not take the ports of '{self._name}'", MEND_JACK_SERVER) from error

    def _play_through(self, jack: Any, client: Any) -> None:  # noqa: ANN401 - untyped
        calls = JackCalls(jack, client)
        outs = [(port, calls.address(client.midi_outports.register(name))) for name, port in self.outs.items()]
        ins = [(port, calls.address(client.midi_inports.register(name))) for name, port in self.ins.items()]
        cycle = Cycle(calls, FrameClock(client.samplerate), outs, ins)
        self._rate = client.samplerate
        self._set_callbacks(client, cycle)
        self._set_lead(client.blocksize, client.samplerate)
        for port in self.outs.values():
            port.forget()
        client.activate()
        self._client, self._cycle = client, cycle
        self._seen = (0, time.monotonic_ns())
        for port in (*self.outs.values(), *self.ins.values()):
            port.lost = False

    def _set_callbacks(self, client: Any, cycle: Cycle) -> None:  # noqa: ANN401 - untyped
        self._down.clear()
        client.set_process_callback(cycle)
        client.set_shutdown_callback(self._server_went)
        client.set_xrun_callback(self._count_xrun)
        client.set_blocksize_callback(self._set_period)
        client.set_port_registration_callback(self._ports_changed, only_available=False)

    def _server_went(self, _status: object, _reason: str) -> None:
        self._down.set()

    def _ports_changed(self, _port: object, _registered: bool) -> None:  # noqa: FBT001 - JACK-Client's signature
        self._rewire.set()

    def _set_period(self, frames: int) -> None:
        self._set_lead(frames, self._rate)

    def _count_xrun(self, _delay_us: float) -> None:
        self.xruns += 1
        if self._cycle is not None:
            self._cycle.shaken = True

    def _set_lead(self, frames: int, rate: int) -> None:
        for port in self.outs.values():
            port.lead_ns = 2 * frames * 1_000_000_000 // rate + LEAD_MARGIN_NS

    def _notice_loss(self) -> None:
        """A server that was killed tells it; one that hangs is noticed by its silence."""
        cycle = self._cycle
        if self._client is not None and cycle is not None:
            cycles, since = self._seen
            now = time.monotonic_ns()
            if cycle.cycles != cycles:
                self._seen = (cycle.cycles, now)
            elif now - since > STALLED_NS:
                self._down.set()
        if self.lost and not self._told:
            self._told = True
            for port in (*self.outs.values(), *self.ins.values()):
                port.lost = True
                self._events.append(PortLost(f"{self._name}:{port.name}", "The JACK server is gone; playing goes on."))

    def _mend(self) -> None:
        assist_thread()
        if self.lost:
            self._let_go()
            try:
                self._open()
            except HitloopError:  # still not there; the next watch tries again
                return
            self._rewire.set()
            if self._told:
                self._told = False
                names = [*self.outs, *self.ins]
                self._events.extend(PortBack(f"{self._name}:{name}") for name in names)
        self._wire()

    def _let_go(self) -> None:
        client, self._client, self._cycle = self._client, None, None
        if client is not None:
            client.close(ignore_errors=True)

    # ── connections ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _wire(self) -> None:
        """Connect what the patterns name, and tell what came and went."""
        self._rewire.clear()
        if not self._connect:
            return
        jack = load_jack()
        for own, pattern in self._connect.items():
            try:
                target = self._connect_one(own, pattern)
            except (HitloopError, jack.JackError) as error:
                before = self._connected.pop(own, None)
                if before is not None or own not in self._missing:
                    self._missing.add(own)
                    self._events.append(PortLost(before or pattern, f"{error}"))
                continue
            if own in self._missing:
                self._missing.discard(own)
                self._events.append(PortBack(target))
            self._connected[own] = target

    def _connect_one(self, own: str, pattern: str) -> str:
        client = self._client
        sending = own in self.outs
        others = [port.name for port in client.get_ports(is_midi=True, is_input=sending, is_output=not sending)]
        target = find_port(pattern, others, client=client.name)
        mine = f"{client.name}:{own}"
        if target not in [port.name for port in client.get_all_connections(client.get_port_by_name(mine))]:
            client.connect(*((mine, target) if sending else (target, mine)))
        return target
