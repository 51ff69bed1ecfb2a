"""The daemon as its users meet it: obeying over OSC, surviving kills, ending well, taking files over."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from hitloopd.core.request import Request
from hitloopd.generate.registry import load
from tests.live.daemon import Client, Daemon, alive, eventually, free_port, run_command

pytestmark = pytest.mark.live

REGENERATE = "/hitloop/gen/regenerate"


# ── obedience ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rule_35_500_regenerates_are_in_force_at_the_bar_that_their_reply_named(tmp_path):
    count, chance, rules = 500, random.Random(5), load("rules")
    with Daemon(tmp_path, "transport.bpm=300") as daemon, Client(daemon.playing().port) as client:
        client.send("/hitloop/sys/subscribe", "bar", 0)
        for seed in range(1000, 1000 + count):
            client.send(REGENERATE, seed)
            client.listen(chance.random() * 0.04)
        client.until(lambda: len(client.all(REGENERATE)) == count, "every reply")
        client.listen(1.7)  # two bars: those asked last are in force
        bars = dict(client.all("/hitloop/event/bar"))
        last_wins = {bar: seed for seed, bar in client.all(REGENERATE)}
        assert client.all("/hitloop/sys/error") == []
        player = daemon.health()["player"]
    assert [seed for seed, _ in client.all(REGENERATE)] == list(range(1000, 1000 + count))
    assert len(last_wins) > 5
    assert {bar: bars[bar] for bar in last_wins} == {
        bar: rules.generate(Request("rules", seed)).at(0.5).id for bar, seed in last_wins.items()
    }
    assert (player["dropped"], player["missed_bars"]) == (0, 0)


def test_lanes_regenerated_in_one_bar_are_all_new_in_the_next(tmp_path):
    with Daemon(tmp_path, "transport.bpm=60", "transport.autostart=false") as daemon, Client(daemon.port) as client:
        eventually(lambda: daemon.status()["seed"] == 1, "the first bar")
        kick, snare = "/hitloop/lane/kick/regenerate", "/hitloop/lane/snare/regenerate"
        client.send(kick, 7)
        client.send(snare, 8)
        client.until(lambda: client.all(kick) and client.all(snare), "both replies")
        sources = json.loads(daemon.ask("/hitloop/pattern/provenance")[0])["sources"]
        assert any(text.startswith("kick: rules") and text.endswith("seed 7") for text in sources)
        pattern = json.loads(daemon.ask("/hitloop/pattern/get")[0])
        assert pattern["provenance"]["seed"] == 8


def test_edits_and_locks_survive_regenerate_and_undo_goes_200_deep(tmp_path):
    with Daemon(tmp_path, "transport.autostart=false") as daemon:
        eventually(lambda: daemon.status()["seed"] == 1, "the first bar")
        daemon.ask("/hitloop/lane/kick/cell/3", 0.9)
        locked = daemon.ask("/hitloop/lane/snare/lock", 1)
        assert locked[0] == 1
        path, code, text = daemon.ask("/hitloop/lane/snare/regenerate")
        assert (path, code) == ("/hitloop/lane/snare/regenerate", "locked")
        assert "/hitloop/lane/snare/lock 0" in text
        daemon.ask(REGENERATE, 99)
        assert daemon.ask("/hitloop/lane/kick/cell/3")[0] == pytest.approx(0.9)
        before = daemon.ask("/hitloop/pattern/undo")[0]
        for number in range(200):
            daemon.ask("/hitloop/lane/hihat/cell/5", 0.2 + 0.003 * number)
        for _ in range(200):
            last = daemon.ask("/hitloop/pattern/undo")
        assert last[0] == before
        for _ in range(200):
            last = daemon.ask("/hitloop/pattern/redo")
        assert daemon.ask("/hitloop/pattern/redo")[1] == "nothing"
        assert daemon.ask("/hitloop/lane/hihat/cell/5")[0] == pytest.approx(0.797, abs=0.001)


def test_the_transport_obeys(tmp_path):
    with Daemon(tmp_path, "transport.bpm=150") as daemon:
        daemon.playing()
        assert daemon.ask("/hitloop/transport/stop")[0] == "stopped"
        place = daemon.ask("/hitloop/transport/position")[0]
        assert daemon.ask("/hitloop/transport/position", 72)[0] == 72
        assert place >= 0
        assert daemon.status()["bar"] == 4
        assert daemon.ask("/hitloop/transport/continue")[0] == "playing"
        eventually(lambda: daemon.ask("/hitloop/transport/position")[0] >= 76, "it moves on")
        assert daemon.ask("/hitloop/transport/bpm", 60, 8)[0] == pytest.approx(150, abs=2)
        eventually(lambda: daemon.ask("/hitloop/transport/bpm")[0] == 60, "the ramp's end")
        path, code, text = daemon.ask("/hitloop/transport/bpm", 400)
        assert (path, code) == ("/hitloop/transport/bpm", "range")
        assert "300" in text
        for _ in range(4):
            daemon.ask("/hitloop/transport/tap")
            time.sleep(0.4)
        assert daemon.ask("/hitloop/transport/bpm")[0] == pytest.approx(150, abs=25)


def test_following_it_waits_for_start(tmp_path):
    with Daemon(tmp_path, "sync.source=midi") as daemon:
        eventually(lambda: daemon.status()["seed"] == 1, "the first bar")
        now = daemon.status()
        assert (now["state"], now["source"]) == ("stopped", "midi")
        daemon.said("waiting for MIDI clock")


def test_health_is_one_line_and_complete(tmp_path):
    with Daemon(tmp_path, options=("--capture", tmp_path)) as daemon:
        health = daemon.playing().health()
        assert set(health["processes"]) == {"player", "control", "generator", "audio"}
        assert all(row["alive"] and row["restarts"] == 0 and alive(row["pid"]) for row in health["processes"].values())
        player = eventually(lambda: (now := daemon.health()["player"])["histogram"] and now, "lateness")
        assert {"late", "dropped", "lateness_p50_us", "lateness_p99_us", "missed_bars", "realtime"} <= set(player)
        eventually(lambda: daemon.health()["generator"]["pool"] > 0, "bars made ahead")
        words = ("--set", f"osc.port={daemon.port}", "--json")
        told = json.loads(run_command("status", *words).stdout)
        assert {"state", "bpm", "bar", "source", "generator", "seed", "energy", "kit", "health"} <= set(told)
        sent = json.loads(run_command("send", "/hitloop/gen/energy", "0.25", *words).stdout)
        assert sent["ok"]
        assert sent["replies"][0]["args"][0] == 0.25
        assert run_command("send", "/hitloop/gen/energy", "25", *words).returncode == 1


# ── kills ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def restarted(daemon, name):
    return eventually(lambda: (row := daemon.health()["processes"][name])["restarts"] == 1 and row["alive"], name)


def test_rule_49_a_killed_player_is_back_in_phase_within_the_bar(tmp_path):
    with Daemon(tmp_path, "transport.bpm=120") as daemon, Client(daemon.playing().port) as client:
        seed = daemon.ask(REGENERATE, 77)[0]
        client.send("/hitloop/sys/subscribe", "beat", 0, "timetag")
        client.send("/hitloop/sys/subscribe", "bar", 0)
        client.until(lambda: len(client.all("/hitloop/event/bar")) == 2, "two bars")
        began, killed = time.monotonic(), daemon.pid("player")
        bar, pattern = client.all("/hitloop/event/bar")[-1]
        os.kill(killed, signal.SIGKILL)
        client.until(lambda: client.all("/hitloop/event/bar")[-1][0] == bar + 1, "the next bar")
        beats = [args[:2] for args in client.all("/hitloop/event/beat")]
        assert client.all("/hitloop/event/bar")[-1][1] == pattern
        assert [b for b in beats if b[0] == bar][-1] == (bar, 3), "it was back before the bar was over"
        assert time.monotonic() - began == pytest.approx(2.0, abs=0.5)
        assert seed == daemon.status()["seed"]
        restarted(daemon, "player")
        daemon.said("the player process ended by itself")


@pytest.mark.parametrize("name", ["control", "generator", "audio"])
def test_the_beat_does_not_notice_a_kill(tmp_path, name):
    options = ("--capture", tmp_path / "take")
    with Daemon(tmp_path, "transport.bpm=200", options=options) as daemon:
        daemon.playing()
        assert daemon.ask("/hitloop/gen/energy", 0.75)[0] == 0.75
        assert daemon.ask("/hitloop/transport/bpm", 210)[0] == pytest.approx(210)
        seed = daemon.ask(REGENERATE, 123)[0]
        pids = {process: daemon.pid(process) for process in ("player", name)}
        os.kill(pids[name], signal.SIGKILL)
        daemon.said(f"the {name} process ended by itself")
        restarted(daemon, name)
        status, bars = daemon.status(), daemon.health()["player"]["bars"]
        assert (status["state"], status["bpm"], status["seed"], status["knob"]) == ("playing", 210.0, seed, 0.75)
        eventually(lambda: daemon.health()["player"]["bars"] > bars + 1, "it plays on")
        health = daemon.health()
        assert health["processes"]["player"]["pid"] == pids["player"]
        assert (health["player"]["late"], health["player"]["dropped"]) == (0, 0)
        assert daemon.ask(REGENERATE, 124)[0] == 124
        daemon.health()
        assert daemon.end() == 0
        assert not any(alive(pid) for pid in daemon.pids)


def test_subscribers_hear_the_beat_again_when_control_was_killed(tmp_path):
    with Daemon(tmp_path, "transport.bpm=200") as daemon, Client(daemon.playing().port) as client:
        client.send("/hitloop/sys/subscribe", "bar", 0)
        client.until(lambda: len(client.all("/hitloop/event/bar")) > 1, "bars")
        client.listen(1.5)  # who subscribes is written down once a second
        os.kill(daemon.pid("control"), signal.SIGKILL)
        restarted(daemon, "control")
        heard = len(client.all("/hitloop/event/bar"))
        client.until(lambda: len(client.all("/hitloop/event/bar")) > heard + 1, "bars after the restart")


def test_a_stopped_daemon_stays_stopped_when_control_is_killed(tmp_path):
    with Daemon(tmp_path, "gen.energy=0.5") as daemon:
        daemon.playing()
        daemon.ask("/hitloop/transport/stop")
        daemon.ask("/hitloop/gen/energy", 0.2)
        os.kill(daemon.pid("control"), signal.SIGKILL)
        daemon.said("the control process ended by itself")
        restarted(daemon, "control")
        assert daemon.ask(REGENERATE, 5)[0] == 5
        status = daemon.status()
        assert (status["state"], status["knob"]) == ("stopped", 0.2)


def test_without_its_supervisor_nothing_is_left(tmp_path):
    with Daemon(tmp_path) as daemon:
        daemon.playing()
        daemon.process.kill()
        eventually(lambda: not any(alive(pid) for pid in daemon.pids), "the end of all", 10)


# ── generators of strangers ─────────────────────────────────────────────────────────────────────────────────────────

STRANGER = """
import os, time
from hitloopd.generate.rules import Rules
class Stranger:
    name, styles, model_hash = "stranger", (), "0"
    def generate(self, request):
        if request.seed == 666:
            raise ValueError("no such luck")
        if request.seed == 667:
            os._exit(3)
        if request.seed == 668:
            time.sleep(600)
        return Rules().generate(request)
