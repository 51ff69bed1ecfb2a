"""Programs of others talk with the OSC door: liblo's oscsend and oscdump, Pure Data, python-osc.

``server`` is the one thing to swap for the whole daemon: it has ``port``, ``ask`` and ``play``, and ``desk`` where
there is a fake one behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pythonosc import osc_bundle_builder, osc_message_builder, udp_client

from hitloopd.control.lookup import ENDPOINTS
from hitloopd.control.osc_client import ask
from hitloopd.control.osc_codec import encode
from hitloopd.control.osc_server import OscSettings, OscSurface
from hitloopd.control.spec import Access, Kind
from hitloopd.core import commands as cmd
from hitloopd.core.notices import BarStarted, Beat, NotePlayed
from hitloopd.core.pattern import Lane
from hitloopd.testing.fake_desk import FakeDesk
from tests.bench.osc_latency import measure
from tests.needs import require_program

pytestmark = pytest.mark.live

HOST = "127.0.0.1"
PATCH = Path(__file__).parents[2] / "configs" / "clients" / "hitloopd.pd"


@dataclass
class Server:
    """The OSC door with a fake desk, on a thread with a loop of its own."""

    desk: FakeDesk = field(default_factory=FakeDesk)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        self.surface = OscSurface(self.desk, OscSettings(port=0), version="9.9")
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.surface.start(), self.loop).result(5)
        self.port = self.surface.port

    def ask(self, path, *args):
        """One request; its answers as (path, args)."""
        return [(reply.path, reply.args) for reply in ask(HOST, self.port, path, args)]

    def play(self, bars=1):
        """Have ``bars`` bars played: beats, bar lines and a kick on every beat."""
        for beat in range(4 * bars):
            at_ns = time.monotonic_ns() + 5_000_000
            notices = (Beat(beat // 4, beat % 4, 174.0, at_ns), NotePlayed(beat // 4, Lane.KICK, 0, 0.8, 0, at_ns))
            for notice in (*notices, *(() if beat % 4 else (BarStarted(beat // 4, "abc", at_ns),))):
                self.loop.call_soon_threadsafe(self.surface.publish, notice)

    def subscribers(self) -> int:
        return len(self.surface.core.subscriptions)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.surface.stop(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


@pytest.fixture
def server() -> Iterator[Server]:
    the_server = Server()
    yield the_server
    the_server.close()


def eventually(condition, what, seconds=10.0):
    """Wait until ``condition()`` holds; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what() if callable(what) else what}"
        time.sleep(0.01)
    return value


@contextlib.contextmanager
def running(*command):
    """A program with its output gathered in a list of lines; ended by its own process id."""
    lines: list[str] = []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        process.kill()
        process.wait(5)
        reader.join(5)
        process.stdout.close()


def oscsend(port, path, *typed):
    subprocess.run(["oscsend", HOST, str(port), path, *typed], check=True, timeout=10)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


# ── oscsend ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SETTABLE = sorted(
    path
    for path, e in ENDPOINTS.items()
    if e.row.access is Access.BOTH and e.lane in (None, Lane.BASS) and e.cell in (0, 15)
    if e.row.args[0].kind in (Kind.INT, Kind.FLOAT, Kind.BOOL) and not path.endswith("bass/note")
)


