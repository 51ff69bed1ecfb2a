"""From settings to the session: what the config says at start, and what a changed config changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from hitloopd.app.settings import Settings
from hitloopd.core.commands import (
    Command,
    LoadKit,
    Regenerate,
    SetAuto,
    SetEnergy,
    SetHumanise,
    SetModel,
    SetSource,
    SetStyle,
    SetSwing,
    SetTemperature,
    SetTempo,
)
from hitloopd.core.pattern import LANES
from hitloopd.core.transport import Source
from hitloopd.session.state import SessionState

REMEMBERED: Final = ("transport.bpm", "gen.", "feel.", "kit")
"""Keys whose change between two runs is a wish: where the config says something new, it wins over the journal."""


def first_state(settings: Settings) -> SessionState:
    """The session where there is no journal."""
    gen = settings.gen
    return SessionState(
        knob=gen.energy,
        swing=dict(settings.feel.swing),
        humanise=settings.feel.humanise,
        temperature=gen.temperature,
        seed=gen.seed,
        groove_seed=gen.seed,
        model=gen.model,
        style=gen.style,
        root=gen.root,
        scale=gen.scale,
        auto_bars=gen.auto,
        kit=settings.kit,
    )


def remembered(settings: Settings) -> dict[str, object]:
    """The config's part in the session, for the journal's memo."""
    return {name: repr(value) for name, value in settings.values.items() if name.startswith(REMEMBERED)}


def wishes(settings: Settings, memo: Mapping[str, object], named: Iterable[str]) -> tuple[str, ...]:
    """The keys that were changed since the last run, or are named on the command line."""
    now = remembered(settings)
    return tuple(name for name in now if memo.get(name) != now[name] or name in set(named))


def with_key(state: SessionState, settings: Settings) -> SessionState:
    """Root and scale have no command: they hold for the next bars."""
    return dataclasses.replace(state, root=settings.gen.root, scale=settings.gen.scale)


_COMMANDS: Final[Mapping[str, tuple[str, Callable[[Settings], Command]]]] = {
    "transport.bpm": ("/hitloop/transport/bpm", lambda s: SetTempo(s.transport.bpm)),
    "sync.source": ("/hitloop/sync/source", lambda s: SetSource(Source(s.sync.source))),
    "gen.model": ("/hitloop/gen/model", lambda s: SetModel(s.gen.model)),
    "gen.style": ("/hitloop/gen/style", lambda s: SetStyle(s.gen.style)),
    "gen.energy": ("/hitloop/gen/energy", lambda s: SetEnergy(s.gen.energy)),
    "gen.temperature": ("/hitloop/gen/temperature", lambda s: SetTemperature(s.gen.temperature)),
    "gen.auto": ("/hitloop/gen/auto", lambda s: SetAuto(s.gen.auto)),
    "feel.humanise": ("/hitloop/gen/humanise", lambda s: SetHumanise(s.feel.humanise)),
    "kit": ("/hitloop/kit/load", lambda s: LoadKit(s.kit, anywhere=True)),
}
_NEW_BAR: Final = frozenset({"gen.model", "gen.style", "gen.seed", "gen.root", "gen.scale", "gen.temperature"})


def commands_for(names: Iterable[str], settings: Settings) -> list[tuple[str, Command]]:
    """(address, command) for keys that changed; a new bar last, where one of them asks for it."""
    wanted = tuple(names)
    out: list[tuple[str, Command]] = [
        (address, build(settings)) for name, (address, build) in _COMMANDS.items() if name in wanted
    ]
    if "feel.swing" in wanted:
        out += [(f"/hitloop/lane/{lane}/swing", SetSwing(lane, settings.feel.swing[lane])) for lane in LANES]
    if _NEW_BAR.intersection(wanted):
        out.append(("/hitloop/gen/regenerate", Regenerate(seed=settings.gen.seed)))
    return out
