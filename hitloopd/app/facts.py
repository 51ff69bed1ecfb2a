"""What the control process knows: the newest word of every other process. One owner: the control loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hitloopd.core.notices import PlayerHealth
from hitloopd.core.routes import OutputSpec
from hitloopd.core.time import NS_PER_S, TICKS_PER_BEAT, TICKS_PER_CLOCK
from hitloopd.core.transport import Position, State, Transport
from hitloopd.io.audio_messages import AudioHealth


@dataclass(slots=True)
class Facts:
    """Mirrors, not masters: each is replaced when its owner tells anew."""

    transport: Transport = field(default_factory=Transport)
    outputs: tuple[OutputSpec, ...] = ()
    player: PlayerHealth = field(default_factory=PlayerHealth)
    audio: AudioHealth | None = None
    audio_text: str = ""
    processes: Mapping[str, tuple[bool, int, int]] = field(default_factory=dict[str, tuple[bool, int, int]])
    pool: int = 0
    ready_answers: int = 0
    made_answers: int = 0
    given_up: int = 0
    model_hash: str = ""
    refused: dict[str, str] = field(default_factory=dict[str, str])
    bar_pattern_id: str = ""
    bar_line_ns: int = 0
    exported: str = ""
    listening: tuple[str, float, str] = ("idle", 0.0, "")
    osc_port: int = 0
    now_ns: Callable[[], int] = time.monotonic_ns
    _place: tuple[int, int] = (0, 0)

    @property
    def playing(self) -> bool:
        """The transport runs."""
        return self.transport.state is State.PLAYING

    def moved(self, transport: Transport) -> None:
        """The player said how its transport is; a beat that it told ahead of time has been told all the same."""
        told_ahead = self._place[0] - transport.position.tick
        goes_on = self.playing and transport.state is State.PLAYING
        self.transport = transport
        if not (goes_on and 0 < told_ahead <= TICKS_PER_CLOCK):
            self._place = transport.position.tick, self.now_ns()

    def beat(self, tick: int, at_ns: int) -> None:
        """A beat began."""
        self._place = tick, at_ns

    @property
    def position(self) -> Position:
        """Where the song is: counted on from what was told last, but never into a beat that has not been told."""
        if not self.playing:
            return self.transport.position
        tick, at_ns = self._place
        since = max(self.now_ns() - at_ns, 0) / NS_PER_S * self.transport.bpm / 60
        return Position(min(tick + int(since * TICKS_PER_BEAT), tick - tick % TICKS_PER_BEAT + TICKS_PER_BEAT - 1))