def test_oscsend_sets_every_number_as_int_float_and_double_and_no_string_does(server):
    require_program("oscsend")
    for path in SETTABLE:
        arg = ENDPOINTS[path].row.args[0]
        low, high = int(-(-arg.low // 1)), int(arg.high)
        forms = [("i", str(high)), ("f", str(float(arg.low))), ("d", str(float(arg.high)))]
        forms += [("i", str(low))] if low <= arg.high else []
        if arg.kind is Kind.BOOL:
            forms = [("i", "1"), ("f", "0"), ("T",), ("d", "0"), ("T",), ("F",)]
        for tag, *value in forms:
            if tag == "i" and not arg.low <= int(value[0]) <= arg.high:
                continue
            wanted = {"T": 1.0, "F": 0.0}.get(tag) if not value else float(value[0])
            oscsend(server.port, path, tag, *value)
            eventually(lambda: float(server.ask(path)[0][1][0]) == wanted, f"{path} {tag} {value}: {server.ask(path)}")  # noqa: B023
        before, errors = server.ask(path), server.surface.counters.errors
        oscsend(server.port, path, "s", "loud")
        eventually(lambda: server.surface.counters.errors == errors + 1, f"{path} took a string")  # noqa: B023
        assert server.ask(path) == before


def test_oscsend_presses_every_button(server):
    require_program("oscsend")
    buttons = [p for p, e in ENDPOINTS.items() if e.row.acts_bare and e.row.build and e.lane in (None, Lane.KICK)]
    assert len(buttons) > 12
    for count, path in enumerate(buttons, 1):
        oscsend(server.port, path)
        eventually(lambda: server.desk.count == count, path)  # noqa: B023
    assert server.surface.counters.errors == 0


def test_oscsend_asks_every_address_that_answers(server):
    require_program("oscsend")
    paths = [p for p, e in ENDPOINTS.items() if e.row.readable and e.lane in (None, Lane.SNARE) and e.cell == 0]
    for path in paths:
        oscsend(server.port, path)
    eventually(lambda: server.surface.counters.messages >= len(paths), "all asked")
    assert server.surface.counters.errors == 0


# ── oscdump ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_oscdump_reads_answers_errors_and_dated_events(server):
    require_program("oscdump")
    port = free_port()
    with (
        running("stdbuf", "-oL", "oscdump", "-L", str(port)) as lines,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):

        def say(path, *args):
            sock.sendto(encode(path, args), (HOST, server.port))

        def dumped(pattern):
            return next((line for line in lines if re.search(pattern, line)), None)

        say("/hitloop/sys/client", "dump", port)
        # oscdump may need a moment to open its port: ask until it has heard us.
        eventually(lambda: say("/hitloop/sys/ping", "hello") or dumped(r"/hitloop/sys/ping s \"hello\""), lambda: lines)
        say("/hitloop/gen/energy", 0.25)
        say("/hitloop/gen/energy", 25)
        say("/hitloop/sys/subscribe", "note", 0, "timetag")
        eventually(lambda: dumped(r"/hitloop/sys/subscribe"), lambda: lines)
        server.play()
        eventually(lambda: dumped(r"/hitloop/event/note siifi \"kick\" 0 0 0.8"), lambda: lines)
        assert dumped(r"/hitloop/gen/energy fi 0\.25")
        assert dumped(r"/hitloop/sys/error sss \"/hitloop/gen/energy\" \"range\"")


# ── Pure Data ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pd_drives_it_and_shows_the_beat(server):
    require_program("pd")
    sends = [f"hitloop-connect {HOST} {server.port}", "hitloop-regenerate bang", "hitloop-energetic bang"]
    sends += ["hitloop-tempo 174", "hitloop-mute-kick 1"]
    options = [word for send in sends for word in ("-send", send)]
    with running("pd", "-nogui", "-stderr", "-nomidi", "-noaudio", "-open", str(PATCH), *options) as lines:
        wanted = {cmd.Regenerate(), cmd.Energetic(), cmd.SetTempo(174.0), cmd.MuteLane(Lane.KICK, on=True)}
        eventually(lambda: wanted <= set(server.desk.commands), lambda: (server.desk.commands, lines))
        eventually(lambda: server.subscribers() == 1, lambda: lines)
        server.play(bars=2)
        beats = [f"hitloop-beat: {bar} {beat} 174" for bar in range(2) for beat in range(4)]
        eventually(lambda: [line.strip() for line in lines if "hitloop-beat" in line] == beats, lambda: lines)
        assert not [line for line in lines if "error" in line]


# ── several at once, order, dates ───────────────────────────────────────────────────────────────────────────────────


def test_rule_33_three_clients_at_once_get_their_own_answers(server):
    wrong, count = [], 200

    def client(name):
        for index in range(count):
            word = f"{name}-{index}"
            if server.ask("/hitloop/sys/ping", word) != [("/hitloop/sys/ping", (word,))]:
                wrong.append(word)

    threads = [threading.Thread(target=client, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


def test_rule_32_five_hundred_numbered_messages_arrive_in_order(server):
    with udp_client.SimpleUDPClient(HOST, server.port) as client:
        for seed in range(500):
            client.send_message("/hitloop/gen/seed", seed)
    eventually(lambda: server.desk.count == 500, lambda: server.desk.count)
    assert server.desk.commands == [cmd.SetSeed(seed) for seed in range(500)]


def test_rule_31_bundles_dated_an_hour_ahead_delay_nothing(server):
    bundle = osc_bundle_builder.OscBundleBuilder(time.time() + 3_600)
    message = osc_message_builder.OscMessageBuilder("/hitloop/gen/energy")
    message.add_arg(0.5)
    bundle.add_content(message.build())
    without = statistics.median(measure(HOST, server.port, 50, gap_s=0).p50_ms for _ in range(3))
    with udp_client.UDPClient(HOST, server.port) as client:
        for _ in range(1_000):
            client.send(bundle.build())
    eventually(lambda: server.surface.counters.ahead == 1_000, lambda: server.surface.counters)
    after = measure(HOST, server.port, 50, gap_s=0)
    assert after.lost == 0
    assert after.p50_ms < without + 5
    assert len(server.surface.core.schedule) == 0
