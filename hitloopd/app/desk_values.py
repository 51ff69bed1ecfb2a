"""The value in force of every address: what a question is answered with. One row per row of the address table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final

from hitloopd.app.facts import Facts
from hitloopd.app.slot_values import SOUND_LOOKS
from hitloopd.app.wardrobe import Wardrobe
from hitloopd.control.lookup import ENDPOINTS
from hitloopd.control.spec import Endpoint
from hitloopd.core.energy import measure
from hitloopd.core.errors import UnknownNameError
from hitloopd.core.feel import STRAIGHT
from hitloopd.core.pattern import Lane
from hitloopd.ports.surface import Value
from hitloopd.session.heard import base, heard
from hitloopd.session.state import SessionState

Values = tuple[Value, ...]


class DeskValues:
    """Looks addresses up in the session and the facts.

    Args:
        facts: mirrors of the other processes.
        present: gives the user's state.
        wardrobe: knows the kits.
    """

    def __init__(self, facts: Facts, present: Callable[[], SessionState], wardrobe: Wardrobe) -> None:
        self._facts = facts
        self._present = present
        self._wardrobe = wardrobe

    def value(self, address: str) -> Values:
        """The value in force.

        Raises:
            UnknownNameError: there is no such address, or nothing to ask there.
        """
        endpoint = ENDPOINTS.get(address)
        if endpoint is not None and (look := _LOOKS.get(endpoint.row.template)) is not None:
            return look(self._facts, self._present(), endpoint)
        if endpoint is not None and (sound := SOUND_LOOKS.get(endpoint.row.template)) is not None:
            return sound(self._wardrobe, self._present(), endpoint.lane)
        raise UnknownNameError(f"{address} can't be asked.")


def status(facts: Facts, state: SessionState) -> dict[str, object]:
    """What plays, for ``status`` and displays."""
    pattern = heard(state)
    transport = facts.transport
    return {
        "state": transport.state.value,
        "bpm": transport.bpm,
        "bar": facts.position.bar,
        "beat": facts.position.beat,
        "source": transport.source.value,
        "clock": transport.clock.value,
        "pattern": pattern.id,
        "energy": measure(pattern.notes).value,
        "knob": state.energy,
        "generator": state.current.provenance.generator,
        "model": state.current.provenance.model,
        "style": state.style,
        "seed": state.current.provenance.seed,
        "kit": state.kit,
        "locks": sorted(state.locks),
        "mutes": sorted(state.mutes),
        "auto_bars": state.auto_bars,
        "osc_port": facts.osc_port,
        "sound": facts.audio_text,
    }


def health(facts: Facts) -> dict[str, object]:
    """The counters of every process, for ``sys/health``."""
    player = asdict(facts.player)
    return {
        "processes": {
            name: {"alive": alive, "restarts": restarts, "pid": pid}
            for name, (alive, restarts, pid) in facts.processes.items()
        },
        "player": player,
        "audio": asdict(facts.audio) if facts.audio is not None else {"device": facts.audio_text},
        "generator": {
            "pool": facts.pool,
            "ready": facts.ready_answers,
            "made": facts.made_answers,
            "given_up": facts.given_up,
            "refused": dict(facts.refused),
        },
    }


def provenance(state: SessionState) -> dict[str, object]:
    """Who made the bar from what, and what the user changed by hand."""
    pattern = base(state)
    data = pattern.as_json()["provenance"]
    assert isinstance(data, dict)
    edits = [[lane.value, cell] for lane, cell in sorted(state.edits)]
    return {"id": pattern.id, **data, "edits": edits, "locks": sorted(state.locks)}


def _lane(endpoint: Endpoint) -> Lane:
    assert endpoint.lane is not None
    return endpoint.lane


def _route_value(facts: Facts, lane: Lane, name: str) -> Value:
    for spec in facts.outputs:
        if spec.notes and lane in spec.routes:
            value = getattr(spec.routes[lane], name)
            assert isinstance(value, int | float)
            return value
    return 0


def _cell(_: Facts, state: SessionState, endpoint: Endpoint) -> Values:
    notes = [n for n in heard(state).notes if n.lane is endpoint.lane and n.cell == endpoint.cell]
    return (round(notes[0].velocity, 3), notes[0].pitch) if notes else (0.0, 0)


def _json(data: object) -> Values:
    return (json.dumps(data, separators=(",", ":")),)


_State = Callable[[Facts, SessionState, Endpoint], Values]

_LOOKS: Final[Mapping[str, _State]] = {
    "/transport/play": lambda f, s, e: (f.transport.state.value,),
    "/transport/stop": lambda f, s, e: (f.transport.state.value,),
    "/transport/continue": lambda f, s, e: (f.transport.state.value,),
    "/transport/bpm": lambda f, s, e: (f.transport.bpm,),
    "/transport/tap": lambda f, s, e: (f.transport.bpm,),
    "/transport/position": lambda f, s, e: (f.position.sixteenth,),
    "/sync/source": lambda f, s, e: (f.transport.source.value,),
    "/sync/offset_ms": lambda f, s, e: tuple(v for o in f.outputs for v in (o.offset_ms, o.name)) or (0.0, ""),
    "/sync/status": lambda f, s, e: (f.transport.clock.value, f.transport.source.value, f.transport.bpm),
    "/gen/regenerate": lambda f, s, e: (s.seed,),
    "/gen/calmer": lambda f, s, e: (s.energy,),
    "/gen/energetic": lambda f, s, e: (s.energy,),
    "/gen/energy": lambda f, s, e: (s.energy,),
    "/gen/temperature": lambda f, s, e: (s.temperature,),
    "/gen/morph": lambda f, s, e: (s.morph,),
    "/gen/seed": lambda f, s, e: (s.seed if s.next_seed is None else s.next_seed,),
    "/gen/model": lambda f, s, e: (s.model,),
    "/gen/style": lambda f, s, e: (s.style,),
    "/gen/auto": lambda f, s, e: (s.auto_bars,),
    "/gen/humanise": lambda f, s, e: (s.humanise,),
    "/lane/<lane>/regenerate": lambda f, s, e: (s.seed,),
    "/lane/<lane>/lock": lambda f, s, e: (int(_lane(e) in s.locks),),
    "/lane/<lane>/mute": lambda f, s, e: (int(_lane(e) in s.mutes),),
    "/lane/<lane>/density": lambda f, s, e: (s.densities.get(_lane(e), "auto"),),
    "/lane/<lane>/swing": lambda f, s, e: (s.swing.get(_lane(e), STRAIGHT),),
    "/lane/<lane>/note": lambda f, s, e: (_route_value(f, _lane(e), "note"),),
    "/lane/<lane>/channel": lambda f, s, e: (_route_value(f, _lane(e), "channel"),),
    "/lane/<lane>/offset_ms": lambda f, s, e: (_route_value(f, _lane(e), "offset_ms"),),
    "/lane/<lane>/cell/<cell>": _cell,
    "/pattern/get": lambda f, s, e: _json({"id": s.current.id, **heard(s).as_json()}),
    "/pattern/set": lambda f, s, e: (heard(s).id,),
    "/pattern/undo": lambda f, s, e: (heard(s).id,),
    "/pattern/redo": lambda f, s, e: (heard(s).id,),
    "/pattern/export": lambda f, s, e: (f.exported,),
    "/pattern/provenance": lambda f, s, e: _json(provenance(s)),
    "/kit/load": lambda f, s, e: (s.kit,),
    "/kit/listen": lambda f, s, e: f.listening,
    "/sys/status": lambda f, s, e: _json(status(f, s)),
    "/sys/health": lambda f, s, e: _json(health(f)),
    "/sys/panic": lambda f, s, e: (1,),
}
