"""The player's ports: the MIDI backend that is there, the audio process and the capture, by the outputs' table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hitloopd.app.outputs import AUDIO, CAPTURE, output_specs
from hitloopd.app.settings import Settings
from hitloopd.core.errors import UnavailableError
from hitloopd.core.notices import PlayerNotice, PortBack, PortLost
from hitloopd.core.routes import OutputSpec
from hitloopd.io.audio_messages import PlayerEvents, SentMidi
from hitloopd.io.link import Link
from hitloopd.io.midi_jack import JackMidi
from hitloopd.io.midi_rtmidi import RtMidi
from hitloopd.io.realtime import Waitable
from hitloopd.io.remote_out import RemoteOut
from hitloopd.ports.midi import MidiIn, MidiOut


class WaitableIn(MidiIn, Waitable, Protocol):
    """An input that the loop can wait for."""


class Backend(Protocol):
    """What RtMidi and JACK have in common."""

    def watch(self) -> Sequence[PortLost | PortBack]:
        """What went and came."""
        ...

    def close(self) -> None:
        """Let the ports go."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """An input and what is taken from it."""

    name: str
    port: WaitableIn
    clock: bool
    control: bool


@dataclass(slots=True)
class Ports:
    """Everything that is open."""

    outputs: list[tuple[OutputSpec, MidiOut]] = field(default_factory=list[tuple[OutputSpec, MidiOut]])
    inputs: list[Source] = field(default_factory=list[Source])
    lines: tuple[str, ...] = ()
    backend: Backend | None = None

    @property
    def exact(self) -> bool:
        """Events are placed on their frame by somebody else, so nobody needs to wake up on the dot."""
        return not isinstance(self.backend, RtMidi)

    def waitables(self) -> list[Waitable]:
        """The inputs, for ``select``."""
        return [source.port for source in self.inputs]

    def watch(self) -> Sequence[PlayerNotice]:
        """What went and came since the last look."""
        return self.backend.watch() if self.backend is not None else ()

    def close(self) -> None:
        """Close everything; notes were released before."""
        for _, out in self.outputs:
            if isinstance(out, RemoteOut):
                out.close()
        if self.backend is not None:
            self.backend.close()


def open_ports(settings: Settings, audio: Link | None, audio_lead_ns: int) -> Ports:
    """Open what there is; what is missing is a line with the command that mends it."""
    ports = Ports()
    midi, lines = _open_midi(settings)
    specs = output_specs(settings)
    if midi is not None:
        ports.backend = midi
        ports.inputs = [
            Source(entry.name, midi.ins[entry.name], entry.clock, entry.control) for entry in settings.midi.inputs
        ]
    for spec in specs:
        if spec.name in (AUDIO, CAPTURE):
            if audio is not None:
                wrap = PlayerEvents if spec.name == AUDIO else SentMidi
                ports.outputs.append((spec, RemoteOut(spec.name, audio, audio_lead_ns, wrap)))
        elif midi is not None:
            ports.outputs.append((spec, midi.outs[spec.name]))
    # Clocks first in a step, then notes; and what is sent at its moment before what is handed over ahead.
    ports.outputs.sort(key=lambda pair: (not pair[0].clock, pair[1].lead_ns))
    ports.lines = tuple(lines)
    return ports


def _open_midi(settings: Settings) -> tuple[JackMidi | RtMidi | None, list[str]]:
    lines: list[str] = []
    wanted = {"auto": ("jack", "rtmidi"), "none": ()}.get(settings.midi.backend, (settings.midi.backend,))
    for name in wanted:
        try:
            midi = _OPENERS[name](settings)
        except UnavailableError as error:
            lines.append(f"no MIDI by {name}: {error}")
        else:
            names = ", ".join([*midi.outs, *midi.ins])
            return midi, [f"MIDI by {name}: {settings.midi.client_name} with {names}"]
    return None, lines


def _named(settings: Settings) -> dict[str, Mapping[str, str]]:
    """Our names of the ports and the patterns they are opened or connected by."""
    return {
        "outputs": {output.spec.name: output.port for output in settings.midi.outputs},
        "inputs": {entry.name: entry.port for entry in settings.midi.inputs},
    }


_OPENERS: Mapping[str, Callable[[Settings], JackMidi | RtMidi]] = {
    "jack": lambda settings: JackMidi(settings.midi.client_name, **_named(settings)).open(),
    "rtmidi": lambda settings: RtMidi(settings.midi.client_name, **_named(settings)).open(),
}
