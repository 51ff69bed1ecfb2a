"""The player process: the sans-I/O player, its ports and its links, driven by one real-time loop.

Nothing here logs, reads files or allocates much once it plays. Commands are read only when the next deadline is some ms
away, so unpacking one can't make a clock late.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hitloopd.app.messages import Failed, Quit, Ready
from hitloopd.app.midi_switch import SwitchOut
from hitloopd.app.player_ports import Ports, open_ports
from hitloopd.app.settings import Settings
from hitloopd.app.store import Store
from hitloopd.core.commands import Envelope
from hitloopd.core.errors import HitloopError
from hitloopd.core.notices import PlayerHealth, PlayerNotice, PlayerStarted
from hitloopd.core.routes import OutputSpec
from hitloopd.core.time import NS_PER_MS, NS_PER_S, NS_PER_US
from hitloopd.core.transport import Source
from hitloopd.engine.head import Counters
from hitloopd.engine.player import Player, PlayerSpec
from hitloopd.io.audio_messages import SongStart, TempoAt
from hitloopd.io.link import Link
from hitloopd.io.punctual import Gate, Headroom
from hitloopd.io.realtime import RealtimeReport, Waiter, enable
from hitloopd.ports.midi import MidiOut

SLACK_NS = NS_PER_MS
"""Commands are read when the next deadline is at least this far away; unpacking a score takes some 0.2 ms."""
PATIENCE_NS = 20 * NS_PER_MS
"""... or when one has waited this long: deadlines can lie close together for a while."""
COMMANDS_AT_ONCE = 8
LIGHT_LEAST_NS = 300 * NS_PER_US
LIGHT_MOST_NS = 600 * NS_PER_US
"""How long before a clock the step that sends it begins. It takes 80 µs; the gate sleeps through most of the rest."""


@dataclass(frozen=True, slots=True)
class PlayerLinks:
    """The player's ends."""

    supervisor: Link
    control: Link
    audio: Link | None


def run(  # noqa: PLR0917 - the plan of processes hands them over in this order
    supervisor: Link, settings: Settings, audio_lead_ns: int, control: Link, audio: Link | None, memory: object
) -> None:
    """Play until told to quit or the supervisor is gone. The process's entry point."""
    links = PlayerLinks(supervisor, control, audio)
    counters = Counters()
    gate = Gate(counters.sent)
    try:
        ports = open_ports(settings, links.audio, audio_lead_ns, gate)
    except HitloopError as error:
        links.supervisor.send(Failed("player", str(error)))
        return
    driver = Driver(settings, links, ports, Store(memory), counters)
    try:
        driver.play()
    finally:
        driver.close()


def player_spec(settings: Settings) -> PlayerSpec:
    """What the engine needs of the settings."""
    return PlayerSpec(
        bpm=settings.transport.bpm,
        source=Source(settings.sync.source),
        freewheel=settings.sync.lost == "freewheel",
        restart_on_start=settings.sync.restart_on_start,
        cc123_on_stop=settings.midi.cc123_on_stop,
    )


def realtime_lines(report: RealtimeReport) -> list[str]:
    """For people: what was granted in one line, and what would mend each refusal."""
    granted = [f"{step.name} {step.detail}" for step in report.steps if step.granted]
    refused = [f"no {step.name}: {step.detail}. Try: {step.mend}" for step in report.missing if step.mend]
    return [f"real time: {', '.join(granted) or 'none'}", *refused]


