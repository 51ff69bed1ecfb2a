"""Settings: the checked configuration as typed, frozen values. Built from the table's values, never by hand.

Conventions: channels 1..16; paths are absolute. This module must not read files and knows nothing about YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hitloopd.app.config_table import KEYS, Value
from hitloopd.app.resources import user_dirs
from hitloopd.core.errors import HitloopError
from hitloopd.core.feel import STRAIGHT, Feel
from hitloopd.core.pattern import LANES, Lane
from hitloopd.core.routes import Curve, OutputSpec, Route, preset


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Tempo in BPM 20..300, and whether to play at once."""

    bpm: float
    autostart: bool


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """Who gives the clock and what to do when it goes; ``offset_ms`` -100..100."""

    source: str
    lost: str
    restart_on_start: bool
    offset_ms: float


@dataclass(frozen=True, slots=True)
class MidiOutput:
    """One MIDI output.

    Args:
        spec: routes, offset, clock and gap: what the player needs.
        port: pattern of the port to open; empty when ``virtual``.
        virtual: offer a port of the spec's name.
    """

    spec: OutputSpec
    port: str = ""
    virtual: bool = False


@dataclass(frozen=True, slots=True)
class MidiInput:
    """One MIDI input: what it is called, where it is, and what is taken from it."""

    name: str
    port: str = ""
    virtual: bool = False
    clock: bool = False
    control: bool = False


@dataclass(frozen=True, slots=True)
class MidiSettings:
    """Backend (auto, rtmidi, jack, none), names, map and ports."""

    backend: str
    client_name: str
    map: str
    outputs: tuple[MidiOutput, ...]
    inputs: tuple[MidiInput, ...]
    cc123_on_stop: bool


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """Backend (auto, sounddevice, none), device pattern, rate in Hz, block in frames, latency low or high.

    ``input`` is what live sampling listens to, see ``io.listen``.
    """

    backend: str
    device: str
    rate: int
    block: int
    latency: str
    offset_ms: float
    input: str


@dataclass(frozen=True, slots=True)
class OscSettings:
    """Where OSC is heard and from whom; port 0 is any, TCP ports 0 are off."""

    host: str
    port: int
    tcp_port: int
    slip_port: int
    allow: tuple[str, ...]
    max_ahead_s: float


@dataclass(frozen=True, slots=True)
class GenSettings:
    """Who makes the bars, and of what kind; ``auto`` in bars, 0 off; ``dataset`` is what rowmix mixes."""

    model: str
    style: str
    energy: float
    temperature: float
    seed: int
    auto: int
    root: int
    scale: str
    dataset: Path | None


@dataclass(frozen=True, slots=True)
class FeelSettings:
    """Swing of every lane 0.5..0.75, and humanise 0..1."""

    swing: Mapping[Lane, float]
    humanise: float

    def feel(self, seed: int) -> Feel:
        """As the renderer wants it."""
        return Feel(dict(self.swing), self.humanise, seed)


@dataclass(frozen=True, slots=True)
class PathSettings:
    """Absolute folders; ``capture`` is ``None`` when nothing is captured."""

    state: Path
    cache: Path
    library: Path
    capture: Path | None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything. ``values`` has the same by dotted key, for showing and comparing; it pickles."""

    transport: TransportSettings
    sync: SyncSettings
    midi: MidiSettings
    audio: AudioSettings
    osc: OscSettings
    gen: GenSettings
    feel: FeelSettings
    kit: str
    control_midi: str | tuple[Mapping[str, Value], ...]
    paths: PathSettings
    log_level: str
    values: Mapping[str, Value] = field(repr=False)


class _Reader:
    """Typed looks into checked values."""

    def __init__(self, values: Mapping[str, Value], prefix: str = "") -> None:
        self._values = values
        self._prefix = prefix

    def value(self, name: str) -> Value:
        return self._values[self._prefix + name]

    def text(self, name: str) -> str:
        value = self.value(name)
        assert isinstance(value, str), name
        return value

    def flag(self, name: str) -> bool:
        value = self.value(name)
        assert isinstance(value, bool), name
        return value

    def whole(self, name: str) -> int:
        value = self.value(name)
        assert isinstance(value, int), name
        return value

    def number(self, name: str) -> float:
        value = self.value(name)
        assert isinstance(value, (int, float)), name
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(item for item in _tuple(self.value(name)) if isinstance(item, str))

    def rows(self, name: str) -> tuple[Mapping[str, Value], ...]:
        return tuple(item for item in _tuple(self.value(name)) if isinstance(item, Mapping))

    def path(self, name: str, usual: Path) -> Path:
        text = self.text(name)
        return Path(text).expanduser() if text else usual


def defaults() -> dict[str, Value]:
    """The table's defaults by dotted key."""
    return {key.name: key.default for key in KEYS if key.default is not None}


