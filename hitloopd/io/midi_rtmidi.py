"""MIDI ports through RtMidi: ALSA, CoreMIDI, WinMM, and JACK where the native client is not installed.

What a musician wants to know: where the system has virtual ports, ``hitloopd`` shows up with ``out``, ``clock`` and
``in``; else, and for hardware, ports are opened by a part of their name. A port that is pulled out is noticed within a
second and opened again within two seconds of its return; everything else plays on meanwhile. The one exception: when a
JACK server dies, only the native client (``midi_jack``) comes back; RtMidi's ports stay lost.

The player never waits here: listing and opening ports happen on a helper thread of ordinary priority.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hitloopd.core.errors import HitloopError
from hitloopd.core.notices import PortBack, PortLost
from hitloopd.io.midi_ports import (
    CLIENT_NAME,
    DEFAULT_INPUTS,
    DEFAULT_OUTPUTS,
    MEND_JACK_CLIENT,
    MEND_LOOPMIDI,
    PULSE,
    Ports,
    find_port,
    load_rtmidi,
    quiet,
    rtmidi_api,
    stable_name,
    unavailable,
)
from hitloopd.io.realtime import assist_thread
from hitloopd.io.wake import Inbox


def _abandon(midi: Any) -> None:  # noqa: ANN401 - untyped
    """Keep an object for ever: RtMidi crashes when it closes a JACK client whose server has died."""
    import ctypes  # noqa: PLC0415 - rare, and slow to import

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(midi))


class _Port:
    """What output and input share: opening by name or as a virtual port, being lost, coming back."""

    def __init__(self, name: str, pattern: str, client: str) -> None:
        self.name = name
        self.lost = True
        self.opened = ""
        self._pattern = pattern
        self._client = client
        self._midi: Any = None
        self._ghost: Any = None

    @property
    def label(self) -> str:
        """What notices call it: the port it leads to, or its own name."""
        return stable_name(self.opened) or self._pattern or f"{self._client}:{self.name}"

    def make(self, rtmidi: Any, api: int) -> Any:  # noqa: ANN401 - untyped
        """A closed RtMidi object."""
        raise NotImplementedError

    def reachable(self, ports: Ports) -> Sequence[str]:
        """The names that this kind of port can be opened on."""
        raise NotImplementedError

    def visible(self, ports: Ports) -> Sequence[str]:
        """The names among which others see our virtual port."""
        raise NotImplementedError

    def started(self, midi: Any) -> None:  # noqa: ANN401 - untyped
        """The object is open: hook up what it needs."""

    def open(self, rtmidi: Any, api: int, ports: Ports) -> None:  # noqa: ANN401 - untyped
        """Open it.

        Raises:
            HitloopError: the port is not there, is not the only one of that name, or is our own.
            OSError: the system refuses.
        """
        self._bury()
        names = self.reachable(ports)
        target = find_port(self._pattern, names, client=self._client) if self._pattern else ""
        with quiet():
            midi = self.make(rtmidi, api)
            self.started(midi)
            if target:
                midi.open_port(list(midi.get_ports()).index(target), self.name)
            elif api == getattr(rtmidi, "API_WINDOWS_MM", None):
                midi.delete()
                raise unavailable("Windows has no virtual MIDI ports", MEND_LOOPMIDI)
            else:
                midi.open_virtual_port(self.name)
        self.opened = target
        self._midi = midi
        self.lost = False

    def gone(self, ports: Ports) -> bool:
        """True when the listing no longer has the port: a send to a vanished ALSA port would fail without a word."""
        if self.opened:
            return self.opened not in self.reachable(ports)
        return not any(stable_name(name).endswith(f":{self.name}") or name == self.name for name in self.visible(ports))

    def lose(self) -> None:
        """Mark it lost; its object is let go when it is opened again."""
        self.lost = True
        if self._midi is not None:
            self._ghost, self._midi = self._midi, None

    def let_go(self) -> None:
        """Close for good."""
        self.lost = True
        midi, self._midi = self._midi, None
        if midi is not None:
            midi.delete()
        self._bury()

    def _bury(self) -> None:
        """Free a vanished port's object: only now, a second later, is it sure that nobody is inside of it."""
        ghost, self._ghost = self._ghost, None
        if ghost is None:
            return
        if ghost.get_current_api() == load_rtmidi().API_UNIX_JACK:
            _abandon(ghost)
        else:
            ghost.delete()


