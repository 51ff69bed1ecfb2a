"""The daemon between a stranger's master clock and a stranger's reader of its own clock."""

from __future__ import annotations

import re
import subprocess
import time
from itertools import pairwise

import pytest

from tests.jack.scene import (
    CLOCK,
    CONTINUE,
    MASTER,
    START,
    STOP,
    Conductor,
    JackDaemon,
    bar,
    expected,
    offs,
    on_every_cell,
    ons,
    percentile,
    repeated,
    spread,
)
from tests.jack.server import JackMidiRecorder, Recording, end, until
from tests.needs import require_program

pytestmark = [pytest.mark.jack, pytest.mark.live]

FOLLOWS = ("sync.source=midi", "midi.inputs=[{name: in, port: mclk_out, clock: true}]")
OUT = "hitloopd:out"
CLOCK_AT_174, CLOCK_AT_120 = 690, 1000  # frames
SIXTEENTH_AT_140 = 5143
KICK, SNARE, HAT = 36, 38, 42
HITS = {HAT: range(16), KICK: (0,), SNARE: (4, 12)}
BAR = bar(*on_every_cell("hihat"), (0, "kick"), (480, "snare"), (1440, "snare"))


def daemon_and_master(server, folder):
    """Both there and connected, the bar cued, nothing playing."""
    folder.mkdir()
    daemon = JackDaemon(server, folder, *FOLLOWS)
    daemon.set("/hitloop/pattern/set", BAR)
    return daemon


def check_onsets(recording: Recording, period: int) -> None:
    """Every hit is there once, in its order, within 1 ms and a period of its clock."""
    master, played = recording.of(MASTER), recording.of(OUT)
    allowed = recording.rate // 1000 + period
    off: list[int] = []
    for note, cells in HITS.items():
        due = expected(master, cells)
        got = ons(played, note)
        assert len(got) == len(due), f"note {note}: {len(got)} came of {len(due)}"
        off += [row.frame - frame for row, (_, frame) in zip(got, due, strict=True)]
    print(f"period {period}: onset - clock in frames: {spread(map(abs, off))}; least {min(off)}")
    assert len(off) > 120
    assert percentile(map(abs, off), 0.99) <= allowed
    assert max(map(abs, off)) <= allowed + CLOCK_AT_120 - CLOCK_AT_174  # where the tempo jumps, nobody can know
    assert len(offs(played)) == len(ons(played))


def check_starts(recording: Recording, period: int) -> int:
    """The first note after each Start is on the first clock after it; the number of them."""
    rows, starts = recording.rows, 0
    for index, row in enumerate(rows):
        if row.source != MASTER or row.data != START:
            continue
        after = rows[index + 1 :]
        first_clock = next(r for r in after if r.source == MASTER and r.data == CLOCK)
        first_note = next(r for r in ons(after) if r.source == OUT)
        starts += 1
        assert 0 <= first_note.frame - first_clock.frame <= 48 + period
        kick = next(r for r in ons(after, KICK))
        assert kick.frame == first_note.frame, "the downbeat has the kick"
    return starts


def check_stops(recording: Recording, period: int) -> int:
    """After Stop nothing begins, and everything ends within a tick; the number of them."""
    stops = 0
    rows = recording.rows
    for index, row in enumerate(rows):
        if row.source != MASTER or row.data != STOP:
            continue
        stops += 1
        go = next((r.frame for r in rows[index:] if r.source == MASTER and r.data in (START, CONTINUE)), 1 << 62)
        between = [r for r in rows if r.source == OUT and row.frame + period < r.frame < go]
        assert not ons(between)
        assert all(r.frame - row.frame < CLOCK_AT_120 + period for r in offs(between))
    return stops


def test_it_follows_jack_midi_clock_through_tempi_starts_stops_and_a_join_inside_the_bar(roomy_server, tmp_path):
    folders = iter(range(9))

    def scene():
        shown = []
        daemon = daemon_and_master(roomy_server, tmp_path / str(next(folders)))
        with (
            daemon,
            Conductor(roomy_server, 174.0) as conductor,
            JackMidiRecorder(roomy_server, MASTER, OUT) as recorder,
        ):
            recorder.wait_connected()
            until(lambda: MASTER in roomy_server.run("jack_lsp", "-c", "hitloopd:in").stdout)
            recorder.clear()
            conductor.do("start")
            for bpm in (174.0, 120.0, 140.0):
                conductor.do("bpm", bpm)
                time.sleep(2.5)
                shown.append((bpm, daemon.status()["bpm"]))
            conductor.do("stop")  # in the middle of a bar
            time.sleep(0.5)
            conductor.do("locate", 0)
            time.sleep(0.2)
            conductor.do("start")
            time.sleep(1.3)
            conductor.do("locate", 0)  # Start while playing, in the middle of a bar
            time.sleep(0.6)
            conductor.do("stop")
            time.sleep(0.3)
            conductor.do("locate", 22)
            time.sleep(0.2)
            conductor.do("start")  # song position, then Continue half a second on
            time.sleep(2.6)
            conductor.do("stop")
            time.sleep(0.3)
            recording = recorder.stop()
            sent = len(ons(recording.of(OUT)))
            counted = daemon.settled(lambda: daemon.note_count() == (sent, sent))
            troubles = daemon.troubles()

        def check():
            print("shown", shown, "xruns", recording.xruns)
            check_onsets(recording, roomy_server.period)
            assert check_starts(recording, roomy_server.period) == 3
            assert check_stops(recording, roomy_server.period) == 3
            joins = [r.data for r in recording.of(MASTER) if r.data == CONTINUE]
            assert len(joins) == 1
            for wanted, bpm in shown:
                assert bpm == pytest.approx(wanted, abs=0.05)
            assert set(troubles.values()) == {0}
            assert counted, "the daemon counts other notes than came out of its port"

        return recording.xruns, check

    repeated(scene)


