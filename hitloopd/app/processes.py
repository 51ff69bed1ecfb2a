"""Which processes there are, what each is started with, and how they are linked. One table."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.context import SpawnContext
from typing import Any, Final

from hitloopd.app.options import RunOptions
from hitloopd.app.outputs import audio_spec, audio_wanted
from hitloopd.app.resources import folders, places
from hitloopd.app.settings import Settings
from hitloopd.app.store import STORE_BYTES
from hitloopd.io.link import Link, pair

PLAYER: Final = "player"
CONTROL: Final = "control"
GENERATOR: Final = "generator"
AUDIO: Final = "audio"
ORDER: Final = (PLAYER, AUDIO, GENERATOR, CONTROL)
"""How they are ended: notes first, and last the one that sums up."""

_BODIES: Final[Mapping[str, str]] = {
    PLAYER: "hitloopd.app.player_process",
    CONTROL: "hitloopd.app.control_process",
    GENERATOR: "hitloopd.app.generator_process",
    AUDIO: "hitloopd.app.audio_process",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is started, in this order, and with what (after the link to the supervisor)."""

    names: tuple[str, ...]
    arguments: Mapping[str, tuple[object, ...]]
    links: tuple[Link, ...]

    def close(self) -> None:
        """Let the links between the processes go."""
        for link in self.links:
            link.close()


def plan(settings: Settings, options: RunOptions, context: SpawnContext) -> Plan:
    """The processes of a daemon with these settings."""
    player_control, control_player = pair()
    control_generator, generator_control = pair()
    links = [player_control, control_player, control_generator, generator_control]
    memory: Any = context.RawArray("B", STORE_BYTES)
    sound = audio_wanted(settings)
    control_audio = player_audio = audio_control = audio_player = None
    if sound:
        control_audio, audio_control = pair()
        player_audio, audio_player = pair()
        links += [control_audio, audio_control, player_audio, audio_player]
    spec = audio_spec(settings, folders("kit", settings.paths.library), options.capture_name)
    arguments: dict[str, tuple[object, ...]] = {
        PLAYER: (settings, spec.lead_ns, player_control, player_audio, memory),
        CONTROL: (settings, options, control_player, control_generator, control_audio),
        GENERATOR: (generator_control, places(settings.paths.library, settings.gen.dataset)),
        AUDIO: (spec, audio_control, audio_player),
    }
    names = (PLAYER, CONTROL, GENERATOR, AUDIO) if sound else (PLAYER, CONTROL, GENERATOR)
    return Plan(names, {name: arguments[name] for name in names}, tuple(links))


def child(name: str, supervisor: Link, *arguments: object) -> None:
    """A process's first function: leave the signals to the supervisor, then do the work."""
    for word in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, word, None)
        if number is not None:
            signal.signal(number, signal.SIG_IGN)
    body: Callable[..., None] = import_module(_BODIES[name]).run
    body(supervisor, *arguments)