class RtMidiOut(_Port):
    """An output; see ``ports.midi.MidiOut``. Sends at once, so it wants to be called at the due time.

    Attributes:
        sent: messages handed to the system.
        dropped: messages that found the port lost or that the system refused.
    """

    lead_ns = 0

    def __init__(self, name: str, pattern: str = "", *, client: str = CLIENT_NAME) -> None:
        super().__init__(name, pattern, client)
        self.sent = self.dropped = 0

    def send(self, at_ns: int, tick: int, data: bytes) -> None:  # noqa: ARG002 - the port's interface
        """Send one whole message now. Thread: player. Real-time: yes."""
        midi = self._midi
        if self.lost or midi is None:
            self.dropped += 1
            return
        try:
            midi.send_message(data)
        except (OSError, ValueError, RuntimeError):  # rtmidi's own errors are OSErrors
            self.dropped += 1
            self.lost = True  # the helper finds out what is the matter
        else:
            self.sent += 1

    def flush(self) -> None:
        """Nothing waits here. Thread: player. Real-time: yes."""

    def close(self) -> None:
        """Let it go. Thread: player. Real-time: no."""
        self.let_go()

    def make(self, rtmidi: Any, api: int) -> Any:  # noqa: ANN401, D102 - see _Port
        return rtmidi.MidiOut(api, self._client)

    def reachable(self, ports: Ports) -> Sequence[str]:  # noqa: D102 - see _Port
        return ports.outputs

    def visible(self, ports: Ports) -> Sequence[str]:  # noqa: D102 - see _Port
        return ports.inputs


class RtMidiIn(_Port):
    """An input; see ``ports.midi.MidiIn``. Clock, sensing and SysEx come through, stamped as they arrive.

    Attributes:
        received: messages that came in.
    """

    def __init__(self, name: str, pattern: str = "", *, client: str = CLIENT_NAME) -> None:
        super().__init__(name, pattern, client)
        self._inbox = Inbox()
        self._assists = False
        self.received = 0

    @property
    def overflowed(self) -> int:
        """Messages that were pushed out by newer ones."""
        return self._inbox.overflowed

    def receive(self) -> Sequence[tuple[int, bytes]]:
        """All messages since the last call. Thread: player. Real-time: yes."""
        return self._inbox.take()

    def fileno(self) -> int:
        """For ``select``. Thread: any. Real-time: yes."""
        return self._inbox.fileno()

    def close(self) -> None:
        """Let it go. Thread: player. Real-time: no."""
        self.let_go()
        self._inbox.close()

    def make(self, rtmidi: Any, api: int) -> Any:  # noqa: ANN401, D102 - see _Port
        return rtmidi.MidiIn(api, self._client)

    def reachable(self, ports: Ports) -> Sequence[str]:  # noqa: D102 - see _Port
        return ports.inputs

    def visible(self, ports: Ports) -> Sequence[str]:  # noqa: D102 - see _Port
        return ports.outputs

    def started(self, midi: Any) -> None:  # noqa: ANN401 - untyped
        """RtMidi leaves clock, sensing and SysEx out unless told otherwise."""
        self._assists = False
        midi.ignore_types(sysex=False, timing=False, active_sense=False)
        midi.set_callback(self._arrived)

    def _arrived(self, event: tuple[list[int], float], _data: object = None) -> None:
        now_ns = time.monotonic_ns()
        if not self._assists:  # on the driver's thread, which would be late itself on busy cores
            self._assists = True
            assist_thread()
        self.received += 1
        self._inbox.put(now_ns, bytes(event[0]))


LIST_EVERY_S: Final = 0.25  # the shortest time between two listings, however often the player asks
BACK_OFF_S: Final = 1.0
PULSE_MESSAGE: Final = (0xC0, 0)
GONE: Final = "It is not in the system's list of MIDI ports any more."
GONE_FOR_GOOD: Final = (
    "The JACK server is gone, and RtMidi can't come back from that. Restart hitloopd, and for the next time: "
    f"{MEND_JACK_CLIENT}"
)