def test_it_goes_on_when_the_master_dies_and_locks_again_when_it_is_back(roomy_server, tmp_path):
    folders = iter(range(9))

    def scene():
        daemon = daemon_and_master(roomy_server, tmp_path / str(next(folders)))
        with daemon, JackMidiRecorder(roomy_server, MASTER, OUT) as recorder:
            with Conductor(roomy_server, 140.0) as conductor:
                recorder.wait_connected()
                until(lambda: MASTER in roomy_server.run("jack_lsp", "-c", "hitloopd:in").stdout)
                recorder.clear()
                conductor.do("start")
                time.sleep(2.0)
                conductor.drop_the_clock()
                gone = recorder.recording().rows[-1].frame
                time.sleep(1.2)
                alone = daemon.status()
                conductor.bring_the_clock()
                until(lambda: daemon.status()["clock"] == "locked", seconds=8)
                time.sleep(3.6)  # two bars
            recording = recorder.stop()
            heard = [line for line in daemon.lines if "MIDI clock" in line]

        def check():
            assert (alone["state"], alone["clock"]) == ("playing", "freewheel")
            assert alone["bpm"] == pytest.approx(140.0, abs=0.05)
            assert any("going on at 140.0 BPM" in line for line in heard)
            played = ons(recording.of(OUT), HAT)
            back = next(r.frame for r in recording.of(MASTER) if r.frame > gone and r.data == CLOCK)
            gaps = [b.frame - a.frame for a, b in pairwise(played) if b.frame < back]
            print("sixteenths until it is back, in frames:", spread(gaps), "min", min(gaps), "xruns", recording.xruns)
            assert len(gaps) > 25
            # rules 7 and 9: for 250 ms of silence it waits for the clock, then it goes on as if nothing had been
            silent = [round(gap / SIXTEENTH_AT_140) for gap in gaps if gap > 1.5 * SIXTEENTH_AT_140]
            assert len(silent) <= 1
            assert sum(silent) <= 3
            steps = [gap / round(gap / SIXTEENTH_AT_140) - SIXTEENTH_AT_140 for gap in gaps]
            assert max(map(abs, steps)) <= roomy_server.period
            # it came back without a word about where it is: our bars stay, our sixteenths are on its clocks again
            clocks = [r.frame for r in recording.of(MASTER) if r.frame >= back and r.data == CLOCK]
            last = [row.frame for row in played if row.frame < clocks[-1]][-10:]
            off = [min((hit - clock for clock in clocks), key=abs) for hit in last]
            print("sixteenths off its clocks, in frames:", off)
            assert max(map(abs, off)) <= 48 + roomy_server.period
            assert max(off) - min(off) <= 16

        return recording.xruns, check

    repeated(scene)


def test_jack_mclk_dump_reads_the_daemons_own_clock_as_174_bpm(roomy_server, tmp_path):
    require_program("jack_mclk_dump")
    folders = iter(range(9))

    def scene():
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        dump = roomy_server.popen("stdbuf", "-oL", "jack_mclk_dump", "-n", stdout=subprocess.PIPE)
        try:
            until(lambda: any("mclk_in" in port for port in roomy_server.ports()))
            dumped = next(port for port in roomy_server.ports() if "mclk_in" in port)
            with JackDaemon(roomy_server, folder, "transport.bpm=174") as daemon:
                daemon.playing()
                with JackMidiRecorder(roomy_server, "hitloopd:clock") as recorder:
                    recorder.wait_connected()
                    roomy_server.run("jack_connect", "hitloopd:clock", dumped)
                    time.sleep(7.0)
                    recording = recorder.recording()
        finally:
            dump.terminate()
            text = dump.stdout.read()
            end(dump)

        def check():
            filtered = [float(bpm) for bpm in re.findall(r"flt:\s*([\d.]+)", text)]
            assert len(filtered) > 300, text[-500:]
            tail = filtered[-120:]
            print("filtered BPM:", spread(tail), "min", min(tail))
            assert percentile(tail, 0.5) == pytest.approx(174.0, abs=0.05)

        return recording.xruns, check

    repeated(scene)
