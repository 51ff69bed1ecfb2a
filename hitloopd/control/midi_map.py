"""MIDI control: notes, knobs and program changes onto the table of addresses. Sans-I/O.

What comes out goes through ``perform`` like any other use of an address, so ranges, locks and errors are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hitloopd.control.midi_bindings import Binding
from hitloopd.control.midi_decode import MidiDecoder, Move
from hitloopd.control.midi_takeover import Knob
from hitloopd.core.errors import HitloopError
from hitloopd.ports.surface import Value

Use = tuple[str, tuple[Value, ...]]


@dataclass(slots=True)
class _Bound:
    binding: Binding
    knob: Knob
    down: bool = False


@dataclass(slots=True)
class MidiControl:
    """The bindings at work.

    Args:
        bindings: of all controllers.
        current: the value in force of an address, for toggles, endless knobs and soft takeover; may raise
            ``HitloopError``.
        decoder: counts what is no MIDI.
    """

    bindings: Iterable[Binding]
    current: Callable[[str], tuple[Value, ...]]
    decoder: MidiDecoder = field(default_factory=MidiDecoder)
    _bound: dict[tuple[str, int], list[_Bound]] = field(default_factory=dict[tuple[str, int], "list[_Bound]"])

    def __post_init__(self) -> None:
        for binding in self.bindings:
            key = (binding.kind, max(binding.number, 0))
            self._bound.setdefault(key, []).append(_Bound(binding, Knob(binding.takeover)))

    def receive(self, port: str, data: bytes, at_ns: int) -> list[Use]:
        """What one message asks for: addresses with their arguments, in the order of the file.

        Never raises. Thread: control loop. Real-time: no.
        """
        del at_ns  # taps and ramps take the moment where they are performed
        return [use for move in self.decoder.feed(port, data) for use in self._uses(port, move)]

    def _uses(self, port: str, move: Move) -> Iterable[Use]:
        for bound in self._bound.get((move.kind, move.number), ()):
            binding = bound.binding
            if binding.channel in (0, move.channel) and binding.port.lower() in port.lower():
                use = self._use(bound, move)
                if use is not None:
                    yield binding.address, use

    def _use(self, bound: _Bound, move: Move) -> tuple[Value, ...] | None:
        binding = bound.binding
        if binding.mode == "value":
            if move.kind == "note" and move.raw == 0:
                return None  # a velocity is a value, letting go is not
            value = self._stepped(binding, move.raw) if binding.relative else self._placed(bound, move)
            return None if value is None else (value, *binding.args)
        was, bound.down = bound.down, _is_down(move)
        pressed = bound.down and (not was or move.kind in ("note", "program"))
        if binding.mode == "hold":
            return (bound.down, *binding.args) if bound.down != was else None
        if not pressed:
            return None
        return (not self._share(binding), *binding.args) if binding.mode == "toggle" else binding.args

    def _placed(self, bound: _Bound, move: Move) -> Value | None:
        """The value that an absolute control stands for."""
        binding = bound.binding
        if binding.values:
            index = move.raw if move.kind == "program" else move.raw * len(binding.values) // (move.top + 1)
            return binding.values[index] if index < len(binding.values) else None
        if move.kind == "program":
            # A program number is a number, not a share of a range.
            return move.raw if binding.min <= move.raw <= binding.max else None
        share = bound.knob.move(move.raw / move.top, self._share(binding))
        return None if share is None else _value(binding, binding.min + share * (binding.max - binding.min))

    def _stepped(self, binding: Binding, raw: int) -> Value | None:
        """The value that an endless knob moves to."""
        share, span = self._share(binding), binding.max - binding.min
        if binding.values:
            return self._next_word(binding, _clicks(binding.type, raw))
        if share is None:
            return None
        step = binding.step or (1.0 if binding.whole else abs(span) / 100)
        value = binding.min + share * span + _clicks(binding.type, raw) * (step if span >= 0 else -step)
        low, high = sorted((binding.min, binding.max))
        return _value(binding, min(max(value, low), high))

    def _next_word(self, binding: Binding, clicks: int) -> Value | None:
        now = self._now(binding)
        place = binding.values.index(str(now)) if now in binding.values else 0
        return binding.values[min(max(place + clicks, 0), len(binding.values) - 1)]

    def _share(self, binding: Binding) -> float | None:
        """Where the value in force lies in the binding's range, 0..1; ``None`` where it has none."""
        now = self._now(binding)
        if now is None or isinstance(now, str) or binding.max == binding.min:
            return None
        return min(max((float(now) - binding.min) / (binding.max - binding.min), 0.0), 1.0)

    def _now(self, binding: Binding) -> Value | None:
        try:
            values = self.current(binding.endpoint.address)
        except HitloopError:
            return None
        return values[0] if values else None


def _is_down(move: Move) -> bool:
    """Notes by any velocity, programs always, other controls from the middle up."""
    return move.kind == "program" or (move.raw > 0 if move.kind == "note" else 2 * move.raw > move.top)


def _clicks(kind: str, raw: int) -> int:
    match kind:
        case "relative_offset":
            return raw - 64
        case "relative_sign":
            return raw if raw < 64 else 64 - raw
        case _:
            return raw if raw < 64 else raw - 128


def _value(binding: Binding, value: float) -> Value:
    return round(value) if binding.whole else round(value, 6)
