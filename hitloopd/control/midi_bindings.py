"""What a controller file says: which note, knob or program does what. All its mistakes are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, cast

from hitloopd.control.lookup import ENDPOINTS, unknown
from hitloopd.control.midi_decode import TOP14
from hitloopd.control.midi_takeover import Takeover
from hitloopd.control.spec import Access, Arg, Endpoint, Kind
from hitloopd.core.errors import ConfigError, HitloopError, nearest
from hitloopd.ports.surface import Value

TYPES: Final = {
    # type in the file -> the kind of move it listens to
    "note": "note",
    "cc": "cc",
    "cc14": "cc14",
    "nrpn": "nrpn",
    "program": "program",
    "pitchbend": "pitchbend",
    "relative_twos": "cc",  # 1 is one up, 127 is one down
    "relative_offset": "cc",  # 65 is one up, 63 is one down
    "relative_sign": "cc",  # 1 is one up, 65 is one down
}
MODES: Final = ("trigger", "toggle", "hold", "value")
NUMBERED: Final = {"note": 127, "cc": 127, "cc14": 31, "nrpn": TOP14 - 1}


@dataclass(frozen=True, slots=True)
class Binding:
    """One line of a controller file.

    Args:
        type: one of ``TYPES``.
        address: of the table; aliases are fine.
        channel: 1..16; 0 is any.
        number: note, controller or NRPN; -1 for program and pitch bend: any.
        args: sent with a press, or after the value.
        mode: trigger (on press), toggle (flips), hold (1 while down), value (the range); default by type.
        min: what the lowest position means; default the least of the address.
        max: what the highest position means; may be below ``min``.
        values: words for addresses that take one: by program number, or spread over the knob.
        takeover: for ``value``.
        step: of a relative knob per click; default a hundredth of the range, 1 for whole numbers.
        port: part of the port's name; empty is any.
    """

    type: str
    address: str
    channel: int = 0
    number: int = -1
    args: tuple[Value, ...] = ()
    mode: str = "trigger"
    min: float = 0.0
    max: float = 1.0
    values: tuple[str, ...] = ()
    takeover: Takeover = Takeover.JUMP
    step: float = 0.0
    port: str = ""
    endpoint: Endpoint = field(default_factory=lambda: ENDPOINTS["/play"], repr=False)

    @property
    def kind(self) -> str:
        """The kind of move it listens to."""
        return TYPES[self.type]

    @property
    def relative(self) -> bool:
        """An endless knob that tells steps."""
        return self.type.startswith("relative")

    @property
    def whole(self) -> bool:
        """Its values are whole numbers."""
        return self.mode == "value" and not self.values and self.endpoint.row.args[0].kind is Kind.INT


KEYS: Final = tuple(f.name for f in fields(Binding) if f.name != "endpoint")


def parse_bindings(data: object, source: str = "controller") -> tuple[Binding, ...]:
    """The bindings of a controller file: a mapping with ``bindings``, a list.

    Args:
        data: as YAML gave it.
        source: file name, for the messages.

    Raises:
        ConfigError: something is wrong; one line for every mistake.
    """
    whole: Mapping[str, Any] = cast("Mapping[str, Any]", data) if isinstance(data, Mapping) else {}
    if not isinstance(whole.get("bindings"), list):
        raise ConfigError([f"{source}: expected a mapping with 'bindings', a list."])
    problems = [
        f"{source}: unknown key '{key}'.{nearest(str(key), ('name', 'port', 'bindings'))}"
        for key in whole
        if key not in ("name", "port", "bindings")
    ]
    found: list[Binding] = []
    for index, row in enumerate(cast("list[object]", whole["bindings"])):
        reader = _Reader(f"{source}: bindings[{index}]", row, str(whole.get("port", "")))
        binding = reader.read()
        problems += reader.problems
        if binding is not None:
            found.append(binding)
    if problems:
        raise ConfigError(problems)
    return tuple(found)


class _Reader:
    """Reads one binding and remembers all that is wrong with it."""

    def __init__(self, where: str, row: object, port: str) -> None:
        self.problems: list[str] = []
        self._where = where
        self._row: Mapping[str, Any] = _spelled_out(cast("Mapping[str, Any]", row)) if isinstance(row, Mapping) else {}
        self._port = port
        if not isinstance(row, Mapping):
            self._bad("", "expected a mapping such as {type: note, number: 36, address: /regenerate}")

    def read(self) -> Binding | None:
        if self.problems:
            return None
        for key in self._row:
            if key not in KEYS:
                self._bad(key, f"unknown key.{nearest(str(key), KEYS)}")
        kind = self._choice("type", TYPES, "")
        endpoint = self._endpoint()
        if self.problems or endpoint is None:
            return None
        mode = self._choice("mode", MODES, _default_mode(kind, endpoint))
        args = tuple(cast("list[Value]", self._list("args")))
        target = endpoint.row.args[0] if endpoint.row.args else None
        values = tuple(str(word) for word in self._list("values")) or (target.choices if target else ())
        low, high = (target.low, target.high) if target else (0.0, 1.0)
        binding = Binding(
            type=kind,
            address=endpoint.path,
            channel=int(self._number("channel", 0, 0, 16)),
            number=int(self._number("number", -1, 0, NUMBERED[TYPES[kind]])) if TYPES[kind] in NUMBERED else -1,
            args=args,
            mode=mode,
            min=self._number("min", low, low, high),
            max=self._number("max", high, low, high),
            values=values,
            takeover=Takeover(self._choice("takeover", tuple(Takeover), Takeover.JUMP)),
            step=self._number("step", 0.0, 0.0, high - low),
            port=str(self._row.get("port", self._port)),
            endpoint=endpoint,
        )
        self._fits(binding, target)
        return None if self.problems else binding

    def _fits(self, binding: Binding, target: Arg | None) -> None:
        """Whether the address takes what the control will send."""
        if TYPES[binding.type] in NUMBERED and binding.number < 0 and "number" not in self._row:
            self._bad("number", "is missing")
        if binding.mode == "value" and target is None:
            self._bad("mode", f"{binding.address} takes no value; use trigger")
        elif binding.mode == "value" and target is not None and target.kind is Kind.STRING and not binding.values:
            self._bad("values", f"{binding.address} takes a word: list them, one for each program or part of the knob")
        elif binding.mode in ("toggle", "hold") and (target is None or target.kind is not Kind.BOOL):
            self._bad("mode", f"{binding.address} is not on or off; {binding.mode} needs that")
        elif binding.mode == "trigger":
            try:
                binding.endpoint.call(binding.args, 0)
            except HitloopError as error:
                self._bad("args", str(error))

    def _endpoint(self) -> Endpoint | None:
        address = str(self._row.get("address", ""))
        endpoint = ENDPOINTS.get(address)
        if endpoint is None:
            self._bad("address", unknown(address) if address else "is missing")
        elif not endpoint.row.access & Access.WRITE or endpoint.row.build is None:
            self._bad("address", f"{address} can't be set")
        else:
            return endpoint
        return None

    def _choice(self, key: str, valid: Iterable[str], default: str) -> str:
        value = str(self._row.get(key, default))
        if value not in valid:
            self._bad(key, f"must be one of {', '.join(valid)}, got '{value}'.{nearest(value, valid)}")
            return default
        return value

    def _number(self, key: str, default: float, low: float, high: float) -> float:
        value = self._row.get(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or (key in self._row and not low <= value <= high)
        ):
            self._bad(key, f"must be a number {low:g} to {high:g}, got {value!r}")
            return default
        return value

    def _list(self, key: str) -> list[Any]:
        value = self._row.get(key, [])
        if not isinstance(value, list):
            self._bad(key, f"must be a list, got {value!r}")
            return []
        return cast("list[Any]", value)

    def _bad(self, key: str, text: str) -> None:
        dot = "." if key else ""
        self.problems.append(f"{self._where}{dot}{key}: {text}")


def _spelled_out(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """``{note: 36}`` is short for ``{type: note, number: 36}``; the same for every type that has a number."""
    short = [kind for kind in TYPES if kind in row and TYPES[kind] in NUMBERED]
    if len(short) != 1 or "type" in row or "number" in row:
        return row
    rest = {key: value for key, value in row.items() if key != short[0]}
    return {"type": short[0], "number": row[short[0]], **rest}


def _default_mode(kind: str, endpoint: Endpoint) -> str:
    if endpoint.row.acts_bare or kind == "note":
        return "trigger"
    return "value" if endpoint.row.args else "trigger"