class RtMidi:
    """All RtMidi ports of the player. Constructing touches nothing; ``open`` does.

    Args:
        client: the client's name.
        outputs: our name of an output -> pattern of the port to open, "" for a virtual port of that name.
        inputs: likewise.

    Attributes:
        outs: the outputs by name.
        ins: the inputs by name.
    """

    lead_ns = 0

    def __init__(
        self,
        client: str = CLIENT_NAME,
        *,
        outputs: Mapping[str, str] = DEFAULT_OUTPUTS,
        inputs: Mapping[str, str] = DEFAULT_INPUTS,
    ) -> None:
        self.outs = {name: RtMidiOut(name, pattern, client=client) for name, pattern in outputs.items()}
        self.ins = {name: RtMidiIn(name, pattern, client=client) for name, pattern in inputs.items()}
        self._client = client
        self._rtmidi: Any = None
        self._api = 0
        self._listers: tuple[Any, Any] | None = None
        self._events: deque[PortLost | PortBack] = deque(maxlen=256)
        self._told: set[str] = set()
        self._asked = threading.Event()
        self._ending = False
        self._dead = False
        self._helper: threading.Thread | None = None

    @property
    def lost(self) -> bool:
        """True while any port is lost. Thread: any. Real-time: yes."""
        return any(port.lost for port in self._ports)

    @property
    def counters(self) -> dict[str, int]:
        """sent, late (always 0: it sends when it is told), dropped. Thread: any. Real-time: yes."""
        outs = self.outs.values()
        return {"sent": sum(p.sent for p in outs), "late": 0, "dropped": sum(p.dropped for p in outs)}

    def open(self) -> RtMidi:
        """Open what is there; a named port that is not is told by ``watch`` and tried again.

        Raises:
            UnavailableError: this system has no MIDI at all; the message names what mends it.

        Thread: player. Real-time: no.
        """
        self._rtmidi = load_rtmidi()
        self._api = rtmidi_api()
        self._check()
        self._helper = threading.Thread(target=self._help, name="midi-watch", daemon=True)
        self._helper.start()
        return self

    @property
    def timescale(self) -> None:
        """What is sent at once goes by the machine's time. Thread: player. Real-time: yes."""
        return

    def watch(self) -> list[PortLost | PortBack]:
        """What went and came, as the helper saw it last, and have it look again. Call it about once a second.

        Thread: player. Real-time: yes.
        """
        self._asked.set()
        events: list[PortLost | PortBack] = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def close(self) -> None:
        """Close every port. Thread: player. Real-time: no."""
        self._ending = True
        self._asked.set()
        if self._helper is not None:
            self._helper.join(timeout=5)
        if self._rtmidi is not None:
            time.sleep(LIST_EVERY_S if self._api == self._rtmidi.API_UNIX_JACK else 0)  # for the pulse to get through
            self._lose_dead(self._list())
        self._forget_listers()
        for port in self._ports:
            port.close()

    @property
    def _ports(self) -> tuple[RtMidiOut | RtMidiIn, ...]:
        return (*self.outs.values(), *self.ins.values())

    # ── on the helper's thread ──────────────────────────────────────────────────────────────────────────────────────

    def _help(self) -> None:
        assist_thread()
        while not self._ending:
            self._asked.wait()
            self._asked.clear()
            if not self._ending:
                time.sleep(LIST_EVERY_S if self._check() else BACK_OFF_S)

    def _check(self) -> bool:
        """Compare what is open with what is there, and mend; False when there is nothing to mend it with."""
        ports = self._list()
        self._lose_dead(ports)
        if ports is None:
            return False
        for port in self._ports:
            if port.lost:
                port.lose()
                self._reopen(port, ports)
        return True

    def _lose_dead(self, ports: Ports | None) -> None:
        for port in self._ports:
            if not port.lost and (ports is None or port.gone(ports)):
                self._tell_loss(port, GONE_FOR_GOOD if self._dead else GONE)
                port.lose()

    def _reopen(self, port: RtMidiOut | RtMidiIn, ports: Ports) -> None:
        try:
            port.open(self._rtmidi, self._api, ports)
        except (HitloopError, OSError, ValueError, RuntimeError) as error:
            self._tell_loss(port, f"{error}")
            return
        if port.name in self._told:
            self._told.discard(port.name)
            self._events.append(PortBack(port.label))

    def _tell_loss(self, port: RtMidiOut | RtMidiIn, text: str) -> None:
        if port.name not in self._told:
            self._told.add(port.name)
            self._events.append(PortLost(port.label, text))

    def _list(self) -> Ports | None:
        """What there is now; None when the system behind it is gone or refuses.

        The listing clients are kept: opening new ones every second would show up in other programs.
        """
        if self._dead or not self._alive():
            return None
        try:
            if self._listers is None:
                self._listers = self._open_listers()
            into, out = self._listers
            return Ports(tuple(into.get_ports()), tuple(out.get_ports()))
        except (OSError, RuntimeError):
            self._forget_listers()
            return None

    def _open_listers(self) -> tuple[Any, Any]:
        with quiet():
            name = f"{self._client}-list"
            into, out = self._rtmidi.MidiIn(self._api, name), self._rtmidi.MidiOut(self._api, name)
            if self._api == self._rtmidi.API_UNIX_JACK:
                pulse = f"{PULSE}-{os.getpid()}-{id(self):x}"  # never that of another hitloopd
                into.open_virtual_port(pulse)
                out.open_port(next(i for i, port in enumerate(out.get_ports()) if port.endswith(pulse)), pulse)
                out.send_message(PULSE_MESSAGE)
        return into, out

    def _alive(self) -> bool:
        """False once a JACK server no longer carries our pulse from one listing client to the other.

        Nothing else tells: the list stays as it was when the server died. RtMidi's library then crashes at the next
        close or open, sooner or later, so nothing there is touched again.
        """
        if self._listers is None or self._api != self._rtmidi.API_UNIX_JACK:
            return True
        into, out = self._listers
        if into.get_message() is not None:
            out.send_message(PULSE_MESSAGE)
            return True
        self._dead = True
        for lister in self._listers:
            _abandon(lister)
        return False

    def _forget_listers(self) -> None:
        listers, self._listers = (None if self._dead else self._listers), None
        for lister in listers or ():
            lister.delete()
