"""The MIDI backend that is there, or will be: ports that stay the same while what is behind them comes later.

The player opens its ports once. Where there is neither a JACK server nor an ALSA sequencer at that moment, it plays
on without, and each look tries again on a helper thread; once one is there, its ports are put behind ours.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hitloopd.core.errors import UnavailableError
from hitloopd.core.notices import PortBack, PortLost
from hitloopd.io.punctual import LEAD_NS, Gate
from hitloopd.io.realtime import Waitable, assist_thread
from hitloopd.ports.clock import Timescale
from hitloopd.ports.midi import MidiIn, MidiOut


class WaitableIn(MidiIn, Waitable, Protocol):
    """An input that the loop can wait for."""


class Backend(Protocol):
    """What RtMidi and JACK have in common."""

    @property
    def outs(self) -> Mapping[str, MidiOut]:
        """The outputs by name."""
        ...

    @property
    def ins(self) -> Mapping[str, WaitableIn]:
        """The inputs by name."""
        ...

    @property
    def timescale(self) -> Timescale | None:
        """The time that a beat on these ports should be counted on, where it is not the machine's."""
        ...

    def watch(self) -> Sequence[PortLost | PortBack]:
        """What went and came."""
        ...

    def close(self) -> None:
        """Let the ports go."""
        ...


class SwitchOut:
    """An output that drops what it is sent until there is a port behind it, and sends at the instant through ``gate``.

    A port that places events by itself (JACK) gets them ahead, past the gate.
    """

    def __init__(self, name: str, gate: Gate) -> None:
        self.name = name
        self.dropped = 0
        self.behind: MidiOut | None = None
        self._gate = gate

    @property
    def timed(self) -> bool:
        """The gate sends, and measures how late."""
        return self.behind is None or not self.behind.lead_ns

    @property
    def lead_ns(self) -> int:
        """How early events are wanted; changes with the port behind and with a JACK server's period."""
        return LEAD_NS if self.behind is None or not self.behind.lead_ns else self.behind.lead_ns

    def send(self, at_ns: int, tick: int, data: bytes) -> None:
        """Hand one message on. Thread: player. Real-time: yes."""
        if self.timed:
            self._gate.put(at_ns, tick, data, self._send)
        elif self.behind is not None:
            self.behind.send(at_ns, tick, data)

    def _send(self, at_ns: int, tick: int, data: bytes) -> None:
        if self.behind is not None:
            self.behind.send(at_ns, tick, data)
        else:
            self.dropped += 1

    def flush(self) -> None:
        """End of a step. Thread: player. Real-time: yes."""
        if self.behind is not None:
            self.behind.flush()

    def close(self) -> None:
        """The backend closes its ports."""


class SwitchIn:
    """An input where nothing comes in until there is a port behind it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.behind: WaitableIn | None = None

    def receive(self) -> Sequence[tuple[int, bytes]]:
        """All messages since the last call. Thread: player. Real-time: yes."""
        return self.behind.receive() if self.behind is not None else ()

    def fileno(self) -> int:
        """For ``select``; negative while there is nothing to wait for. Thread: any. Real-time: yes."""
        return self.behind.fileno() if self.behind is not None else -1

    def close(self) -> None:
        """The backend closes its ports."""


class MidiSwitch:
    """All MIDI ports of the player.

    Args:
        openers: name of a backend -> opens it or raises ``UnavailableError``, the preferred first.
        outputs: our names of the outputs.
        inputs: our names of the inputs.
        gate: sends for ports that send at once.

    Attributes:
        lines: for people: what was opened, or why each is not there and what mends it.
    """

    def __init__(
        self,
        openers: Mapping[str, Callable[[], Backend]],
        outputs: Sequence[str],
        inputs: Sequence[str],
        gate: Gate,
    ) -> None:
        self._openers = openers
        self._backend: Backend | None = None
        self._found: tuple[str, Backend] | None = None
        self._helper: threading.Thread | None = None
        self.outs = {name: SwitchOut(name, gate) for name in outputs}
        self.ins = {name: SwitchIn(name) for name in inputs}
        self.lines: list[str] = []

    def open(self) -> None:
        """Open the first backend that is there. Thread: player. Real-time: no."""
        self._try()
        self._take()

    def watch(self) -> Sequence[PortLost | PortBack]:
        """What went and came; without a backend, look for one. Call it once a second.

        Thread: player. Real-time: yes (looking happens on a helper thread).
        """
        if self._backend is not None:
            return self._backend.watch()
        if self._helper is None or not self._helper.is_alive():
            came = self._take()
            if came:
                return [PortBack(name) for name in came]
            self._helper = threading.Thread(target=self._look, name="midi-look", daemon=True)
            self._helper.start()
        return ()

    @property
    def timescale(self) -> Timescale | None:
        """The card's time under JACK; None: the machine's. Thread: player. Real-time: yes."""
        return self._backend.timescale if self._backend is not None else None

    def close(self) -> None:
        """Let the ports go. Thread: player. Real-time: no."""
        if self._helper is not None:
            self._helper.join(timeout=5)
        self._take()
        if self._backend is not None:
            self._backend.close()

    def _look(self) -> None:
        assist_thread()
        self._try()

    def _try(self) -> None:
        self.lines = []
        for name, opener in self._openers.items():
            try:
                self._found = name, opener()
            except UnavailableError as error:
                self.lines.append(f"no {error}")
            else:
                return

    def _take(self) -> Sequence[str]:
        """Put what was found behind our ports; their names, if something was."""
        if self._found is None:
            return ()
        (name, self._backend), self._found = self._found, None
        for own, out in self.outs.items():
            out.behind = self._backend.outs[own]
        for own, into in self.ins.items():
            into.behind = self._backend.ins[own]
        names = [*self.outs, *self.ins]
        self.lines = [f"MIDI by {name}: {', '.join(names)}"]
        return [f"MIDI by {name}: port {own}" for own in names]
