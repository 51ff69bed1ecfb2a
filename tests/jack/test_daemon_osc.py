"""Strangers' OSC programs against the whole daemon: oscsend, oscdump, Pure Data, and several clients at once."""

from __future__ import annotations

import re
import statistics
import threading
import time
from types import SimpleNamespace

import pytest

from hitloopd.control.lookup import ENDPOINTS
from hitloopd.control.osc_client import ask
from hitloopd.control.osc_codec import encode
from hitloopd.control.spec import Access, Kind
from hitloopd.core.pattern import Lane
from tests.bench.osc_latency import measure
from tests.jack.scene import JackDaemon
from tests.live.daemon import HOST, Client, free_port
from tests.live.test_osc_clients import PATCH, eventually, oscsend, running
from tests.live.test_osc_clients import test_rule_33_three_clients_at_once_get_their_own_answers as _rule_33
from tests.needs import require_program

pytestmark = [pytest.mark.jack, pytest.mark.live]

ERROR = "/hitloop/sys/error"
NUMBERS = (Kind.INT, Kind.FLOAT, Kind.BOOL)


@pytest.fixture(scope="module")
def daemon(roomy_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("osc") / "a"
    folder.mkdir()
    with JackDaemon(roomy_server, folder, "transport.autostart=false") as the_daemon:
        the_daemon.set("/hitloop/gen/regenerate")  # there is a bar to morph from
        yield the_daemon


@pytest.fixture(autouse=True)
def at_rest(daemon):
    """Stopped, nothing locked or muted, whatever the test before left."""
    daemon.set("/hitloop/transport/stop")
    for lane in Lane:
        daemon.set(f"/hitloop/lane/{lane}/lock", 0)
        daemon.set(f"/hitloop/lane/{lane}/mute", 0)


@pytest.fixture
def server(daemon):
    """As ``tests.live.test_osc_clients`` wants it: one request, its answers as (path, args)."""
    return SimpleNamespace(
        port=daemon.port, ask=lambda path, *args: [(r.path, r.args) for r in ask(HOST, daemon.port, path, args)]
    )


def value(server, path):
    (answer,) = server.ask(path)
    assert answer[0] == path, answer
    return answer[1]


def numbered():
    """Every address that takes a number first and tells it when asked, aliases and all lanes and cells included."""
    return sorted(
        path
        for path, e in ENDPOINTS.items()
        if e.row.access is Access.BOTH and e.row.args and e.row.args[0].kind in NUMBERS
        if not path.endswith(("bass/note", "kit/listen"))  # the one is a list, the other a recording
    )


def forms(arg):
    """(OSC type, word, what it comes to) for the ends of the range."""
    if arg.kind is Kind.BOOL:
        return [("i", "1", 1.0), ("f", "0.0", 0.0), ("d", "1.0", 1.0), ("i", "0", 0.0)]
    low, high = int(-(-arg.low // 1)), int(arg.high // 1)
    whole = [("i", str(n), float(n)) for n in dict.fromkeys((high, low)) if arg.low <= n <= arg.high]
    return [*whole, ("d", str(float(arg.high)), arg.high), ("f", str(float(arg.low)), arg.low)]


def test_oscsend_sets_every_number_of_the_table_as_int_float_and_double(server):
    require_program("oscsend")
    paths = numbered()
    assert len(paths) > 100
    for path in paths:
        for tag, word, wanted in forms(ENDPOINTS[path].row.args[0]):
            oscsend(server.port, path, tag, word)
            eventually(
                lambda: float(value(server, path)[0]) == pytest.approx(wanted, abs=1e-3),  # noqa: B023
                lambda: f"{path} {tag} {word}: {value(server, path)}",  # noqa: B023
            )


def test_a_string_where_a_number_is_due_is_refused_and_changes_nothing(server, daemon):
    require_program("oscsend")
    for path in numbered():
        before = value(server, path)
        oscsend(server.port, path, "s", "loud")
        with Client(daemon.port) as client:  # one each: errors to one client are rate limited (rule 36)
            client.send(path, "loud")
            client.until(lambda: client.all(ERROR), path)
        (told,) = client.all(ERROR)
        assert told[:2] == (path, "type")
        assert "loud" in told[2]
        assert value(server, path) == before


def test_every_address_answers_on_its_own_path(daemon):
    """Questions with a value, buttons with what is in force, the rest with an error that names them."""
    unanswered = []
    for path, endpoint in ENDPOINTS.items():
        with Client(daemon.port) as client:  # one each: errors to one client are rate limited (rule 36)
            client.send(path)
            for _ in range(2):
                client.listen(0.02)
                if client.all(path) or any(args[0] == path for args in client.all(ERROR)):
                    break
            else:
                client.listen(2.0)
            if endpoint.row.readable or endpoint.row.acts_bare:
                if not client.all(path):
                    unanswered.append((path, client.heard))
            elif not any(args[0] == path for args in client.all(ERROR)):
                unanswered.append((path, client.heard))
    # with nothing to undo or redo, the error says so
    wrong = [(p, heard) for p, heard in unanswered if not any(a[1:2] == ("nothing",) for _, a in heard)]
    assert wrong == []


def test_oscdump_reads_answers_errors_and_events_of_the_real_beat(daemon):
    require_program("oscdump")
    port = free_port()
    with running("stdbuf", "-oL", "oscdump", "-L", str(port)) as lines, Client(daemon.port) as client:

        def dumped(pattern):
            return next((line for line in lines if re.search(pattern, line)), None)

        client.send("/hitloop/sys/client", "dump", port)
        eventually(lambda: client.send("/hitloop/sys/ping", "x") or dumped(r"/hitloop/sys/ping s \"x\""), lambda: lines)
        client.send("/hitloop/gen/energy", 0.25)
        client.send("/hitloop/gen/energy", 25)
        client.send("/hitloop/sys/subscribe", "beat", 0, "timetag")
        client.send("/hitloop/transport/bpm", 240.0)
        client.send("/hitloop/transport/play")
        eventually(lambda: dumped(r"/hitloop/event/beat iif 1 0 240"), lambda: lines)
        client.send("/hitloop/transport/stop")
        client.send("/hitloop/sys/unsubscribe")
        assert dumped(r"/hitloop/gen/energy fi 0\.25")
        assert dumped(r"/hitloop/sys/error sss \"/hitloop/gen/energy\" \"range\"")


def test_pd_drives_it_and_shows_the_beat(server, daemon):
    require_program("pd")
    seed = daemon.status()["seed"]
    daemon.set("/hitloop/gen/energy", 0.3)
    sends = [f"hitloop-connect {HOST} {server.port}", "hitloop-regenerate bang", "hitloop-energetic bang"]
    sends += ["hitloop-tempo 174", "hitloop-mute-kick 1"]
    options = [word for send in sends for word in ("-send", send)]
    with running("pd", "-nogui", "-stderr", "-nomidi", "-noaudio", "-open", str(PATCH), *options) as lines:
        eventually(lambda: value(server, "/hitloop/lane/kick/mute")[0] == 1, lambda: lines)
        eventually(lambda: value(server, "/hitloop/transport/bpm")[0] == 174.0, lambda: lines)
        eventually(lambda: value(server, "/hitloop/gen/energy")[0] == pytest.approx(0.4), lambda: lines)
        eventually(lambda: daemon.status()["seed"] != seed, lambda: lines)
        known = len(lines)  # the last beat there was is told on subscribing
        daemon.set("/hitloop/transport/play")
        eventually(lambda: any("hitloop-beat: 1 3 174" in line for line in lines), lambda: lines)
        daemon.set("/hitloop/transport/stop")
        beats = [line.split()[-3:-1] for line in lines[known:] if "hitloop-beat" in line]
        assert beats[:8] == [[str(n // 4), str(n % 4)] for n in range(8)]
        assert not [line for line in lines if "error" in line]


def test_rule_31_a_bundle_dated_an_hour_ahead_delays_nothing(server, daemon):
    from pythonosc import osc_bundle_builder, osc_message_builder, udp_client

    bundle = osc_bundle_builder.OscBundleBuilder(time.time() + 3_600)
    message = osc_message_builder.OscMessageBuilder("/hitloop/gen/energy")
    message.add_arg(0.5)
    bundle.add_content(message.build())
    before = statistics.median(measure(HOST, server.port, 50, gap_s=0).p50_ms for _ in range(3))
    with udp_client.UDPClient(HOST, server.port) as client:
        for _ in range(100):
            client.send(bundle.build())
    after = measure(HOST, server.port, 50, gap_s=0)
    print("p50 before", before, "after", after.p50_ms)
    assert after.lost == 0
    assert after.p50_ms < before + 5
    # further ahead than max_ahead: carried out at once
    eventually(lambda: value(server, "/hitloop/gen/energy")[0] == 0.5, "energy")


def test_rule_32_five_hundred_numbered_messages_are_carried_out_in_order(daemon):
    with Client(daemon.port) as client:
        for seed in range(500):
            client._sock.sendto(encode("/hitloop/gen/seed", (seed,)), (HOST, daemon.port))
        client.until(lambda: len(client.all("/hitloop/gen/seed")) == 500, lambda: len(client.heard))
        assert [args[0] for args in client.all("/hitloop/gen/seed")] == list(range(500))
    assert daemon.set("/hitloop/gen/seed")[0] == 499


def test_rule_33_three_clients_at_once_get_their_own_answers(server):
    _rule_33(server)


def test_three_clients_set_at_once_and_each_hears_only_of_its_own(daemon):
    wrong = []

    def client(lane):
        with Client(daemon.port) as mine:
            path = f"/hitloop/lane/{lane}/density"
            for step in range(60):
                mine.send(path, step / 60)
            mine.until(lambda: len(mine.all(path)) == 60, path)
            told = [args[0] for args in mine.all(path)]
            if [p for p, _ in mine.heard if p != path] or told != pytest.approx([n / 60 for n in range(60)], abs=1e-6):
                wrong.append((lane, mine.heard))

    threads = [threading.Thread(target=client, args=(lane,)) for lane in ("kick", "snare", "hihat")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
