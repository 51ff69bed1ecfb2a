"""A desk that remembers: for tests of control surfaces, here and in plug-ins.

Faithful in what a surface can see: answers exactly once, at once or later, with the value in force; a refused command
changes nothing; a value that nobody set can't be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import cast

from hitloopd.core import commands as cmd
from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import Lane, Pattern
from hitloopd.ports.surface import Accepted, Outcome, Rejected, Value

_STATES = {cmd.Play: "playing", cmd.Stop: "stopped", cmd.Continue: "playing"}


def _start_values() -> dict[str, tuple[Value, ...]]:
    values: dict[str, tuple[Value, ...]] = {
        "/hitloop/transport/bpm": (120.0,),
        "/hitloop/transport/position": (0,),
        "/hitloop/sync/source": ("internal",),
        "/hitloop/sync/offset_ms": (0.0,),
        "/hitloop/sync/status": ("none", "internal", 120.0),
        "/hitloop/gen/energy": (0.5,),
        "/hitloop/gen/temperature": (1.0,),
        "/hitloop/gen/morph": (1.0,),
        "/hitloop/gen/seed": (1,),
        "/hitloop/gen/model": ("rules",),
        "/hitloop/gen/style": ("house",),
        "/hitloop/gen/auto": (0,),
        "/hitloop/gen/humanise": (0.0,),
        "/hitloop/pattern/get": ('{"root": 36, "notes": []}',),
        "/hitloop/pattern/provenance": ('{"generator": "none"}',),
        "/hitloop/kit/load": ("house",),
        "/hitloop/kit/list": ("house", "techno"),
        "/hitloop/kit/listen": ("idle", 0.0, ""),
        "/hitloop/sys/status": ('{"state": "stopped"}',),
        "/hitloop/sys/health": ('{"player": {"alive": true}}',),
    }
    for channel, lane in enumerate(Lane, 1):
        root = f"/hitloop/lane/{lane}"
        values |= {f"{root}/{name}": (False,) for name in ("lock", "mute")}
        values |= {f"{root}/density": ("auto",), f"{root}/swing": (0.5,), f"{root}/offset_ms": (0.0,)}
        values |= {f"{root}/channel": (channel,), f"{root}/note": (35 + channel,)}
        values |= {f"{root}/cell/{cell}": (0.0, 0) for cell in range(16)}
        values |= {f"/hitloop/slot/{lane}/{name}": (0.0,) for name in ("gain", "pan", "tune")}
        values |= {f"/hitloop/slot/{lane}/choke": ("",)}
        values[f"/hitloop/slot/{lane}/sample"] = (f"synth:house/{lane}", "", 0.0, "", 0.0, "hitloopd", "MIT")
    return values


@dataclass(slots=True)
class FakeDesk:
    """Fulfils ``ports.surface.Desk``.

    Args:
        bar: the bar of effect that answers name.
        hold: keep answers back until ``release``.
        refuse: address -> what to answer instead of carrying out.
        values: the value in force of every address.
        commands: all that was carried out, in order.
        history: most commands remembered; older ones only count.
    """

    bar: int = 1
    hold: bool = False
    refuse: dict[str, Rejected] = field(default_factory=dict[str, Rejected])
    values: dict[str, tuple[Value, ...]] = field(default_factory=_start_values)
    commands: list[cmd.Command] = field(default_factory=list[cmd.Command])
    count: int = 0
    history: int = 10_000
    _held: list[tuple[Callable[[Outcome], None], Outcome]] = field(
        default_factory=list[tuple[Callable[[Outcome], None], Outcome]]
    )

    def submit(self, address: str, command: cmd.Command, reply: Callable[[Outcome], None]) -> None:
        """Carry ``command`` out, unless ``refuse`` says otherwise. Thread: control loop. Real-time: no."""
        outcome: Outcome | None = self.refuse.get(address)
        if outcome is None:
            outcome = Accepted(self._carry_out(address, command), self.bar)
        if self.hold:
            self._held.append((reply, outcome))
        else:
            reply(outcome)

    def value(self, address: str) -> tuple[Value, ...]:
        """The value in force. Thread: control loop. Real-time: no."""
        if address not in self.values:
            raise UnavailableError(f"{address} can't be asked.")
        return self.values[address]

    def release(self) -> None:
        """Give the answers that were held back, in order."""
        held, self._held = self._held, []
        for reply, outcome in held:
            reply(outcome)

    def _carry_out(self, address: str, command: cmd.Command) -> tuple[Value, ...]:
        self.count += 1
        if len(self.commands) < self.history:
            self.commands.append(command)
        match command:
            case cmd.Play() | cmd.Stop() | cmd.Continue():
                return (_STATES[type(command)],)
            case cmd.Calmer() | cmd.Energetic():
                return self._nudge(-0.1 if isinstance(command, cmd.Calmer) else 0.1)
            case cmd.Regenerate(seed=seed):
                self.values["/hitloop/gen/seed"] = (self.count if seed is None else seed,)
                return self.values["/hitloop/gen/seed"]
            case cmd.SetPattern(pattern=pattern):
                return self._pattern(pattern)
            case cmd.Undo() | cmd.Redo() | cmd.Panic() | cmd.Tap() | cmd.ExportPattern():
                return (self.count,)
            case cmd.SetCell(velocity=velocity, pitch=pitch):
                self.values[address] = (0.0 if velocity is None else velocity, pitch)
            case cmd.SetTempo(bpm=bpm):
                self.values[address] = (bpm,)
            case _:
                self.values[address] = _own_values(command)
        return self.values[address]

    def _nudge(self, by: float) -> tuple[Value, ...]:
        energy = float(self.values["/hitloop/gen/energy"][0])
        self.values["/hitloop/gen/energy"] = (round(min(max(energy + by, 0.0), 1.0), 6),)
        return self.values["/hitloop/gen/energy"]

    def _pattern(self, pattern: Pattern) -> tuple[Value, ...]:
        return (pattern.id,)


_HOW = frozenset({"lane", "now", "anywhere", "use", "fill"})


def _own_values(command: cmd.Command) -> tuple[Value, ...]:
    """What a command carries besides its lane and how it is carried out, as its acknowledgement shows it."""
    found: list[Value] = []
    for value in (getattr(command, f.name) for f in fields(command) if f.name not in _HOW):
        if isinstance(value, Mapping):
            found += cast("Mapping[Lane, str]", value).values()
        elif isinstance(value, frozenset):
            found += sorted(cast("frozenset[str]", value))
        else:
            found.append("auto" if value is None else value)
    return tuple(found)