def settings_from(values: Mapping[str, Value]) -> Settings:
    """Settings of checked values, one for every key of the table.

    Raises:
        HitloopError: values contradict each other; the message says which.
    """
    transport, sync, midi, audio, osc, gen = (
        _Reader(values, f"{section}.") for section in ("transport", "sync", "midi", "audio", "osc", "gen")
    )
    return Settings(
        transport=TransportSettings(transport.number("bpm"), transport.flag("autostart")),
        sync=SyncSettings(
            sync.text("source"), sync.text("lost"), sync.flag("restart_on_start"), sync.number("offset_ms")
        ),
        midi=_midi(midi),
        audio=AudioSettings(
            audio.text("backend"),
            audio.text("device"),
            audio.whole("rate"),
            audio.whole("block"),
            audio.text("latency"),
            audio.number("offset_ms"),
            audio.text("input"),
        ),
        osc=OscSettings(
            osc.text("host"),
            osc.whole("port"),
            osc.whole("tcp_port"),
            osc.whole("slip_port"),
            osc.texts("allow"),
            osc.number("max_ahead_s"),
        ),
        gen=GenSettings(
            gen.text("model"),
            gen.text("style"),
            gen.number("energy"),
            gen.number("temperature"),
            gen.whole("seed"),
            gen.whole("auto"),
            gen.whole("root"),
            gen.text("scale"),
            Path(gen.text("dataset")).expanduser() if gen.text("dataset") else None,
        ),
        feel=_feel(_Reader(values, "feel.")),
        kit=_Reader(values).text("kit"),
        control_midi=_control(_Reader(values)),
        paths=_paths(_Reader(values)),
        log_level=_Reader(values).text("log.level"),
        values=dict(values),
    )


def output_from(row: Mapping[str, Value], map_name: str) -> MidiOutput:
    """One output of the config; fields that are not there have the table's default.

    Raises:
        HitloopError: the row contradicts itself.
    """
    read = _Reader({**_OUTPUT, "map": map_name, **row})
    spec = OutputSpec(
        name=read.text("name"),
        routes=_routes(read),
        offset_ms=read.number("offset_ms"),
        clock=read.flag("clock"),
        clock_when_stopped=read.flag("clock_when_stopped"),
        notes=read.flag("notes"),
        min_gap_ms=read.number("min_gap_ms"),
    )
    _one_port(f"output '{spec.name}'", read.text("port"), virtual=read.flag("virtual"))
    return MidiOutput(spec, read.text("port"), read.flag("virtual"))


def input_from(row: Mapping[str, Value]) -> MidiInput:
    """One input of the config.

    Raises:
        HitloopError: the row contradicts itself.
    """
    read = _Reader({**_INPUT, **row})
    _one_port(f"input '{read.text('name')}'", read.text("port"), virtual=read.flag("virtual"))
    return MidiInput(
        read.text("name"), read.text("port"), read.flag("virtual"), read.flag("clock"), read.flag("control")
    )


def _field_defaults(key_name: str) -> dict[str, Value]:
    fields = next(key.fields for key in KEYS if key.name == key_name)
    return {item.name: item.default for item in fields if item.default is not None}


_OUTPUT = _field_defaults("midi.outputs")
_INPUT = _field_defaults("midi.inputs")


def _midi(read: _Reader) -> MidiSettings:
    return MidiSettings(
        backend=read.text("backend"),
        client_name=read.text("client_name"),
        map=read.text("map"),
        outputs=tuple(output_from(row, read.text("map")) for row in read.rows("outputs")),
        inputs=tuple(input_from(row) for row in read.rows("inputs")),
        cc123_on_stop=read.flag("cc123_on_stop"),
    )


def _routes(read: _Reader) -> dict[Lane, Route]:
    lanes = read.value("lanes")
    assert isinstance(lanes, Mapping)
    routes: dict[Lane, Route] = {}
    for lane, route in preset(read.text("map")).items():
        own = lanes.get(lane.value, {})
        assert isinstance(own, Mapping)
        if own.get("send", True):
            routes[lane] = _route(route, own)
    return routes


def _route(base: Route, own: Mapping[str, Value]) -> Route:
    read = _Reader(
        {
            "channel": base.channel,
            "note": base.note,
            "gate": base.gate,
            "curve": base.curve.value,
            "transpose": base.transpose,
            "offset_ms": base.offset_ms,
            **own,
        }
    )
    return Route(
        read.whole("channel"),
        read.whole("note"),
        read.number("gate"),
        Curve(read.text("curve")),
        read.whole("transpose"),
        read.number("offset_ms"),
    )


def _one_port(what: str, port: str, *, virtual: bool) -> None:
    if bool(port) == virtual:
        how = "both a port pattern and virtual: true" if virtual else "neither a port pattern nor virtual: true"
        raise HitloopError(f"{what} has {how}; expected one of the two.")


def _feel(read: _Reader) -> FeelSettings:
    swing = read.value("swing")
    if isinstance(swing, Mapping):
        own = _Reader({lane.value: STRAIGHT for lane in LANES} | dict(swing))
        return FeelSettings({lane: own.number(lane.value) for lane in LANES}, read.number("humanise"))
    return FeelSettings(dict.fromkeys(LANES, read.number("swing")), read.number("humanise"))


def _control(read: _Reader) -> str | tuple[Mapping[str, Value], ...]:
    value = read.value("control.midi")
    return value if isinstance(value, str) else read.rows("control.midi")


def _paths(read: _Reader) -> PathSettings:
    usual = user_dirs()
    capture = read.text("capture.dir")
    return PathSettings(
        state=read.path("paths.state", usual.state),
        cache=read.path("paths.cache", usual.cache),
        library=read.path("paths.library", usual.library),
        capture=Path(capture).expanduser() if capture else None,
    )


def _tuple(value: Value) -> tuple[Value, ...]:
    assert isinstance(value, tuple)
    return value
