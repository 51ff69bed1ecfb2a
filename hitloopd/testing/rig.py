"""A player on a bench: fake clock, recording outputs, every deadline visited in order.

>>> rig = Rig(OutputSpec("out", clock=True))
>>> rig.do(Play()); rig.run_for(1.0)
>>> rig.out("out").clocks_ns[:2]
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hitloopd.core.commands import Envelope, PlayerCommand
from hitloopd.core.notices import PlayerNotice
from hitloopd.core.routes import OutputSpec
from hitloopd.core.score import Score, ScoreNote
from hitloopd.core.time import NS_PER_S
from hitloopd.engine.player import Player, PlayerSpec


class FakeClock:
    """Monotonic time that only moves when told to."""

    def __init__(self, now_ns: int = 1_000_000_000) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        """Now."""
        return self.now_ns


@dataclass(slots=True)
class FakeOut:
    """A MidiOut that keeps what was sent, as (due ns, sent ns, tick, bytes)."""

    name: str
    clock: FakeClock
    lead_ns: int = 0
    sent: list[tuple[int, int, int, bytes]] = field(default_factory=list[tuple[int, int, int, bytes]])
    closed: bool = False

    def send(self, at_ns: int, tick: int, data: bytes) -> None:
        """Keep it."""
        self.sent.append((at_ns, self.clock(), tick, data))

    def flush(self) -> None:
        """Nothing is batched here."""

    def close(self) -> None:
        """Remember it."""
        self.closed = True

    @property
    def clocks_ns(self) -> list[int]:
        """When the clocks are due."""
        return [at for at, _, _, data in self.sent if data == b"\xf8"]

    @property
    def messages(self) -> list[tuple[int, bytes]]:
        """Everything but clocks, as (due ns, bytes)."""
        return [(at, data) for at, _, _, data in self.sent if data != b"\xf8"]

    def ons(self) -> list[tuple[int, int, int]]:
        """Note-ons as (due ns, channel 0..15, note)."""
        return [(at, d[0] & 15, d[1]) for at, _, _, d in self.sent if d[0] & 0xF0 == 0x90]

    def offs(self) -> list[tuple[int, int, int]]:
        """Note-offs as (due ns, channel 0..15, note)."""
        return [(at, d[0] & 15, d[1]) for at, _, _, d in self.sent if d[0] & 0xF0 == 0x80]


class Rig:
    """A player, its outputs and a clock that visits each deadline."""

    def __init__(self, *outputs: OutputSpec, spec: PlayerSpec | None = None) -> None:
        self.clock = FakeClock()
        self.outs = {o.name: FakeOut(o.name, self.clock, o.lead_ns) for o in outputs}
        self.player = Player(spec or PlayerSpec(), [(o, self.outs[o.name]) for o in outputs], self.clock)
        self.notices: list[PlayerNotice] = []
        self._token = 0
        self._deadline = self.clock()
        self._step()

    def out(self, name: str = "out") -> FakeOut:
        """A recording output."""
        return self.outs[name]

    def do(self, command: PlayerCommand) -> int:
        """Give a command now; the token its answer carries."""
        self._token += 1
        self.player.command(Envelope(self._token, command), self.clock())
        self._step()
        return self._token

    def receive(self, data: bytes, *, port: str = "in") -> None:
        """A MIDI message arrives now."""
        self.player.receive(port, self.clock(), data, clock=True, control=True)
        self._step()

    @property
    def deadline_ns(self) -> int:
        """When the player wants to be called next."""
        return self._deadline

    def run_until(self, end_ns: int) -> None:
        """Visit every deadline up to ``end_ns``."""
        steps = 0
        while self._deadline <= end_ns:
            self.clock.now_ns = max(self._deadline, self.clock.now_ns)
            before = self._deadline
            self._step()
            steps = steps + 1 if self._deadline == before else 0
            if steps > 100:
                raise AssertionError(f"the player asks for {before} ns again and again")
        self.clock.now_ns = end_ns
        self._step()

    def run_for(self, seconds: float) -> None:
        """Visit every deadline of the next ``seconds``."""
        self.run_until(self.clock() + round(seconds * NS_PER_S))

    def told(self, kind: type[PlayerNotice]) -> list[PlayerNotice]:
        """All notices of one kind so far."""
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def _step(self) -> None:
        self._deadline = self.player.step(self.clock())
        self.notices += self.player.take_notices()


def score(*notes: ScoreNote, pattern_id: str = "test") -> Score:
    """A score from its notes."""
    return Score(tuple(sorted(notes)), pattern_id)