"""


def plug_in(folder):
    """A tiny installed package with a generator."""
    about = folder / "stranger-1.dist-info"
    about.mkdir(parents=True)
    (folder / "stranger.py").write_text(STRANGER)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[hitloopd.generators]\nstranger = stranger:Stranger\n")
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}


def test_a_generator_that_raises_dies_or_hangs_only_repeats_the_bar(tmp_path):
    env = plug_in(tmp_path / "site")
    with Daemon(tmp_path, "gen.model=stranger", "transport.bpm=200", env=env) as daemon:
        pattern = daemon.playing().status()["pattern"]
        path, code, text = daemon.ask(REGENERATE, 666)
        assert (path, code) == (REGENERATE, "generator")
        assert "no such luck" in text
        path, code, text = daemon.ask(REGENERATE, 667, timeout_s=15)
        assert (path, code) == (REGENERATE, "generator")
        assert "died twice" in text
        path, code, text = daemon.ask(REGENERATE, 668, timeout_s=15)
        assert (path, code) == (REGENERATE, "late")
        health, status = daemon.health(), daemon.status()
        assert health["generator"]["given_up"] == 2
        assert health["processes"]["player"]["restarts"] == 0
        assert (status["state"], status["pattern"]) == ("playing", pattern)
        assert (health["player"]["late"], health["player"]["dropped"]) == (0, 0)
        assert eventually(lambda: daemon.ask(REGENERATE, 42, timeout_s=6), "an answer")[0] == 42
        assert daemon.health()["processes"]["generator"]["restarts"] == 3


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(tmp_path, number):
    with Daemon(tmp_path, options=("--capture", tmp_path / "take", "--bars", "1000", "--json")) as daemon:
        daemon.playing()
        began = time.monotonic()
        assert daemon.end(number) == 0
        assert time.monotonic() - began < 5
        daemon.kill_all()
        (line,) = (line for line in daemon.lines if line.startswith("{"))
        summary = json.loads(line)
        assert summary["notes_sent"] == summary["notes_off"] > 0
        assert summary["stuck_notes"] == 0


def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing_and_no_traceback(tmp_path):
    for pause in (0.3, 0.5, 0.7):
        with Daemon(tmp_path, wait=False) as daemon:
            eventually(lambda: "hitloopd" in "".join(daemon.lines), "the first line")
            time.sleep(pause - 0.3)
            os.killpg(daemon.process.pid, signal.SIGINT)
            assert daemon.process.wait(10) == 0
            assert not [line for line in daemon.lines if "Traceback" in line or "KeyboardInterrupt" in line]


def test_two_daemons_on_one_port_or_folder_the_second_says_who_holds_it(tmp_path):
    with Daemon(tmp_path) as daemon:
        daemon.playing()
        holder = daemon.pid("control")
        quiet = ("--set=midi.backend=none", "--set=audio.backend=none", "--json")
        second = run_command("run", f"--set=osc.port={daemon.port}", f"--set=paths.state={tmp_path / 'b'}", *quiet)
        assert second.returncode == 1
        assert f"process {holder}" in second.stderr
        assert json.loads(second.stdout)["ok"] is False
        assert not (tmp_path / "b").exists()
        words = (f"--set=osc.port={free_port()}", f"--set=paths.state={tmp_path / 'state'}")
        second = run_command("run", *words, *quiet)
        assert second.returncode == 1
        assert f"process {holder}" in second.stderr
        assert json.loads(second.stdout)["ok"] is False
        assert daemon.status()["state"] == "playing"


# ── between runs, and files that change ─────────────────────────────────────────────────────────────────────────────


def test_the_session_is_there_again_and_wishes_win(tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("gen:\n  style: techno\n  energy: 0.4\n")
    options = ("--config", config)
    with Daemon(tmp_path, options=options) as daemon:
        eventually(lambda: daemon.playing().status()["style"] == "techno", "the style")
        daemon.ask(REGENERATE, 31)
        daemon.ask("/hitloop/gen/energy", 0.9)
        daemon.ask("/hitloop/lane/kick/cell/2", 0.5)
        daemon.ask("/hitloop/transport/bpm", 99)
        before = daemon.status()
        daemon.kill_all()  # not even a chance to say goodbye
    with Daemon(tmp_path, options=options) as daemon:
        after = daemon.playing().status()
        same = ("bpm", "knob", "seed", "style", "pattern")
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
        assert daemon.ask("/hitloop/lane/kick/cell/2")[0] == 0.5
        assert daemon.end() == 0
    with Daemon(tmp_path, "gen.energy=0.3", "transport.bpm=140", options=options) as daemon:
        eventually(lambda: daemon.status()["knob"] == 0.3, "--set wins")
        assert daemon.playing().status()["bpm"] == 140
        assert daemon.status()["seed"] == 31
        assert daemon.end() == 0
    config.write_text("gen:\n  style: trance\n  energy: 0.4\n")
    with Daemon(tmp_path, options=options) as daemon:
        eventually(lambda: daemon.status()["style"] == "trance", "a changed config wins")
        eventually(
            lambda: json.loads(daemon.ask("/hitloop/pattern/provenance")[0])["parameters"]["style"] == "trance",
            "its bar",
        )


def test_changed_files_are_taken_over_and_broken_ones_change_nothing(tmp_path):
    config, pads = tmp_path / "mine.yaml", tmp_path / "pads.yaml"
    pads.write_text("bindings:\n  - {note: 36, address: /hitloop/gen/calmer}\n")
    base = f"control.midi: {pads}\n"
    config.write_text(base + "gen.energy: 0.4\n")
    with Daemon(tmp_path, options=("--config", config)) as daemon:
        daemon.playing()
        config.write_text(base + "gen.energy: 0.7\ntransport.bpm: 150\nlog.level: debug\n")
        eventually(lambda: daemon.status()["knob"] == 0.7 and daemon.status()["bpm"] == 150, lambda: daemon.lines)
        config.write_text(base + "gen.energy: 0.2\ntransport.bpm: 1500\n")
        daemon.said(f"{config}:3: transport.bpm")
        assert daemon.status()["knob"] == 0.7
        daemon.process.send_signal(signal.SIGHUP)
        daemon.said(f"{config}:3: transport.bpm", 2)
        config.write_text(base + "gen.energy: 0.2\n")
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: daemon.status()["knob"] == 0.2, lambda: daemon.lines)
        pads.write_text("bindings:\n  - {note: 36, address: /hitloop/gen/calmest}\n")
        daemon.said(str(pads))
        assert daemon.status()["state"] == "playing"
        assert daemon.end() == 0


# ── captures that can't be written ──────────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_under_the_capture_stops_no_beat(tmp_path):
    take = tmp_path / "take"
    wrap = ("prlimit", "--fsize=100000") if sys.platform.startswith("linux") else ()
    options = ("--capture", take, "--bars", 2, "--json")
    with Daemon(tmp_path, "transport.bpm=200", options=options, wrap=wrap) as daemon:
        assert daemon.process.wait(30) == 1
        daemon.kill_all()
        summary = json.loads(next(line for line in daemon.lines if line.startswith("{")))
        assert summary["bars"] == 2
        assert summary["notes_sent"] == summary["notes_off"] > 0
        assert any("can't be written" in text for text in summary["problems"])


def test_quiet_on_a_terminal_it_shows_a_status_line_and_the_view_has_keys(tmp_path):
    """A pseudo terminal of Python's own: no other program needed."""
    import pty

    port, (main, sub) = free_port(), pty.openpty()
    words = [f"osc.port={port}", f"paths.state={tmp_path}", "midi.backend=none", "audio.backend=none"]
    command = [sys.executable, "-m", "hitloopd.app.cli", "run", "--view", *(f"--set={word}" for word in words)]
    process = subprocess.Popen(command, stdin=sub, stdout=sub, stderr=sub, start_new_session=True)
    os.close(sub)
    shown = b""
    os.set_blocking(main, False)

    def text():
        nonlocal shown
        try:
            shown += os.read(main, 65_536)
        except OSError:
            return shown.decode()
        return shown.decode()

    try:
        eventually(lambda: "playing" in text() and "1.3" in text(), text)
        os.write(main, b"?")
        eventually(lambda: "lock a lane" in text(), text)
        os.write(main, b"ec ")
        eventually(lambda: "stopped" in text(), text)
        os.write(main, b"q")
        assert process.wait(10) == 0
        assert text().rstrip().endswith("\x1b[?25h"), "the cursor is there again"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        os.close(main)