class Driver:
    """The loop around the player."""

    def __init__(self, settings: Settings, links: PlayerLinks, ports: Ports, store: Store, counters: Counters) -> None:
        self._links = links
        self._ports = ports
        self._store = store
        outputs: Sequence[tuple[OutputSpec, MidiOut]] = [
            (replace(spec, lead_ns=out.lead_ns), out) for spec, out in ports.outputs
        ]
        self._player = Player(player_spec(settings), outputs, time.monotonic_ns, counters)
        restored = store.read()
        if restored is not None:
            self._player.command(Envelope(-1, restored), time.monotonic_ns())
        self._report: RealtimeReport = enable()
        self._waiter = Waiter([links.supervisor, links.control, *ports.waitables()])
        self._hurried = Waiter(ports.waitables())
        self._light = Headroom(LIGHT_LEAST_NS, least=LIGHT_LEAST_NS, most=LIGHT_MOST_NS)
        self._woken_for_ns = 0  # the time planned for it, if a light step is what we were woken for
        self._tune()
        self._stored = -1
        self._started_at: tuple[int, int, float] | None = None
        self._looked_ns = time.monotonic_ns()
        self._next_watch_ns = 0
        self._running = True

    def play(self) -> None:
        """The loop."""
        started = PlayerStarted(os.getpid(), self._report.text, self._ports.lines)
        self._links.control.send((started,))
        self._links.supervisor.send(Ready("player", (*self._ports.lines, *realtime_lines(self._report))))
        while self._running:
            now_ns = time.monotonic_ns()
            deadline_ns = self._player.step(now_ns)
            if self._woken_for_ns:
                self._light.woke(time.monotonic_ns() - self._woken_for_ns)
            self._ports.gate.fire()
            self._tell_capture()
            self._store_changes(now_ns)  # before it is acknowledged
            notices = self._player.take_notices()
            if notices:
                self._tell(notices)
            self._wait(deadline_ns)

    def close(self) -> None:
        """Every note off, every port closed."""
        self._player.close(time.monotonic_ns())
        self._ports.gate.fire()
        self._links.control.send(
            tuple(self._complete(n) for n in (*self._player.take_notices(), self._player.health()))
        )
        self._ports.close()
        self._waiter.close()
        self._hurried.close()

    def _wait(self, deadline_ns: int) -> None:
        """Until the deadline, or until something came in and was taken: it may change the deadline.

        Links are read where the wait found something there, and only with time to spare: an empty read costs 20 µs.
        A step that will only send a clock is short, so it begins just before the clock instead of a whole lead ahead.
        """
        spare_ns = self._player.spare_ns
        wake_ns = deadline_ns + max(spare_ns - self._light.ns, 0)
        self._woken_for_ns = 0
        now_ns = time.monotonic_ns()
        if now_ns - self._looked_ns > PATIENCE_NS:  # no time to spare for a while
            self._look_at_links(now_ns)
            return
        if now_ns >= self._next_watch_ns and wake_ns - now_ns > SLACK_NS:
            self._watch(now_ns)
        hurried = wake_ns - now_ns <= SLACK_NS
        until_ns = wake_ns if hurried else min(wake_ns, self._next_watch_ns)
        ready = (self._hurried if hurried else self._waiter).wait(until_ns)
        now_ns = time.monotonic_ns()
        if not hurried:
            self._looked_ns = now_ns
        if ready:
            self._read_inputs()
            if not hurried and wake_ns - now_ns > SLACK_NS:
                self._look_at_links(now_ns)
        elif spare_ns and until_ns == wake_ns:
            self._woken_for_ns = wake_ns

    def _read_inputs(self) -> None:
        for source in self._ports.inputs:
            for at_ns, data in source.port.receive():
                self._player.receive(source.name, at_ns, data, clock=source.clock, control=source.control)

    def _look_at_links(self, now_ns: int) -> None:
        self._looked_ns = now_ns
        for message in self._links.control.receive(COMMANDS_AT_ONCE):
            if isinstance(message, Envelope):
                self._player.command(message, time.monotonic_ns())
        words = self._links.supervisor.receive(COMMANDS_AT_ONCE)
        # a supervisor that is gone could never stop us
        if self._links.supervisor.closed or any(isinstance(word, Quit) for word in words):
            self._running = False

    def _store_changes(self, now_ns: int) -> None:
        if self._player.changes != self._stored:
            self._stored = self._player.changes
            self._store.write(self._player.restorable(now_ns))

    def _watch(self, now_ns: int) -> None:
        """Once a second: ports that went or came, and the counters."""
        self._next_watch_ns = now_ns + NS_PER_S
        self._tell([*self._ports.watch(), self._player.health()])
        self._waiter.renew()
        self._hurried.renew()
        self._tune()
        self._store.write(self._player.restorable(now_ns))

    def _tune(self) -> None:
        """Suit the ports there are: one may have come, and a JACK server may have another period now."""
        for head in self._player.heads:
            if head.spec.lead_ns != head.out.lead_ns:
                head.use(replace(head.spec, lead_ns=head.out.lead_ns))
            timed = isinstance(head.out, SwitchOut) and head.out.timed
            if head.spec.timed is not timed:
                head.use(replace(head.spec, timed=timed))
        self._player.count_on(self._ports.timescale, time.monotonic_ns())
        self._player.counters.timed = any(head.spec.timed for head in self._player.heads)

    def _tell(self, notices: Sequence[PlayerNotice]) -> None:
        self._links.control.send(tuple(self._complete(notice) for notice in notices))

    def _complete(self, notice: PlayerNotice) -> PlayerNotice:
        if isinstance(notice, PlayerHealth):
            return replace(notice, realtime=self._report.text, link_dropped=self._links.control.dropped)
        return notice

    def _tell_capture(self) -> None:
        """The audio process writes the tempo map of a capture."""
        if self._links.audio is None:
            return
        start = self._player.song_start()
        if start is not None and (self._started_at is None or start[0] != self._started_at[0]):
            self._started_at = start
            tick, at_ns, bpm = start
            self._links.audio.send(SongStart(tick, at_ns, bpm))
        for line in self._player.take_tempos():
            self._links.audio.send(TempoAt(line.tick0, line.bpm, line.time0_ns))
