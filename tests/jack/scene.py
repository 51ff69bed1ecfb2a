"""What the daemon tests of this folder share: a daemon on the server, a conductor, bars, and what is expected."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.jack.server import JackServer, Row, end, until
from tests.live.daemon import Daemon
from tests.needs import require_program

CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
TICKS_PER_CELL = 120
KICK, HAT, BASS = 36, 42, 40  # as the gm map and the bar below send them
MASTER = "jack_midi_clock:mclk_out"


def bar(*notes: tuple[int, str], pitch: int = 0, length: int = 60, velocity: float = 0.8) -> str:
    """A bar for /hitloop/pattern/set: (tick, lane) pairs that always sound."""
    rows = [[tick, lane, pitch if lane == "bass" else 0, length, velocity, 0.0, "generated"] for tick, lane in notes]
    return json.dumps({"root": 36, "notes": rows, "provenance": {"generator": "test"}})


def on_every_cell(lane: str) -> list[tuple[int, str]]:
    return [(TICKS_PER_CELL * cell, lane) for cell in range(16)]


class JackDaemon(Daemon):
    """``hitloopd run`` with native JACK MIDI on ``server``; plays ``notes`` once it is told to."""

    def __init__(
        self, server: JackServer, folder: Path, *sets: str, ready=lambda ports: "hitloopd:out" in ports, **options
    ) -> None:
        super().__init__(
            folder, "midi.backend=jack", f"paths.cache={folder.parent / 'sounds'}", *sets, env=server.env, **options
        )
        until(lambda: ready(server.ports()) or not self._runs(), seconds=20)
        assert self._runs(), self.lines
        until(lambda: self.status()["generator"] == "rules", seconds=20)  # its own first bar would replace ours

    def _runs(self) -> bool:
        return self.process.poll() is None

    def set(self, address: str, *values) -> tuple:
        """A request that must be granted; what is in force."""
        (reply,) = [self.ask(address, *values)]
        assert reply is not None, (address, self.lines)
        assert not isinstance(reply[0], str) or reply[0] != address, reply  # an error says path, code, text
        return reply

    def note_count(self, output: str = "out") -> tuple[int, int]:
        """Note-ons and note-offs of one output, by its own count."""
        (row,) = [row for row in self.health()["player"]["outputs"] if row["name"] == output]
        return row["notes_sent"], row["notes_off"]

    def settled(self, condition: Callable[[], bool], seconds: float = 3.0) -> bool:
        """Whether ``condition`` comes true: the player tells its counters once a second."""
        end_s = time.monotonic() + seconds
        while not (value := condition()) and time.monotonic() < end_s:
            time.sleep(0.05)
        return value

    def troubles(self) -> dict[str, int]:
        """The player's counters that must be 0."""
        player = self.health()["player"]
        return {name: player[name] for name in ("late", "late_answers", "missed_bars", "dropped", "link_dropped")}


class Conductor:
    """jack_midi_clock, and the transport and tempo that it follows."""

    def __init__(self, server: JackServer, bpm: float) -> None:
        require_program("jack_midi_clock")
        script = Path(__file__).with_name("transport.py")
        self._transport = server.popen(
            sys.executable, str(script), str(bpm), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._answered()
        self._server = server
        self.do("stop")  # the transport is the server's: it may still be where another scene left it
        self.do("locate", 0)
        self.bring_the_clock()

    def bring_the_clock(self) -> None:
        """Start jack_midi_clock; half a second, not two, between a song position and its Continue."""
        self._clock = self._server.popen("jack_midi_clock", "-d", "0.5", stdin=subprocess.DEVNULL)
        until(lambda: MASTER in self._server.ports())

    def drop_the_clock(self) -> None:
        """It dies while it plays."""
        self._clock.kill()
        self._clock.wait(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.do("stop")
        end(self._clock)
        end(self._transport)

    def do(self, word: str, value: float | None = None) -> None:
        self._transport.stdin.write(json.dumps({word: value}) + "\n")
        self._transport.stdin.flush()
        self._answered()

    def _answered(self) -> None:
        assert self._transport.stdout.readline() == "ok\n", "the conductor died"


@dataclass
class Reader:
    """Where MIDI's own rules say the song is: a third opinion beside the master's and ours.

    Position is 6 x song position + clocks since; Start is 0; the clock after Start or Continue is the first.
    """

    tick: int = 0
    armed: bool = False
    rolling: bool = False

    def read(self, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
        """(MIDI clocks from the song's start, row) for every clock on which the song stands or goes on."""
        for row in rows:
            if row.data == CLOCK:
                if self.armed:
                    self.armed, self.rolling = False, True
                if self.rolling:
                    yield self.tick, row
                    self.tick += 1
            elif row.data == START:
                self.tick, self.armed = 0, True
            elif row.data == CONTINUE:
                self.armed = True
            elif row.data == STOP:
                self.armed = self.rolling = False
            elif row.data[0] == 0xF2 and not self.rolling:
                self.tick = (row.data[1] | row.data[2] << 7) * 6


def expected(rows: Iterable[Row], cells: Iterable[int]) -> list[tuple[int, int]]:
    """(cell of the bar, frame of the clock that it is due on) for every hit of a bar that has one on ``cells``."""
    wanted = set(cells)
    return [
        (tick // 6 % 16, row.frame) for tick, row in Reader().read(rows) if tick % 6 == 0 and tick // 6 % 16 in wanted
    ]


def ons(rows: Iterable[Row], note: int | None = None) -> list[Row]:
    return [r for r in rows if r.data[0] & 0xF0 == 0x90 and r.data[2] and (note is None or r.data[1] == note)]


def offs(rows: Iterable[Row]) -> list[Row]:
    return [r for r in rows if r.data[0] & 0xF0 == 0x80 or (r.data[0] & 0xF0 == 0x90 and not r.data[2])]


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def spread(values: Iterable[float]) -> str:
    values = list(values)
    return f"n {len(values)} p50 {percentile(values, 0.5):g} p99 {percentile(values, 0.99):g} max {max(values):g}"


def repeated(scene: Callable[[], tuple[int, Callable[[], None]]], attempts: int = 6) -> None:
    """Play a scene and check it; play it again where it fails and the machine did: xruns of the server, or a stall.

    Args:
        scene: plays; gives the server's xruns meanwhile and what checks the result.
        attempts: at most so often. The bounds are the same each time. A machine that stands still for 12 ms every ten
            seconds was seen to spoil three in a row.
    """
    for attempt in range(attempts):
        with StallWatch() as watch:
            xruns, check = scene()
        try:
            return check()
        except AssertionError:
            if attempt == attempts - 1 or not (xruns or watch.stalled):
                raise
            print(f"attempt {attempt + 1}: {xruns} xruns of the server, stalled for {watch.max_us} us; once more")
    return None


class StallWatch:
    """A process above all others that only sleeps: what makes it a millisecond late is the machine standing still."""

    LIMIT_US = 1000
    LOOP = (
        "import os, select, sys, time\n"
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(90))\n"
        "worst = 0\n"
        "while not select.select([sys.stdin], [], [], 0)[0]:\n"
        "    due = time.monotonic_ns() + 2_000_000\n"
        "    time.sleep(0.002)\n"
        "    worst = max(worst, time.monotonic_ns() - due)\n"
        "print(worst // 1000)\n"
    )

    def __enter__(self) -> Self:
        self.max_us = 0
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        told, _ = self._process.communicate(timeout=10)
        self.max_us = int(told or 0)  # nothing where the priority is not permitted: then only xruns count

    @property
    def stalled(self) -> bool:
        return self.max_us > self.LIMIT_US
