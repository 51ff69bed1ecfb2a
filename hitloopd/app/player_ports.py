"""The player's ports: the MIDI backend that is there, the audio process and the capture, by the outputs' table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from hitloopd.app.midi_switch import Backend, MidiSwitch, WaitableIn
from hitloopd.app.outputs import AUDIO, CAPTURE, output_specs
from hitloopd.app.settings import Settings
from hitloopd.core.notices import PlayerNotice
from hitloopd.core.routes import OutputSpec
from hitloopd.io.audio_messages import PlayerEvents, SentMidi
from hitloopd.io.link import Link
from hitloopd.io.midi_jack import JackMidi
from hitloopd.io.midi_rtmidi import RtMidi
from hitloopd.io.punctual import Gate
from hitloopd.io.realtime import Waitable
from hitloopd.io.remote_out import RemoteOut
from hitloopd.ports.clock import Timescale
from hitloopd.ports.midi import MidiOut


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

    gate: Gate
    outputs: list[tuple[OutputSpec, MidiOut]] = field(default_factory=list[tuple[OutputSpec, MidiOut]])
    inputs: list[Source] = field(default_factory=list[Source])
    lines: tuple[str, ...] = ()
    midi: MidiSwitch | None = None

    def waitables(self) -> list[Waitable]:
        """The inputs, for ``select``."""
        return [source.port for source in self.inputs]

    def watch(self) -> Sequence[PlayerNotice]:
        """What went and came since the last look."""
        return self.midi.watch() if self.midi is not None else ()

    @property
    def timescale(self) -> Timescale | None:
        """What our own beat is counted on; None: the machine's time."""
        return self.midi.timescale if self.midi is not None else None

    def close(self) -> None:
        """Close everything; notes were released before."""
        for _, out in self.outputs:
            if isinstance(out, RemoteOut):
                out.close()
        if self.midi is not None:
            self.midi.close()


def open_ports(settings: Settings, audio: Link | None, audio_lead_ns: int, gate: Gate) -> Ports:
    """Open what there is; what is missing is a line with the command that mends it, and looked for now and then."""
    ports = Ports(gate)
    if settings.midi.backend != "none":
        ports.midi = _midi(settings, gate)
        ports.midi.open()
        ports.lines = tuple(ports.midi.lines)
        ports.inputs = [
            Source(entry.name, ports.midi.ins[entry.name], entry.clock, entry.control) for entry in settings.midi.inputs
        ]
    for spec in output_specs(settings):
        if spec.name in (AUDIO, CAPTURE):
            if audio is not None:
                heard = spec.name == AUDIO
                wrap = PlayerEvents if heard else SentMidi
                counted_on = (lambda: ports.timescale) if heard else (lambda: None)
                ports.outputs.append((spec, RemoteOut(spec.name, audio, audio_lead_ns, wrap, counted_on)))
        elif ports.midi is not None:
            ports.outputs.append((spec, ports.midi.outs[spec.name]))
    # Clocks first in a step, then notes; and what is sent at its moment before what is handed over ahead.
    ports.outputs.sort(key=lambda pair: (not pair[0].clock, pair[1].lead_ns))
    return ports


def _midi(settings: Settings, gate: Gate) -> MidiSwitch:
    midi = settings.midi
    outputs = {output.spec.name: output.port for output in midi.outputs}
    inputs = {entry.name: entry.port for entry in midi.inputs}
    wanted = _BACKENDS if midi.backend == "auto" else (midi.backend,)
    openers = {name: partial(_OPENERS[name], midi.client_name, outputs, inputs) for name in wanted}
    return MidiSwitch(openers, tuple(outputs), tuple(inputs), gate)


_BACKENDS: Final = ("jack", "rtmidi")
_Names = Mapping[str, str]
_OPENERS: Final[Mapping[str, Callable[[str, _Names, _Names], Backend]]] = {
    "jack": lambda client, outputs, inputs: JackMidi(client, outputs=outputs, inputs=inputs).open(),
    "rtmidi": lambda client, outputs, inputs: RtMidi(client, outputs=outputs, inputs=inputs).open(),
}
