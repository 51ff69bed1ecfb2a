"""What the control process knows: the newest word of every other process. One owner: the control loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hitloopd.core.notices import PlayerHealth
from hitloopd.core.routes import OutputSpec
from hitloopd.core.transport import State, Transport
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
    model_hash: str = ""
    bar: int = 0
    bar_pattern_id: str = ""
    bar_line_ns: int = 0
    pattern_id: str = ""
    exported: str = ""
    osc_port: int = 0
    lines: list[str] = field(default_factory=list[str])

    @property
    def playing(self) -> bool:
        """The transport runs."""
        return self.transport.state is State.PLAYING
